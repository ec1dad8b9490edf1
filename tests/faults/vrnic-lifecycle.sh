#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Everything that can happen to an RDMA NIC happens to vrnic, while fio writes
# to an NFS mount over it and verifies what it wrote: connections die, work
# requests fail, the link, the netdev, the driver or the whole PCI function go
# away and come back. fio must not notice, and nothing may be left behind.
# Prints TAP; runs as root in the lab guest. That the kernel log is clean is
# for lab/vm to check.
# shellcheck disable=SC2317 # most functions are called through under_load()
set -euo pipefail

# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"

readonly netdev=dummy0 address=10.9.9.1 link=vrnic0
readonly debug=/sys/kernel/debug/vrnic/$link
readonly driver=/sys/bus/pci/drivers/vrnic
readonly work=/tmp/vrnic-lifecycle TAP_LOG=/tmp/vrnic-lifecycle/log file=/mnt/nfs/lifecycle

stat_of() { awk -v key="$1" '$1 == key { print $2 }' "$debug/stats"; }

link_bdf() { stat_of bdf; }

# wait_for COMMAND...: until it succeeds, at most 30 s.
wait_for() {
	local i

	for ((i = 0; i < 300; i++)); do
		! "$@" || return 0
		sleep 0.1
	done
	echo "waited 30 s for: $*"
	return 1
}

add_link() { rdma link add "$link" type vrnic netdev "$netdev"; }

no_link() { [ ! -e "/sys/class/infiniband/$link" ]; }

# 512 KiB are several memory regions a call, and so local invalidations; a
# single region is invalidated by the reply.
block=512k
load_start() {
	fio --name=load --filename=$file --rw=randwrite --bs=$block --size=32M --direct=1 \
		--ioengine=libaio --iodepth=4 --verify=crc32c --verify_fatal=1 \
		--verify_backlog=8 --verify_state_save=0 --time_based --runtime=8 >"$work/fio" 2>&1 &
	load_pid=$!
	sleep 2
}

load_end() {
	wait $load_pid || { cat "$work/fio"; return 1; }
	grep -q 'err= 0' "$work/fio"
}

# under_load NAME COMMAND...: the command succeeds, and fio does, too.
under_load() {
	local name=$1 status

	shift
	load_start
	status=$(attempt eval "kill -0 $load_pid && $(printf '%q ' "$@")")
	load_end >>"$TAP_LOG" 2>&1 || status=1
	report "$status" "$name"
	[ "$status" -eq 0 ] || sed 's/^/# /' "$TAP_LOG"
}

# ------------------------------------------------------- what happens to it

kills() {
	local i before

	before=$(stat_of kills)
	for ((i = 0; i < 10; i++)); do
		echo kill >"$debug/ctl"
		sleep 0.5
	done
	[ "$(stat_of kills)" -gt "$before" ]
}

injected_since() { [ "$(stat_of injected)" -gt "$1" ]; }

# inject OP STATUS
inject() {
	local before

	before=$(stat_of injected)
	echo "inject $1 $2 5" >"$debug/ctl"
	wait_for injected_since "$before"
}

link_again() {
	rdma link delete "$link"
	no_link
	sleep 1
	add_link
}

unbind_bind() {
	local bdf

	bdf=$(link_bdf)
	echo "$bdf" >"$driver/unbind"
	no_link
	sleep 1
	echo "$bdf" >"$driver/bind"
	add_link
}

remove_rescan() {
	local bdf

	bdf=$(link_bdf)
	echo 1 >"/sys/bus/pci/devices/$bdf/remove"
	no_link
	sleep 1
	echo 1 >/sys/bus/pci/rescan
	wait_for test -e "$driver/$bdf"
	add_link
}

netdev_again() {
	ip link delete "$netdev"
	wait_for no_link
	sleep 1
	ip link add "$netdev" type dummy
	ip addr add "$address/24" dev "$netdev"
	ip link set "$netdev" up
	add_link
}

module_again() {
	rmmod vrnic
	no_link
	sleep 1
	modprobe vrnic max_fr=32
	add_link
}

# It comes back as one that the client cannot use, with registrations too small
# for the largest rsize, and connecting fails with ENOMEM. The client must try
# again, and it does so every 3 s.
useless_for_a_while() {
	rmmod vrnic
	no_link
	modprobe vrnic max_fr=1
	add_link
	sleep 5
	module_again
}

# The function that the new link takes, the first one, goes at the same time.
race() {
	local functions bdf i

	functions=("$driver"/*:*)
	bdf=$(basename "${functions[0]}")
	for ((i = 0; i < 10; i++)); do
		rdma link delete "$link"
		add_link &
		echo "$bdf" >"$driver/unbind"
		wait $! || true
		echo "$bdf" >"$driver/bind"
		no_link || continue
		add_link
	done
}

# --------------------------------------------------- refusals, with reasons

refused() { ! "$@" 2>/dev/null; }

bad_ctl() { echo "$1" >"$debug/ctl"; }

third_link() {
	ip link add dummy1 type dummy
	ip link add dummy2 type dummy
	rdma link add vrnic1 type vrnic netdev dummy1
	if rdma link add vrnic2 type vrnic netdev dummy2; then
		return 1
	fi
	rdma link delete vrnic1
	ip link delete dummy1
	ip link delete dummy2
}

# The counter dies with the device, the message does not.
no_faults() { [ "$(stat_of dma_faults) $(dmesg | grep -c "DMA fault")" = "0 0" ]; }

gone() {
	lab-nfs down
	no_link
	# An RPC transport may outlive its mount by a moment.
	wait_for rmmod vrnic
	[ ! -e /sys/kernel/debug/vrnic ]
}

trap 'rm -rf $work' EXIT
mkdir -p $work
plan 20
modprobe vrnic max_fr=32
lab-nfs up >/dev/null

under_load "10 connections killed" kills
under_load "a SEND fails with a protection error" inject send loc_prot_err
block=64k under_load "a reply fails: retries exceeded" inject send_inv retry_exc_err
under_load "an RDMA WRITE fails: access refused" inject write rem_access_err
under_load "an RDMA READ fails: access refused" inject read_inv rem_access_err
under_load "a registration fails" inject reg_mr mw_bind_err
under_load "a local invalidation fails" inject local_inv general_err
under_load "rdma link delete and add" link_again
under_load "driver unbound and bound" unbind_bind
under_load "function removed, bus rescanned" remove_rescan
under_load "netdev deleted and created" netdev_again
under_load "module removed and loaded" module_again
under_load "module loaded such that it is of no use, and again" useless_for_a_while
under_load "link added as its function goes, 10 times" race
check "a second link on one netdev is refused" refused rdma link add vrnic1 type vrnic netdev "$netdev"
check "a link without an idle function is refused" third_link
check "an unknown command to ctl is refused" refused bad_ctl explode
check "an unknown status to ctl is refused" refused bad_ctl "inject send sunshine"
check "no DMA faults, not even with devices that are gone" no_faults
check "everything is given back, the module goes" gone
tap_end
