# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # the script sets $work
# What tests of nfsp2p cp have in common. To be sourced in the lab guest, behind
# tap.sh; the script sets $work, a folder for logs.

# provider DRIVER: address of its first device that has P2P memory.
provider() { lab-p2p list | awk -v drv="$1" '$4 == drv { print $1; exit }'; }

# nic KEY: a counter of the NIC of the client and the server.
nic() { awk -v key="$1" '$1 == key { print $2 }' /sys/kernel/debug/vrnic/vrnic0/stats; }

# number_after TEXT: the number that follows it in the line of evidence.
number_after() { sed -n "s/.*$1 \([0-9]*\).*/\1/p" "$work/out"; }

# cp_ok ARGUMENTS...: it succeeds, and says so in one line.
cp_ok() {
	nfsp2p cp "$@" >"$work/out" 2>"$work/err" || { cat "$work/out" "$work/err"; return 1; }
	cat "$work/out" "$work/err"
	[ "$(wc -l <"$work/out")" -eq 1 ]
}

# cp_fails STATUS TEXT ARGUMENTS...: it fails, and says why.
cp_fails() {
	local status=0 wanted=$1 text=$2

	shift 2
	nfsp2p cp "$@" >"$work/out" 2>"$work/err" || status=$?
	cat "$work/out" "$work/err"
	[ "$status" -eq "$wanted" ] && grep -qF -- "$text" "$work/err"
}

# equal A B: from the device and the server, not from anybody's cache.
equal() {
	sync
	echo 1 >/proc/sys/vm/drop_caches
	cmp "$1" "$2"
}

# nothing_left FOLDER: no temporary file, no record.
nothing_left() {
	local left

	left=$(find "$1" -name '.*nfsp2p-*')
	[ -z "$left" ] || { echo "left behind: $left"; return 1; }
}

# absent FILE: neither it nor anything of it.
absent() { [ ! -e "$1" ] && nothing_left "$(dirname "$1")"; }

# drive_up FOLDER: a file system on the NVMe drive.
drive_up() {
	mkdir -p "$1"
	mkfs.ext4 -q -E nodiscard /dev/nvme0n1
	mount /dev/nvme0n1 "$1"
}
