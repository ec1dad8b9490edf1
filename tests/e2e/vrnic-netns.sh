#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Two RDMA NICs in two network namespaces: an NFS server on vrnic1 in namespace
# "server", its client on vrnic0, a veth pair in between. Each NIC must have
# moved the memory of its own side, and where both namespaces have an address,
# that of the own one counts. Prints TAP; runs as root in the lab guest.
# shellcheck disable=SC2317 # most functions are called through check()
set -euo pipefail

# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"

readonly server=10.8.8.2 client=10.8.8.1
readonly debug=/sys/kernel/debug/vrnic mount=/mnt/nfs work=/tmp/vrnic-netns TAP_LOG=/tmp/vrnic-netns/log
readonly size=$((16 << 20))

stat_of() { awk -v key="$2" '$1 == key { print $2 }' "$debug/$1/stats"; }

in_server() { ip netns exec server "$@"; }

wire() {
	ip netns add server
	ip link add veth0 type veth peer name veth1 netns server
	ip addr add $client/24 dev veth0
	ip link set veth0 up
	in_server ip addr add $server/24 dev veth1
	in_server ip link set veth1 up
	in_server ip link set lo up
	modprobe vrnic
	rdma link add vrnic0 type vrnic netdev veth0
	in_server rdma link add vrnic1 type vrnic netdev veth1
}

# Every daemon of it lives in the namespace, and so does its /proc/fs/nfsd.
serve() {
	mount -t nfsd nfsd /proc/fs/nfsd
	mkdir -p /run/rpcbind /run/rpc_pipefs /var/lib/nfs/{nfsdcld,sm,sm.bak}
	mount -t rpc_pipefs rpc_pipefs /run/rpc_pipefs
	rpcbind -w
	nfsdcld
	exportfs -o rw,no_root_squash,no_subtree_check,fsid=0 "*:/export"
	rpc.mountd
	echo 10 >/proc/fs/nfsd/nfsv4leasetime
	echo 10 >/proc/fs/nfsd/nfsv4gracetime
	echo "tcp 2049" >/proc/fs/nfsd/portlist
	echo "rdma 20049" >/proc/fs/nfsd/portlist
	echo 8 >/proc/fs/nfsd/threads
}

start_server() {
	modprobe -a nfsd rpcrdma
	mkdir -p /export "$mount"
	mount -t tmpfs -o size=256m export /export
	ip netns exec server bash -euc "$(declare -f serve); serve" </dev/null
}

mount_it() {
	timeout 60 mount -t nfs -o "vers=4.2,proto=rdma,port=20049,$1" "$server:/" "$mount"
}

verify_fio() {
	fio --name=verify --filename="$mount/file" --rw=randwrite --bs=256k --size="$size" --direct=1 \
		--ioengine=libaio --iodepth=4 --verify=crc32c --verify_fatal=1 --verify_state_save=0
}

# The payload of a mount crosses the wire in RDMA READs and WRITEs of the server.
server_did_rdma() {
	[ "$(stat_of vrnic0 rdma_write)$(stat_of vrnic0 rdma_read)" = 00 ]
	[ "$(stat_of vrnic1 rdma_write)" -gt 0 ]
	[ "$(stat_of vrnic1 rdma_read)" -gt 0 ]
}

# What one side's memory gave, the other side's took.
balanced() {
	[ "$(stat_of vrnic0 ram_read_bytes)" -ge "$size" ]
	[ "$(stat_of vrnic0 ram_read_bytes)" = "$(stat_of vrnic1 ram_write_bytes)" ]
	[ "$(stat_of vrnic1 ram_read_bytes)" = "$(stat_of vrnic0 ram_write_bytes)" ]
	[ "$(stat_of vrnic0 connects) $(stat_of vrnic1 connects)" = "1 1" ]
}

survives_kill() {
	echo kill >"$debug/vrnic1/ctl"
	verify_fio
	[ "$(stat_of vrnic1 kills)" = 1 ]
	[ "$(stat_of vrnic0 connects)" = 2 ]
}

# With the server's address on our own NIC, too, a connection must stay at home.
# (The RDMA core has the server's wildcard listener on all devices, so it may
# well be answered.)
own_namespace_first() {
	local before

	umount "$mount"
	before=$(stat_of vrnic1 connects)
	ip addr add "$server/32" dev veth0
	if mount_it retry=0; then
		umount "$mount"
	fi
	[ "$(stat_of vrnic1 connects)" = "$before" ]
	ip addr del "$server/32" dev veth0
	mount_it retry=0
	[ "$(stat_of vrnic1 connects)" -gt "$before" ]
}

stop() {
	umount "$mount"
	rdma link delete vrnic0
	rdma link delete vrnic1
	[ -z "$(rdma link)" ]
}

mkdir -p $work
plan 8
wire
check "a server in its own network namespace" start_server
check "a mount from the outside" mount_it retry=0
check "fio with crc32c" verify_fio
check "the server's NIC did the RDMA" server_did_rdma
check "each NIC used the memory of its own side" balanced
check "a killed connection comes back" survives_kill
check "the same address at home: no connection leaves the namespace" own_namespace_first
check "both links go" stop
tap_end
