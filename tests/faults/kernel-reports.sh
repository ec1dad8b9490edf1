#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Does lab/vm notice each kind of report that the debug kernel can make? Each is
# provoked (drivers/plant), so that the pattern is tried on what the kernel really
# prints. Prints TAP; boots the debug guest three times, on this machine.
# shellcheck disable=SC2317 # functions are called through check()
set -euo pipefail

here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
# shellcheck source=tests/lib/tap.sh
. "$here/../lib/tap.sh"
# shellcheck source=lab/lib/report.sh
. "$here/../../lab/lib/report.sh"
readonly vm=$here/../../lab/vm
work=$(mktemp -d)
TAP_LOG=$work/tap
trap 'rm -rf "$work"' EXIT

# Lockdep gives up at its first report, and when KASAN has reported something: so
# these two are in this order.
readonly faults=(rcu lockdep atomic warning refcount list ubsan odebug dma hung kasan)

# run STATUS COMMAND: what lab/vm exits with; LOGS is the folder that it names.
run() {
	local want=$1 got=0

	shift
	"$vm" run --debug --rnic none -- bash -c "$@" >"$work/out" 2>"$work/err" </dev/null || got=$?
	LOGS=$(sed -n 's|.*(log: \(.*\)/console.log).*|\1|p' "$work/err")
	[ "$got" -eq "$want" ] && return 0
	echo "lab/vm exited with $got instead of $want and said:"
	cat "$work/err"
	return 1
}

# All faults in one guest, each behind a line that names it.
provoke() {
	# shellcheck disable=SC2016 # for the guest's shell
	run 99 'echo 10 >/proc/sys/kernel/hung_task_timeout_secs
		for fault; do
			echo "provoked: $fault" >/dev/kmsg
			modprobe plant fault="$fault" || exit
			rmmod plant || exit
		done
		echo "provoked: nothing more" >/dev/kmsg' bash "${faults[@]}"
	cp "$LOGS/dmesg" "$work/dmesg"
}

# provoked FAULT PATTERN: what the kernel said to this fault is a report to
# lab/vm, and it is the expected one.
provoked() {
	awk -v want="provoked: $1" 'index($0, "provoked: ") { show = index($0, want) } show' \
		"$work/dmesg" >"$work/part"
	kernel_reports "$work/part" >"$work/found" || {
		echo "lab/vm would not notice:"
		cat "$work/part"
		return 1
	}
	grep -qE "$2" "$work/found" || { cat "$work/found"; return 1; }
}

leak() {
	run 99 'modprobe plant fault=leak && rmmod plant'
	grep -q 'unreferenced object 0x' "$work/err"
	grep -A 1 '(size 96)' "$LOGS/kmemleak" | grep -q 'comm "modprobe"'
	# The leak, and nothing else.
	! kernel_reports "$LOGS/console.log" "$LOGS/dmesg"
}

silence() { run 0 'modprobe plant fault=none; exit 0'; }

check "a guest without a fault is not reported" silence
check "a guest with faults gives 99" provoke
check "RCU" provoked rcu 'suspicious RCU usage'
check "lockdep" provoked lockdep 'possible circular locking dependency'
check "sleeping in atomic context" provoked atomic 'sleeping function called from invalid context'
check "WARN()" provoked warning 'a planted warning'
check "refcount" provoked refcount 'refcount_t: '
check "list corruption" provoked list 'list_del corruption'
check "UBSAN" provoked ubsan 'UBSAN: shift-out-of-bounds'
check "debug objects" provoked odebug 'ODEBUG: free active'
check "DMA API" provoked dma 'DMA-API: '
check "hung task" provoked hung 'blocked for more than'
check "KASAN" provoked kasan 'BUG: KASAN: .*use-after-free'
check "a leak alone gives 99 and is shown" leak
tap_end
