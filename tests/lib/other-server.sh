#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Another NFS server, in a network namespace of its own, for tests of clients that
# follow a referral or a migrated file system to it. It exports /export/other, with
# the file system ID 7, whatever lab-nfs does with that folder.
#
# Usage: other-server.sh start none|rxe|vrnic
#        other-server.sh moved ADDRESS
#        other-server.sh stop
#
# "start" wires it up with the RDMA device; for vrnic, lab-nfs must not use that
# itself. "moved" says that the folder has gone to the server at ADDRESS. Runs as root in the lab guest; "lab-nfs up" comes first.
set -euo pipefail

readonly server=10.9.8.2 client=10.9.8.1
readonly nfsd=/proc/fs/nfsd exported=/export/other
readonly options=rw,no_root_squash,no_subtree_check,fsid=7

# link NETDEV RDMA-DEVICE TYPE [COMMAND...]: here, or where COMMAND runs it.
link() {
	local netdev=$1 name=$2 type=$3

	shift 3
	"$@" rdma link add "$name" type "$type" netdev "$netdev"
}

wire() {
	ip netns add other
	ip link add other0 type veth peer name other1 netns other
	ip addr add $client/24 dev other0
	ip link set other0 up
	ip -n other addr add $server/24 dev other1
	ip -n other link set other1 up
	ip -n other link set lo up
	case $1 in
	rxe)
		link other0 rxe0 rxe
		link other1 rxe1 rxe ip netns exec other
		;;
	vrnic)
		modprobe vrnic
		link other0 vrnic0 vrnic
		link other1 vrnic1 vrnic ip netns exec other
		;;
	esac
}

# In the namespace "other", where mounts are private, too.
serve() {
	# Locks, sockets and lists of the first server's daemons are not for these.
	mount -t tmpfs run /run
	mount -t tmpfs state /var/lib/nfs
	mkdir -p /run/{rpcbind,rpc_pipefs,sendsigs.omit.d} /var/lib/nfs/{nfsdcld,sm,sm.bak}
	# exportfs fails if it has to make it.
	: >/var/lib/nfs/etab
	mount -t nfsd nfsd "$nfsd"
	mount -t rpc_pipefs rpc_pipefs /run/rpc_pipefs
	rpcbind -w
	nfsdcld
	exportfs -o rw,no_root_squash,no_subtree_check,fsid=0 "*:/export"
	exportfs -o "$options" "*:$exported"
	rpc.mountd
	echo 10 >"$nfsd/nfsv4leasetime"
	echo 10 >"$nfsd/nfsv4gracetime"
	echo "-3 +4 +4.0 +4.1 +4.2" >"$nfsd/versions"
	echo "tcp 2049" >"$nfsd/portlist"
	if [ "$1" != none ]; then
		# A referral is followed to the port of NFS over RDMA, a migration
		# to that of NFS.
		echo "rdma 20049" >"$nfsd/portlist"
		echo "rdma 2049" >"$nfsd/portlist"
	fi
	echo 8 >"$nfsd/threads"
}

# inside COMMAND...: where its daemons are; ip-netns(8) would make another set of
# mounts.
inside() {
	nsenter --net --mount --target "$(ip netns pids other | head -n 1)" "$@"
}

start() {
	mkdir -p "$exported"
	chmod 777 "$exported"
	wire "$1"
	ip netns exec other bash -euc "$(declare -p nfsd exported options); $(declare -f serve); serve $1" </dev/null
}

moved() {
	inside exportfs -o "$options,refer=/other@$1" "*:$exported"
}

stop() {
	local name

	[ -e /run/netns/other ] || return 0
	# Nothing runs there if the start has failed.
	! ip netns pids other | grep -q . || inside sh -c "echo 0 >$nfsd/threads; exportfs -ua"
	ip netns pids other | xargs -r kill
	while ip netns pids other | grep -q .; do
		sleep 0.05
	done
	for name in rxe0 rxe1 vrnic0 vrnic1; do
		[ ! -e "/sys/class/infiniband/$name" ] || rdma link delete "$name"
	done
	ip link delete other0
	ip netns delete other
}

case ${1:-}/${2:-} in
start/none | start/rxe | start/vrnic) start "$2" ;;
moved/*.*.*.*) moved "$2" ;;
stop/) stop ;;
*)
	echo "usage: $0 start none|rxe|vrnic | moved ADDRESS | stop" >&2
	exit 2
	;;
esac
