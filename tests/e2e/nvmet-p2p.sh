#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Proves the virtual RDMA NIC on kernel code that nobody of this project has
# touched: an NVMe-over-RDMA target whose namespace stages its data in
# peer-to-peer memory (nvmet's p2pmem), and the NVMe host driver, both on one
# vrnic. What is written and read back must be intact, and the NIC must have
# moved exactly the payload from and to each provider, over the route that the
# topology has. Prints TAP; runs as root in the lab guest.
# shellcheck disable=SC2317 # most functions are called through check()
set -euo pipefail

# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"

readonly address=10.9.9.1 port=4420 nqn=nqn.2026-01.lab:p2p
readonly config=/sys/kernel/config/nvmet stats=/sys/kernel/debug/vrnic/vrnic0
readonly namespace=$config/subsystems/$nqn/namespaces/1
readonly size=$((8 << 20)) block=$((256 << 10))
readonly work=/tmp/nvmet-p2p TAP_LOG=/tmp/nvmet-p2p/log

bail() {
	echo "Bail out! $*"
	exit 1
}

stat_of() { awk -v key="$1" '$1 == key { print $2 }' "$stats/stats"; }

# The PCI function of a provider by its driver.
provider_of() {
	local dev

	for dev in /sys/bus/pci/drivers/"$1"/*:*; do
		[ ! -e "$dev/p2pmem" ] || basename "$dev"
	done
}

# What the topology lets the kernel do, and by which route vrnic must see it.
route() {
	case ${LAB_TOPOLOGY:-switch} in
	switch) echo p2p_bus ;;
	hostbridge | iommu) echo p2p_iommu ;;
	*) echo none ;;
	esac
}

start_device() {
	modprobe -a vrnic barmem nvmet-rdma nvme-rdma || bail "cannot load the drivers"
	mountpoint -q /sys/kernel/config || mount -t configfs none /sys/kernel/config
	if [ ! -e /sys/class/net/dummy0 ]; then
		ip link add dummy0 type dummy
		ip addr add $address/24 dev dummy0
		ip link set dummy0 up
	fi
	[ -e /sys/class/infiniband/vrnic0 ] || rdma link add vrnic0 type vrnic netdev dummy0
}

# Without in-capsule data every byte of a command goes through the provider.
start_target() {
	mkdir -p "$namespace" $config/ports/1
	echo 1 >"$config/subsystems/$nqn/attr_allow_any_host"
	echo -n /dev/nvme0n1 >"$namespace/device_path"
	echo rdma >$config/ports/1/addr_trtype
	echo ipv4 >$config/ports/1/addr_adrfam
	echo $address >$config/ports/1/addr_traddr
	echo $port >$config/ports/1/addr_trsvcid
	echo 0 >$config/ports/1/param_inline_data_size
	ln -s "$config/subsystems/$nqn" "$config/ports/1/subsystems/$nqn"
}

stop_target() {
	[ -d "$config/subsystems/$nqn" ] || return 0
	rm -f "$config/ports/1/subsystems/$nqn"
	echo 0 >"$namespace/enable" || true
	rmdir $config/ports/1 "$namespace" "$config/subsystems/$nqn"
}

# enable PROVIDER: nvmet takes p2pmem and enable as two writes.
enable() {
	echo "$1" >"$namespace/p2pmem"
	echo 1 >"$namespace/enable"
}

disable() { echo 0 >"$namespace/enable"; }

# The block device of the connection, once its namespace has been scanned.
remote_disk() {
	local ctrl i disk

	for ((i = 0; i < 200; i++)); do
		for ctrl in /sys/class/nvme/nvme*; do
			[ "$(cat "$ctrl/transport")" = rdma ] || continue
			disk=$(basename "$(find "$ctrl/" -maxdepth 1 -name 'nvme*n*' | head -n 1)")
			[ -z "$disk" ] || [ ! -b "/dev/$disk" ] || { echo "/dev/$disk"; return; }
		done
		sleep 0.05
	done
	return 1
}

connect() {
	echo "transport=rdma,traddr=$address,trsvcid=$port,nqn=$nqn,nr_io_queues=1,queue_size=16" >/dev/nvme-fabrics
}

disconnect() {
	local ctrl

	for ctrl in /sys/class/nvme/nvme*; do
		[ "$(cat "$ctrl/transport")" != rdma ] || echo 1 >"$ctrl/delete_controller"
	done
}

copy() { dd "if=$1" "of=$2" "bs=$block" count=$((size / block)) status=none "${@:3}"; }

# verify_fio DISK [OPTION]...
verify_fio() {
	fio --name=verify --filename="$1" --rw=randwrite --bs=64k --size=4M --direct=1 \
		--ioengine=libaio --iodepth=8 --verify=crc32c --verify_fatal=1 \
		--verify_state_save=0 "${@:2}" >"$work/fio"
}

# moved NAME READ WRITTEN: what the NIC moved over the expected route.
moved() {
	local wanted other

	wanted=$(route)
	other=p2p_iommu
	[ "$wanted" = p2p_bus ] || other=p2p_bus
	same "$1: the NIC read $2 bytes from the provider" "$2" "$(stat_of "${wanted}_read_bytes")"
	same "$1: the NIC wrote $3 bytes to the provider" "$3" "$(stat_of "${wanted}_write_bytes")"
	same "$1: nothing by the other route" "0 0" \
		"$(stat_of "${other}_read_bytes") $(stat_of "${other}_write_bytes")"
}

# data NAME: move data both ways and account for every byte.
data() {
	local disk

	check "$1: connect over vrnic" connect
	disk=$(remote_disk) || bail "the namespace does not show up"
	echo reset >"$stats/ctl"
	check "$1: write" copy "$work/data" "$disk" oflag=direct
	moved "$1: write" 0 "$size"
	echo reset >"$stats/ctl"
	check "$1: read" copy "$disk" "$work/back" iflag=direct
	moved "$1: read" "$size" 0
	check "$1: what comes back is what went out" cmp "$work/data" "$work/back"
	check "$1: it is on the drive behind the target" cmp -n "$size" "$work/data" /dev/nvme0n1
	check "$1: fio with crc32c" verify_fio "$disk"
	same "$1: no DMA faults" 0 "$(stat_of dma_faults)"
	check "$1: disconnect" disconnect
}

# provider_goes BDF DRIVER: unbind a provider under load. What is on its way must
# arrive; what comes later finds no peer-to-peer memory, and nvmet uses its own.
provider_goes() {
	local disk before load status=0

	check "unbind: nvmet takes it" enable "$1"
	check "unbind: connect over vrnic" connect
	disk=$(remote_disk) || bail "the namespace does not show up"
	echo reset >"$stats/ctl"
	verify_fio "$disk" --time_based --runtime=6 --verify_backlog=8 &
	load=$!
	sleep 3
	check "unbind: the driver lets go of it under load" eval "echo $1 >/sys/bus/pci/drivers/$2/unbind"
	before=$(stat_of p2p_bus_write_bytes)$(stat_of p2p_iommu_write_bytes)
	check "unbind: it was in use" test "$before" != 00
	wait $load || status=1
	report $status "unbind: fio does not notice"
	same "unbind: no DMA faults" 0 "$(stat_of dma_faults)"
	same "unbind: nothing was written to it any more" "$before" \
		"$(stat_of p2p_bus_write_bytes)$(stat_of p2p_iommu_write_bytes)"
	check "unbind: disconnect" disconnect
	check "unbind: release" disable
}

# refused COMMAND...
refused() { ! "$@"; }

# provider DRIVER NAME: the whole way with one provider.
provider() {
	local bdf memory before

	bdf=$(provider_of "$1")
	memory=/sys/bus/pci/devices/$bdf/p2pmem
	before=$(cat "$memory/available")
	check "$2: nvmet takes it" enable "$bdf"
	data "$2"
	check "$2: release" disable
	same "$2: all of its memory is free again" "$before" "$(cat "$memory/available")"
}

# Out of the NIC's reach, nvmet must fall back to memory if the drive has the
# provider itself, and refuse the provider if the drive cannot reach it either.
out_of_reach() {
	local disk

	check "CMB: nvmet takes it" enable "$(provider_of nvme)"
	check "CMB: connect over vrnic" connect
	disk=$(remote_disk) || bail "the namespace does not show up"
	check "CMB: write" copy "$work/data" "$disk" oflag=direct
	check "CMB: read" copy "$disk" "$work/back" iflag=direct
	check "CMB: what comes back is what went out" cmp "$work/data" "$work/back"
	same "CMB: nothing went peer to peer" "0 0 0 0" \
		"$(stat_of p2p_bus_read_bytes) $(stat_of p2p_bus_write_bytes) $(stat_of p2p_iommu_read_bytes) $(stat_of p2p_iommu_write_bytes)"
	same "CMB: no DMA faults" 0 "$(stat_of dma_faults)"
	check "CMB: disconnect" disconnect
	check "CMB: release" disable
	check "BAR: nvmet refuses it" refused enable "$(provider_of barmem)"
}

mkdir -p $work
head -c "$size" /dev/urandom >$work/data
if [ "$(route)" = none ]; then
	plan 10
else
	plan 43
fi
start_device
start_target
if [ "$(route)" = none ]; then
	out_of_reach
else
	provider nvme CMB
	provider barmem BAR
	provider_goes "$(provider_of barmem)" barmem
fi
stop_target
rm -rf $work
tap_end
