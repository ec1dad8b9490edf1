#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# nfsp2p under valgrind: what it reads and never set, what it leaks, what it touches
# and does not own. What the commands do is for nfsp2p-check and nfsp2p-cp.sh, which run
# it with the sanitizers of the compiler; they see neither the first nor what the
# libraries do. Copies are through host memory: valgrind 3.24 looks for debugging
# information in each file that is mapped, and ends when p2pmem/allocate has none to
# read. Prints TAP; runs as root in the lab guest.
# shellcheck disable=SC2317 # functions are called through check()
set -euo pipefail

here=$(dirname "$0")
# shellcheck source=tests/lib/tap.sh
. "$here/../lib/tap.sh"
# shellcheck source=tests/lib/nfsp2p.sh
. "$here/../lib/nfsp2p.sh"

readonly disk=/run/nfsp2p-valgrind nfs=/mnt/nfs export=/export
readonly ctl=/sys/kernel/debug/vrnic/vrnic0/ctl
readonly work=/tmp/nfsp2p-valgrind TAP_LOG=/tmp/nfsp2p-valgrind/log
mkdir -p "$work"

cmb=$(provider nvme)
readonly cmb
tool=$(command -v nfsp2p)
# No status of nfsp2p's is 99.
readonly under=(valgrind --quiet --error-exitcode=99 --leak-check=full "--show-leak-kinds=definite,indirect"
	"--errors-for-leak-kinds=definite,indirect" "--log-file=$work/valgrind.%p" "$tool")

# nfsp2p: what the functions of lib/nfsp2p.sh call.
nfsp2p() {
	local status=0

	rm -f "$work"/valgrind.*
	"${under[@]}" "$@" || status=$?
	cat "$work"/valgrind.* >&2
	return "$status"
}

# says STATUS TEXT ARGUMENTS...: a command that ends with this status.
says() {
	local status=0 wanted=$1 text=$2

	shift 2
	nfsp2p "$@" >"$work/out" 2>"$work/err" || status=$?
	cat "$work/out" "$work/err"
	[ "$status" -eq "$wanted" ] && grep -qF -- "$text" "$work/out" "$work/err"
}

both_ways() {
	head -c 1048577 /dev/urandom >"$disk/f"
	sync
	cp_ok --verify --mem host "$disk/f" "$nfs/f"
	equal "$disk/f" "$export/f"
	cp_ok --mem host "$nfs/f" "$disk/back"
	equal "$disk/f" "$disk/back"
	rm "$disk/f" "$disk/back" "$nfs/f"
}

tree() {
	mkdir -p "$disk/tree/sub"
	for ((i = 0; i < 20; i++)); do head -c $((i * 999)) /dev/urandom >"$disk/tree/sub/f$i"; done
	ln -s nowhere "$disk/tree/dangling"
	cp_ok -r --preserve --mem host "$disk/tree" "$nfs/"
	diff -r --no-dereference "$disk/tree" "$export/tree"
	rm -r "$disk/tree" "$nfs/tree"
}

refused() {
	cp_fails 1 "No such file" "$disk/nothing" "$nfs/"
	cp_fails 1 "has no P2P memory" --provider 0000:ff:00.0 "$disk/p" "$nfs/x"
}

# ended: by a signal in the middle of it, and gone on with.
ended() {
	local status=0 pid i

	echo "pause read_inv 20" >"$ctl"
	"${under[@]}" cp --mem host --resume --block 64K --depth 1 "$disk/p" "$nfs/p" >"$work/out" 2>"$work/err" &
	pid=$!
	for ((i = 0; i < 600 && $(nic paused) != 1; i++)); do sleep 0.1; done
	kill -TERM "$pid"
	echo resume >"$ctl"
	wait "$pid" || status=$?
	cat "$work/out" "$work/err" "$work"/valgrind.*
	[ "$status" -eq 143 ]
	[ ! -s "$work/valgrind.$pid" ]
	cp_ok --mem host --resume --verify "$disk/p" "$nfs/p"
	equal "$disk/p" "$export/p"
}

no_p2p() {
	says 1 "tcp" cp "$disk/p" "$nfs/t"
	cp_ok --allow-bounce "$disk/p" "$nfs/t"
	equal "$disk/p" "$export/t"
}

lab-nfs up --vers 4.2 --proto rdma >/dev/null
drive_up "$disk"
head -c $((4 << 20)) /dev/urandom >"$disk/p"
sync

check "list --json" says 0 "$cmb" list --json
check "check" says 0 "yes" check "$nfs"
check "check --json" says 0 "$cmb" check --json
check "an unknown option" says 2 "" check --nonsense
check "cp: a MiB and a byte, both ways" both_ways
check "cp: a tree" tree
check "cp: what cannot be copied" refused
check "cp: SIGTERM, then --resume" ended
lab-nfs up --vers 4.2 --proto tcp >/dev/null
check "cp, TCP: refused, then bounced" no_p2p
umount "$disk"
lab-nfs down >/dev/null
tap_end
