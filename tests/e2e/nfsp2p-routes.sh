#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# nfsp2p cp on every topology: to NFS, from NFS, and from NFS to NFS. The NIC counts
# each byte by the route that the topology has. Prints TAP; runs as root in the guest.
# shellcheck disable=SC2317 # functions are called through check()
set -euo pipefail

here=$(dirname "$0")
# shellcheck source=tests/lib/tap.sh
. "$here/../lib/tap.sh"
# shellcheck source=tests/lib/nfsp2p.sh
. "$here/../lib/nfsp2p.sh"

readonly disk=/run/nfsp2p-routes nfs=/mnt/nfs other=/run/nfsp2p-other export=/export
readonly work=/tmp/nfsp2p-routes TAP_LOG=/tmp/nfsp2p-routes/log
readonly size=$(((3 << 20) + 511))
mkdir -p "$work" "$other"

case $LAB_TOPOLOGY in
switch) route=bus ;;
*) route=iommu ;;
esac
readonly route

# counted DIRECTION: bytes that the NIC moved by this topology's route, and by the other.
counted() {
	local key=p2p_${route}_$1_bytes

	echo "$(nic "$key") $(($(nic "p2p_bus_$1_bytes") + $(nic "p2p_iommu_$1_bytes") - $(nic "$key")))"
}

# moves READ WRITTEN ARGUMENTS...: a copy for which the NIC stores READ bytes to P2P
# memory and fetches WRITTEN from there, by the route of this topology and no other.
moves() {
	local read=$1 written=$2 before after

	shift 2
	before="$(counted write) $(counted read)"
	cp_ok "$@"
	after="$(counted write) $(counted read)"
	echo "NIC: $before, then $after"
	[ "$after" = "$(awk -v r="$read" -v w="$written" '{ print $1 + r, $2, $3 + w, $4 }' <<<"$before")" ]
	[ "$(number_after 'copied by the CPU')" -eq 0 ]
}

to_nfs() {
	moves 0 "$size" --provider "$1" "$disk/f" "$nfs/f"
	[ "$(number_after 'NFS write')" -eq "$size" ]
	equal "$disk/f" "$export/f"
}

from_nfs() {
	moves $((size - size % 512)) 0 --provider "$1" "$nfs/f" "$disk/back"
	[ "$(number_after 'through host memory')" -eq $((size % 512)) ]
	equal "$disk/f" "$disk/back"
	rm "$disk/back"
}

# within FOLDER: from NFS to NFS; the kernel's own figures are those of both mounts.
within() {
	moves "$size" "$size" --provider "$bar" "$nfs/f" "$1/g"
	[ "$(number_after 'NFS read')" -eq "$size" ]
	[ "$(number_after 'NFS write')" -eq "$size" ]
	[ "$(number_after 'through host memory')" -eq 0 ]
	equal "$export/f" "$export/g"
	rm "$1/g"
	nothing_left "$export"
}

# The best provider is chosen among those that all ends reach.
chosen() {
	moves 0 "$size" "$disk/f" "$nfs/g"
	grep -q "peer to peer by $cmb" "$work/out"
	rm "$nfs/g"
}

cmb=$(provider nvme)
bar=$(provider barmem)
readonly cmb bar
lab-nfs up --vers 4.2 --proto rdma >/dev/null
drive_up "$disk"
mount -t nfs -o vers=3,proto=rdma,port=20049,mountproto=tcp,nolock 10.9.9.1:/export "$other"
head -c "$size" /dev/urandom >"$disk/f"
sync

check "to NFS by the CMB" to_nfs "$cmb"
check "to NFS by the BAR" to_nfs "$bar"
check "from NFS by the CMB" from_nfs "$cmb"
check "from NFS by the BAR" from_nfs "$bar"
check "from NFS to NFS, one mount" within "$nfs"
check "from NFS to NFS, two mounts of different versions" within "$other"
check "without --provider the drive's own memory is chosen" chosen
same "DMA faults of the NIC" 0 "$(nic dma_faults)"
umount "$disk" "$other"
lab-nfs down >/dev/null
tap_end
