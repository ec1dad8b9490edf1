#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A client connects to an NFS server that has no thread to accept it, and the
# server stops. Nothing of that connection may be left on the server's side, or
# its RDMA device could never be removed. (With threads, it takes a client that
# reconnects in the moment between the end of the last thread and that of the
# listener.) Prints TAP; runs as root in the lab guest.
# shellcheck disable=SC2317 # most functions are called through check()
set -euo pipefail

# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"

readonly link=vrnic0 nfsd=/proc/fs/nfsd mount=/mnt/nfs
readonly work=/tmp/svcrdma-listener TAP_LOG=/tmp/svcrdma-listener/log

# wait_for COMMAND...: until it succeeds, at most 20 s.
wait_for() {
	local i

	for ((i = 0; i < 200; i++)); do
		! "$@" || return 0
		sleep 0.1
	done
	echo "waited 20 s for: $*"
	return 1
}

connections() { rdma resource show cm_id link "$link" | grep -c 'state CONNECT '; }

# Two ends of a connection that nobody has accepted.
queued() { [ "$(connections)" -ge 2 ]; }

server_without_threads() {
	lab-nfs up
	umount "$mount"
	echo 0 >"$nfsd/threads"
	echo "rdma 20049" >"$nfsd/portlist"
}

connect() {
	timeout 60 mount -t nfs -o vers=4.2,proto=rdma,port=20049,retry=0 10.9.9.1:/ "$mount" >"$work/mount" 2>&1 &
	wait_for queued
}

ended() { ! kill -0 "$delete_pid" 2>/dev/null; }

# It is D state that a task waits in for a device to become unused, so no time
# limit could end it.
delete_link() {
	rdma link delete "$link" &
	delete_pid=$!
	wait_for ended
	[ ! -e "/sys/class/infiniband/$link" ]
}

unload() {
	lab-nfs down
	wait_for modprobe -r rpcrdma
	wait_for rmmod vrnic
}

trap 'rm -rf $work' EXIT
mkdir -p $work
plan 5
check "a server without threads listens" server_without_threads
check "a connection waits to be accepted" connect
check "the server stops" eval "echo 0 >$nfsd/threads"
check "its RDMA device goes" delete_link
check "its modules go" unload
tap_end
