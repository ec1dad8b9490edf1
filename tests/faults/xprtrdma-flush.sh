#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# RPCs that wait for their replies are killed by umount -f, and the connection
# is lost before their memory regions could be invalidated. The memory must have
# been unmapped by the time that the RPCs end, since it may be released then; it
# is not enough to do that when the connection is torn down. Prints TAP; runs as
# root in the lab guest.
# shellcheck disable=SC2317 # most functions are called through check()
set -euo pipefail

# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"

readonly ctl=/sys/kernel/debug/vrnic/vrnic0/ctl tracing=/sys/kernel/tracing mount=/mnt/nfs
readonly work=/tmp/xprtrdma-flush TAP_LOG=/tmp/xprtrdma-flush/log
readonly EVENTS='xprtrdma_wc_li xprtrdma_wc_li_wake xprtrdma_wc_li_done xprtrdma_mr_unmap'

# Small regions, several for an RPC. With these options neither opening nor
# reading the file needs an RPC other than READ.
prepare() {
	modprobe vrnic max_fr=32
	lab-nfs up --vers 3 -o nocto,actimeo=600
	dd if=/dev/urandom of=/export/file bs=1M count=1 status=none
	chmod 666 /export/file
	dd if="$mount/file" of=/dev/null bs=4k count=1 iflag=direct status=none
}

trace() {
	local event

	mountpoint -q "$tracing" || mount -t tracefs tracefs "$tracing"
	for event in $EVENTS; do
		echo 1 >"$tracing/events/rpcrdma/$event/enable"
	done
}

killed_and_flushed() {
	local reader

	exec 4<"$mount/file"
	echo pause >"$ctl"
	dd of=/dev/null bs=1M count=1 iflag=direct status=none <&4 &
	reader=$!
	sleep 1
	# It is busy; what counts is that this ends the RPCs.
	umount -i -f "$mount" || true
	sleep 1
	echo kill >"$ctl"
	if wait "$reader"; then
		echo "dd succeeded"
		return 1
	fi
	exec 4<&-
	echo resume >"$ctl"
	grep -v '^#' "$tracing/trace" >"$work/trace"
	cat "$work/trace"
}

flushed() { grep -c 'xprtrdma_wc_li.*status=WR_FLUSH_ERR' "$work/trace"; }

# The completion handler of a region unmaps it, in the same thread and before it
# gets to the next region; it is called once.
unmapped_at_once() {
	awk '
		/xprtrdma_wc_li/ && /WR_FLUSH_ERR/ {
			match($0, /mr\.id=[0-9]+/)
			id = substr($0, RSTART, RLENGTH)
			if (seen[id]++)
				bad = bad " " id " completed twice;"
			if (open)
				bad = bad " " open " still mapped;"
			open = id
		}
		/xprtrdma_mr_unmap/ && open && index($0, " " open " ") { open = "" }
		END {
			if (open)
				bad = bad " " open " still mapped;"
			print bad
			exit bad != ""
		}' "$work/trace"
}

trap 'rm -rf $work' EXIT
mkdir -p $work
plan 5
check "a mount with small memory regions" prepare
check "tracing" trace
check "direct reads are killed, their connection is lost" killed_and_flushed
check "their invalidations were flushed" flushed
check "each region was unmapped at once, once" unmapped_at_once
lab-nfs down >/dev/null
tap_end
