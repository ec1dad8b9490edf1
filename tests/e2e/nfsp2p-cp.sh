#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# nfsp2p cp and bench: files of awkward sizes, holes, trees; a full destination, a
# server that ends, a provider that goes, signals. Whatever happens, the destination
# is either complete and right, or not there, and no payload passes through host
# memory but what was announced. Prints TAP; runs as root in the lab guest.
# shellcheck disable=SC2317 # functions are called through check()
set -euo pipefail

here=$(dirname "$0")
# shellcheck source=tests/lib/tap.sh
. "$here/../lib/tap.sh"
# shellcheck source=tests/lib/nfsp2p.sh
. "$here/../lib/nfsp2p.sh"

readonly disk=/run/nfsp2p-cp nfs=/mnt/nfs export=/export nfsd=/proc/fs/nfsd
readonly ctl=/sys/kernel/debug/vrnic/vrnic0/ctl payload=$((16 << 20))
readonly work=/tmp/nfsp2p-cp TAP_LOG=/tmp/nfsp2p-cp/log
mkdir -p "$work"

cmb=$(provider nvme)
bar=$(provider barmem)
readonly cmb bar

# stopped: wait until the NIC has stopped where it was told to.
stopped() {
	local i

	for ((i = 0; i < 300; i++)); do
		[ "$(nic paused)" -ne 1 ] || return 0
		sleep 0.1
	done
	echo "waited 30 s for the NIC to stop"
	return 1
}

# begin REQUEST ARGUMENTS...: start a copy, block by block, and let the NIC stop in the
# middle of it: at its 21st "read_inv" (to NFS: iWARP) or "write" (from NFS).
begin() {
	echo "pause $1 20" >"$ctl"
	env --default-signal=INT nfsp2p cp --block 64K --depth 1 "${@:2}" >"$work/out" 2>"$work/err" &
	stopped
}

# go_on: let the NIC work again.
go_on() { echo resume >"$ctl"; }

# try NAME COMMAND...: whatever becomes of it, the NIC works afterwards.
try() {
	check "$@"
	go_on
}

# both_ways SIZE: to NFS and back; the NIC has counted each byte that was not
# announced as the tail that O_DIRECT does not take.
both_ways() {
	local sent received tail

	head -c "$1" /dev/urandom >"$disk/f$1"
	sync
	sent=$(nic p2p_bus_read_bytes) received=$(nic p2p_bus_write_bytes)
	cp_ok --provider "$cmb" "$disk/f$1" "$nfs/"
	[ "$(number_after 'through host memory')" -eq 0 ]
	[ "$(number_after 'copied by the CPU')" -eq 0 ]
	equal "$disk/f$1" "$export/f$1"
	[ $(($(nic p2p_bus_read_bytes) - sent)) -eq "$1" ]
	cp_ok --provider "$bar" "$nfs/f$1" "$disk/back$1"
	tail=$(number_after 'through host memory')
	equal "$disk/f$1" "$disk/back$1"
	[ "$tail" -eq $(($1 % 512)) ]
	[ $(($(nic p2p_bus_write_bytes) - received)) -eq $(($1 - tail)) ]
	rm "$disk/f$1" "$disk/back$1" "$nfs/f$1"
	nothing_left "$nfs"
	nothing_left "$disk"
}

# sparse: 1 GiB, data at odd places only; holes stay holes, in both directions.
sparse() {
	local sent

	rm -f "$disk/s" "$disk/s2"
	truncate -s 1G "$disk/s"
	printf 'here' | dd of="$disk/s" bs=1 seek=12345677 conv=notrunc status=none
	dd if=/dev/urandom of="$disk/s" bs=100001 seek=7001 count=3 conv=notrunc status=none
	sync
	sent=$(nic p2p_bus_read_bytes)
	cp_ok --verify "$disk/s" "$nfs/s"
	sent=$(($(nic p2p_bus_read_bytes) - sent))
	cp_ok --verify "$nfs/s" "$disk/s2"
	echo "NIC took $sent bytes; $(stat -c '%n %b' "$disk/s" "$export/s" "$disk/s2")"
	equal "$disk/s" "$disk/s2"
	[ "$sent" -ge 300007 ]
	[ "$sent" -lt 400000 ]
	[ "$(stat -c %b "$export/s")" -lt 2048 ]
	[ "$(stat -c %b "$disk/s2")" -lt 2048 ]
	rm "$disk/s" "$disk/s2" "$nfs/s"
}

# listing FOLDER: names, modes, times and targets of all that is in it.
listing() { (cd "$1" && find . -printf '%P %m %t %l\n' | sort); }

# tree: 1,000 files, links, a FIFO, a folder that may not be written; a part of it back.
tree() {
	local i dir

	for ((i = 0; i < 1000; i++)); do
		dir=$disk/tree/d$((i % 10))
		[ "$i" -ge 10 ] || mkdir -p "$dir"
		printf '%*s' $((i * 13)) "$i" >"$dir/f$i"
	done
	ln -s ../d1/f1 "$disk/tree/d0/link"
	ln -s nowhere "$disk/tree/d0/dangling"
	mkfifo "$disk/tree/fifo"
	chmod 640 "$disk/tree/d1/f1"
	touch -d 2001-02-03T04:05:06.789 "$disk/tree/d1/f1" "$disk/tree/d2"
	chmod 555 "$disk/tree/d3"
	cp_ok -r --preserve "$disk/tree" "$nfs/"
	grep -q '^nfsp2p cp: 1000 files' "$work/out"
	[ "$(number_after 'through host memory')" -eq 0 ]
	[ "$(number_after 'copied by the CPU')" -eq 0 ]
	[ "$(listing "$disk/tree")" = "$(listing "$export/tree")" ]
	diff -r --no-dereference --exclude fifo "$disk/tree" "$export/tree"
	cp_ok -r --preserve "$nfs/tree/d0" "$disk/tree2"
	echo 1 >/proc/sys/vm/drop_caches
	[ "$(listing "$disk/tree/d0")" = "$(listing "$disk/tree2")" ]
	diff -r --no-dereference "$disk/tree/d0" "$disk/tree2"
	nothing_left "$disk"
	nothing_left "$nfs"
	rm -rf "$disk/tree" "$disk/tree2" "$nfs/tree"
}

refused() {
	cp_fails 1 "is the same file" "$disk/p" "$disk/p"
	cp_fails 1 "is the same file" "$disk/p" "$disk/./p"
	mkdir -p "$disk/dir"
	cp_fails 1 "into itself" -r "$disk/dir" "$disk/dir/sub"
	cp_fails 1 "is a directory" "$disk/dir" "$nfs/"
	cp_fails 1 "neither a file nor a block device" "$disk/p" /dev/null
	cp_fails 1 "No such file" "$disk/nothing" "$nfs/"
	cp_fails 2 "same name" "$disk/p" "$disk/dir/p" "$nfs"
	cp_fails 1 "has no P2P memory" --provider 0000:ff:00.0 "$disk/p" "$nfs/x"
	absent "$nfs/x"
}

full() {
	mount -o remount,size=10M "$export"
	cp_fails 1 "No space left" "$disk/p" "$nfs/full" || { mount -o remount,size=75% "$export"; return 1; }
	mount -o remount,size=75% "$export"
	grep -q 'cannot write at [0-9]' "$work/err"
	absent "$nfs/full"
}

# The old file is what it was until the new one is complete.
replace() {
	echo old >"$nfs/r"
	chmod 600 "$nfs/r"
	begin read_inv "$disk/p" "$nfs/r"
	# By its size: to open it on the server would take the client's delegation back, which
	# does not answer now.
	[ "$(stat -c %s "$export/r")" -eq 4 ] || { echo "replaced too early"; return 1; }
	go_on
	wait $!
	equal "$disk/p" "$export/r"
	[ "$(stat -c %a "$export/r")" = 600 ]
	rm "$nfs/r"
}

# changing: a source that grows while it is copied.
changing() {
	cp "$disk/p" "$disk/c"
	begin read_inv "$disk/c" "$nfs/c"
	echo more >>"$disk/c"
	go_on
	! wait $! || { echo "it did not notice"; return 1; }
	grep -q "was changed while it was copied" "$work/err"
	absent "$nfs/c"
}

# The server ends, and comes back: a hard mount waits for it.
server_restarts() {
	begin read_inv "$disk/p" "$nfs/k"
	go_on
	echo 0 >"$nfsd/threads"
	[ ! -e "$export/k" ] || { echo "was complete too early"; return 1; }
	sleep 1
	printf 'tcp 2049\n' >"$nfsd/portlist"
	printf 'rdma 20049\n' >"$nfsd/portlist"
	echo 8 >"$nfsd/threads"
	echo Y >/proc/fs/lockd/nlm_end_grace
	wait $! || { cat "$work/err"; return 1; }
	cat "$work/out"
	equal "$disk/p" "$export/k"
	[ "$(number_after 'through host memory')" -eq 0 ]
	rm "$nfs/k"
	nothing_left "$nfs"
}

# provider_goes: its driver is unbound while its memory is in use.
provider_goes() {
	local status=0

	begin read_inv --provider "$bar" "$disk/p" "$nfs/u"
	go_on
	echo "$bar" >/sys/bus/pci/drivers/barmem/unbind
	wait $! || status=$?
	echo "$bar" >/sys/bus/pci/drivers/barmem/bind
	cat "$work/out" "$work/err"
	[ "$status" -eq 1 ]
	grep -q "$bar" "$work/err"
	absent "$nfs/u"
}

# end_by SIGNAL: end the copy that begin started. A shell lets its background jobs
# ignore SIGINT, hence env. It waits for what is in flight.
end_by() {
	local status=0

	kill "-$1" $!
	go_on
	wait $! || status=$?
	cat "$work/out" "$work/err"
	echo "status $status"
	[ "$status" -eq $((128 + $(kill -l "$1"))) ]
}

interrupted() {
	begin read_inv "$disk/p" "$nfs/i"
	end_by INT
	grep -q 'the unfinished copy was removed' "$work/err"
	absent "$nfs/i"
	begin write "$nfs/p" "$disk/i"
	end_by TERM
	absent "$disk/i"
}

# recorded REQUEST: let the copy go on until it has something to be resumed with: the
# first block after two seconds makes a record.
recorded() {
	sleep 2.1
	go_on
	echo "pause $1 20" >"$ctl"
	stopped
}

# resumed SIGNAL REQUEST FROM TO: what was done before is not done again, and is right.
resumed() {
	local state moved

	state=$(dirname "$4")/.$(basename "$4").nfsp2p-state
	begin "$2" --resume "$3" "$4"
	[ "$1" != KILL ] || recorded "$2"
	end_by "$1"
	[ ! -e "$4" ]
	tr -s ' ' <"$state"
	cp_ok --resume --verify --block 64K "$3" "$4"
	grep -q "resumed at [1-9]" "$work/err"
	moved=$(sed -n 's/.* \(NFS\|local\) write \([0-9]*\) .*/\2/p' "$work/out")
	[ "$moved" -gt 0 ]
	[ "$moved" -lt "$(stat -c %s "$3")" ]
	equal "$3" "$4"
	nothing_left "$(dirname "$4")"
	# Once complete, it is not copied again.
	cp_ok --resume "$3" "$4"
	grep -q "1 complete before" "$work/out"
	rm "$4"
}

# Another source of the same name: nothing of the first may get into the copy.
resume_other() {
	cp -p "$disk/p" "$disk/o"
	begin read_inv --resume "$disk/o" "$nfs/o"
	recorded read_inv
	end_by KILL
	head -c $((payload / 2)) /dev/urandom >"$disk/o"
	sync
	cp_ok --resume --block 64K "$disk/o" "$nfs/o"
	grep -q "the source is not what it was" "$work/err"
	equal "$disk/o" "$export/o"
	nothing_left "$nfs"
	rm "$disk/o" "$nfs/o"
}

# device: to and from a block device that has no file system.
device() {
	local loop

	modprobe loop
	truncate -s $((payload + (1 << 20))) "$disk/image"
	loop=$(losetup --find --show --direct-io=on "$disk/image")
	cp_ok --mem host --verify "$disk/p" "$loop"
	cmp -n "$payload" "$disk/p" "$loop"
	cp_ok --mem host "$loop" "$nfs/dev"
	cmp "$loop" "$export/dev"
	# No P2P memory for a device that copies: it is refused, and said.
	cp_fails 1 "nothing was bounced" --provider "$cmb" "$disk/p" "$loop"
	losetup -d "$loop"
	rm "$disk/image" "$nfs/dev"
}

bench() {
	local read written

	nfsp2p bench --size 8M --seconds 0.3 --blocks 4K,1M --depths 1,4 "$nfs/b" >"$work/out"
	cat "$work/out"
	[ ! -e "$nfs/b" ]
	! nfsp2p bench "$nfs/p" >"$work/out" 2>"$work/err" || return 1
	grep -q -- '--force overwrites it' "$work/err"
	equal "$disk/p" "$export/p"
	read=$(nic p2p_bus_write_bytes) written=$(nic p2p_bus_read_bytes)
	nfsp2p bench --json --size 8M --seconds 0.3 --blocks 64K --depths 2 "$nfs/b" >"$work/json"
	read=$(($(nic p2p_bus_write_bytes) - read)) written=$(($(nic p2p_bus_read_bytes) - written))
	python3 - "$work/json" "$read" "$written" <<'END'
import json, sys
b = json.load(open(sys.argv[1]))
want = {"read": int(sys.argv[2]), "write": int(sys.argv[3])}
assert b["counted"] and len(b["results"]) == 2
for row in b["results"]:
    what = row["operation"]
    assert row["p2p"]["bytes"] == want[what] == b["p2p_%s_bytes" % what] == b["counted_%s_bytes" % what] > 0, row
    assert row["host"]["bytes"] > 0 and row["block"] == 65536 and row["depth"] == 2
END
}

# no_p2p: a mount that cannot: the reason of check, nothing is made, or a bounce that
# was allowed and is reported.
no_p2p() {
	local reason

	reason=$({ nfsp2p check "$nfs" || true; } | sed -n 's/^ *no: *\([^;]*\).*/\1/p' | head -n 1)
	echo "reason: $reason"
	[ -n "$reason" ]
	cp_fails 1 "$reason" "$disk/p" "$nfs/t"
	absent "$nfs/t"
	cp_ok --allow-bounce "$disk/p" "$nfs/t"
	grep -qF "bounces through host memory: $reason" "$work/err"
	[ "$(number_after 'through host memory')" -eq "$payload" ]
	equal "$disk/p" "$export/t"
	rm "$nfs/t"
}

# switched_off: the kernel says no in the middle, not check.
switched_off() {
	begin read_inv "$disk/p" "$nfs/w"
	echo N >/sys/module/nfs/parameters/p2pdma
	go_on
	! wait $! || { echo "it went on"; echo Y >/sys/module/nfs/parameters/p2pdma; return 1; }
	cat "$work/err"
	grep -q "nothing was bounced" "$work/err"
	absent "$nfs/w"
	cp_ok --allow-bounce "$disk/p" "$nfs/w"
	echo Y >/sys/module/nfs/parameters/p2pdma
	equal "$disk/p" "$export/w"
	rm "$nfs/w"
}

lab-nfs up --vers 4.2 --proto rdma >/dev/null
drive_up "$disk"
head -c "$payload" /dev/urandom >"$disk/p"
sync

for size in 0 1 511 512 4097 1048577; do
	check "a file of $size bytes, both ways" both_ways $size
done
check "1 GiB with holes, data at odd places" sparse
check "a tree of 1,000 files, links and modes" tree
check "what cannot be copied is refused" refused
check "destination full: the reason, and nothing there" full
try "what is replaced is there until the end" replace
try "a source that changes is noticed" changing
try "the server restarts meanwhile" server_restarts
try "the provider goes meanwhile" provider_goes
try "P2PDMA is switched off meanwhile" switched_off
cp "$disk/p" "$export/p"
try "SIGINT and SIGTERM: nothing there" interrupted
try "SIGINT, then --resume, to NFS" resumed INT read_inv "$disk/p" "$nfs/res"
try "SIGKILL, then --resume, to NFS" resumed KILL read_inv "$disk/p" "$nfs/res"
try "SIGKILL, then --resume, from NFS" resumed KILL write "$nfs/p" "$disk/res"
try "--resume with another source" resume_other
check "block devices" device
check "bench" bench
same "P2P memory is free again" "66977792 67108864" \
	"$(cat "/sys/bus/pci/devices/$cmb/p2pmem/available") $(cat "/sys/bus/pci/devices/$bar/p2pmem/available")"
same "DMA faults of the NIC" 0 "$(nic dma_faults)"
lab-nfs up --vers 4.2 --proto tcp >/dev/null
check "TCP: the reason of check, or a bounce that was allowed" no_p2p
umount "$disk"
lab-nfs down >/dev/null
tap_end
