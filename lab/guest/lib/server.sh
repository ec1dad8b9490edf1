# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # settings come from lab-nfs
# The server side of lab-nfs: network, export, daemons, and taking it all down.

# The RNIC is lab/vm's choice (--rnic), handed on in the environment.
rnic_link() {
	case ${LAB_RNIC:-vrnic} in
	vrnic) echo vrnic0 vrnic ;;
	rxe) echo rxe0 rxe ;;
	none) ;;
	esac
}

start_network() {
	local name type

	if [ ! -e "/sys/class/net/$device" ]; then
		quietly modprobe dummy numdummies=0
		quietly ip link add "$device" type dummy
		quietly ip addr add "$address/24" dev "$device"
		quietly ip addr add "$second_address/24" dev "$device"
		quietly ip link set "$device" up
	fi
	read -r name type < <(rnic_link) || return 0
	[ ! -e "/sys/class/infiniband/$name" ] || return 0
	[ "$type" != vrnic ] || quietly modprobe vrnic
	quietly rdma link add "$name" type "$type" netdev "$device"
}

# export_options: of /export, and of what tests put below it.
export_options() {
	# fsid=0: NFSv4 calls this "/", and tmpfs has no id of its own.
	echo "rw,no_root_squash,no_subtree_check,fsid=0${pnfs:+,pnfs}${security:+,sec=sys:krb5:krb5i:krb5p}"
}

# start_export FS: put a file system of the wanted kind at /export.
start_export() {
	mkdir -p "$export_dir"
	if [ "$1" = tmpfs ]; then
		quietly mount -t tmpfs -o size=75% export "$export_dir"
	else
		command -v "mkfs.$1" >/dev/null || die "--export $1: no mkfs.$1 in the guest"
		start_disk
		quietly "mkfs.$1" -q "$disk"
		quietly mount "$disk" "$export_dir"
	fi
	chmod 777 "$export_dir"
	quietly exportfs -o "$(export_options)" "*:$export_dir"
}

# Debian's nfsd neither has a flexfiles layout nor lets a client WRITE with its
# machine credential; one with the patches of lab/debug does.
load_server() {
	local module depends

	if [ -z "$data_server$mach_cred_write" ]; then
		modprobe nfsd || die "cannot load the NFS server's module"
		return
	fi
	module=/lib/modules/$(uname -r)/lab-debug/nfsd.ko
	[ -f "$module" ] || die "${data_server:+--pnfs $data_server}${mach_cred_write:+--mach-cred-write}: this guest has no $module (lab/vm --nfs stock?)"
	[ ! -e /sys/module/nfsd/parameters/lab_ds_netid ] || return 0
	# It holds files of the module.
	stop_daemon rpc.mountd
	! mounted "$nfsd" || quietly umount "$nfsd"
	[ ! -e /sys/module/nfsd ] || quietly rmmod nfsd
	mapfile -t -d , depends < <(modinfo -F depends "$module" | tr -d '\n')
	quietly modprobe -a "${depends[@]}"
	quietly insmod "$module"
}

# Without these two, each guest would spend 10 to 90 s in grace before the
# first OPEN or LOCK: nfsdcld tells the kernel that there is no old client, and
# lockd, whose grace counts for NFSv4 too, is told to end its own.
end_grace() {
	echo Y >/proc/fs/lockd/nlm_end_grace
}

# Straight through the kernel's files: rpc.nfsd would need a second of
# emulated time, and its -N 3 style options depend on its version.
start_server() {
	local files=/sys/module/nfsd/parameters/lab_files

	load_server
	# It counts when an export or a client is seen for the first time.
	if [ -e "$files" ]; then
		[ "$layouts" = files ] && echo Y >"$files" || echo N >"$files"
	fi
	mounted "$nfsd" || quietly mount -t nfsd nfsd "$nfsd"
	mkdir -p /run/rpcbind /run/sendsigs.omit.d "$pipefs" /var/lib/nfs/{nfsdcld,sm,sm.bak}
	mounted "$pipefs" || quietly mount -t rpc_pipefs rpc_pipefs "$pipefs"
	pidof rpcbind >/dev/null || quietly rpcbind -w
	pidof nfsdcld >/dev/null || quietly nfsdcld
	pidof rpc.statd >/dev/null || quietly rpc.statd --no-notify
	[ -z "$security" ] || kerberos_start
	[ -z "$tls" ] || tls_start
	start_export "$export_fs"
	pidof rpc.mountd >/dev/null || quietly rpc.mountd
	echo "$lease" >"$nfsd/nfsv4leasetime"
	# As short as the kernel takes it, for the tests that restart a server.
	echo 10 >"$nfsd/nfsv4gracetime"
	echo "+3 +4 +4.0 +4.1 +4.2" >"$nfsd/versions"
	# The default depends on the memory of the guest; clients ask for 1 MiB.
	echo 1048576 >"$nfsd/max_block_size" || die "nfsd does not take 1 MiB an RPC"
	echo "tcp 2049" >"$nfsd/portlist" || die "nfsd does not listen on TCP port 2049"
	if [ "${LAB_RNIC:-vrnic}" != none ]; then
		modprobe rpcrdma || die "cannot load the RPC-over-RDMA module"
		echo "rdma $rdma_port" >"$nfsd/portlist" || die "nfsd does not listen on RDMA port $rdma_port"
		# The data server is announced with the port of the mount, by any netid.
		[ -z "$data_server" ] || echo "tcp $rdma_port" >"$nfsd/portlist" ||
			die "nfsd does not listen on TCP port $rdma_port"
	fi
	echo 8 >"$nfsd/threads"
	end_grace
	server_kind >"$state/up"
}

stop_server() {
	[ ! -e "$nfsd/threads" ] || echo 0 >"$nfsd/threads"
	quietly exportfs -ua
	! mounted "$export_dir" || quietly umount "$export_dir"
	stop_disk
	# A new server must not wait in grace for the clients of this one.
	stop_daemon nfsdcld
	rm -rf /var/lib/nfs/nfsdcld
	kerberos_stop
	tls_stop
	rm -rf "$state"
}

# server_kind: all that cannot be changed while the server runs.
server_kind() {
	echo "export=$export_fs module=${data_server:+lab}${mach_cred_write:+lab} layouts=$layouts lease=$lease kerberos=${security:+yes} tls=$tls"
}
