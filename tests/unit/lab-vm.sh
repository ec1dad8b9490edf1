#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Does lab/vm keep its word: options, argument vector, output, exit status?
# Prints TAP; boots the guest five times. $SCRATCH may name a folder to use.
# shellcheck disable=SC2317 # functions are called through check()
set -euo pipefail

here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
# shellcheck source=tests/lib/tap.sh
. "$here/../lib/tap.sh"
readonly vm=$here/../../lab/vm
work=$(mktemp -d)
TAP_LOG=$work/tap
trap 'rm -rf "$work"' EXIT

# run STATUS ARGUMENT...: lab/vm's output goes to $work/{out,err}.
run() {
	local want=$1 got=0

	shift
	"$vm" "$@" >"$work/out" 2>"$work/err" </dev/null || got=$?
	[ "$got" -eq "$want" ] && return 0
	echo "lab/vm $* exited with $got instead of $want and said:"
	cat "$work/err"
	return 1
}

# refused WORD ARGUMENT...: usage error, one line with lab/vm's prefix on
# stderr that names the culprit, nothing on stdout.
refused() {
	local word=$1

	shift
	run 2 "$@"
	[ ! -s "$work/out" ]
	[ "$(wc -l <"$work/err")" -eq 1 ]
	grep -q "^lab/vm: .*$word" "$work/err"
}

bad_usage() {
	check "no command word" refused "run" nothing
	check "unknown option" refused bogus run --bogus -- true
	check "no stock modules on the debug kernel" refused debug run --debug --nfs stock -- true
	check "unknown kernel" refused 5.10 run --kernel 5.10 -- true
	check "unknown modules" refused purple run --nfs purple -- true
	check "unknown topology" refused ring run --topology ring -- true
	check "unknown RNIC" refused mlx5 run --rnic mlx5 -- true
	check "no number of CPUs" refused 0 run --cpus 0 -- true
	check "no size of memory" refused lots run --mem lots -- true
	check "no time-out" refused soon run --timeout soon -- true
	check "no folder to share" refused /nowhere run --share /nowhere -- true
	check "icount with two CPUs" refused icount run --icount --cpus 2 -- true
	check "no command" refused command run
	check "missing value" refused timeout run --timeout
}

# dry_run PATTERN ARGUMENT...: the QEMU command fits an extended regexp.
dry_run() {
	local pattern=$1

	shift
	run 0 run --dry-run "$@" -- true
	grep -qE -- "$pattern" "$work/out" || { cat "$work/out"; return 1; }
}

dry_runs() {
	check "dry run: QEMU is named" dry_run '^(.*/)?qemu-system-x86_64 '
	check "dry run: switch" dry_run 'xio3130-downstream' --topology switch
	check "dry run: host bridge" dry_run '-cpu EPYC' --topology hostbridge
	check "dry run: mixed" dry_run 'edu,id=edu1,bus=rp2' --topology mixed
	check "dry run: unreachable" dry_run '-cpu Haswell' --topology unreachable
	check "dry run: IOMMU" dry_run 'intel-iommu.*iommu\.strict=1' --topology iommu
	check "dry run: icount" dry_run '-icount shift=0,sleep=off.* -smp 1( |$)' --icount
	check "dry run: CPUs and memory" dry_run '-smp 3 -m 3G' --cpus 3 --mem 3G
	check "dry run: kernel arguments" dry_run 'swiotlb=force' --append "swiotlb=force"
	check "dry run: QEMU arguments" dry_run '-device pvpanic' --qemu "-device pvpanic"
}

# What the guest's script prints is checked byte by byte.
arguments() {
	# shellcheck disable=SC1003,SC2016 # these must arrive as they are
	local -r odd=(simple 'two words' "single ' and double \"" $'new\nline' '$HOME `id` \' '' '*')

	# shellcheck disable=SC2016 # for the guest's shell
	run 42 run --nfs stock -- bash -c 'printf "%s\0" "$@"; echo "to stderr" >&2; exit 42' zero "${odd[@]}"
	printf '%s\0' "${odd[@]}" >"$work/want"
	cmp "$work/want" "$work/out"
	grep -qx 'to stderr' "$work/err"
	[ "$(grep -vc '^lab/vm: ' "$work/err")" -eq 1 ]
}

no_carriage_return() {
	run 0 run --nfs stock --share "$work" -- bash -c \
		'printf "line 1\nline 2\n"; id -u; echo from the guest >/share/new; ls /repo/lab/vm; touch /out/x; ! touch /repo/x 2>/dev/null'
	printf 'line 1\nline 2\n0\n/repo/lab/vm\n' | cmp - "$work/out"
	[ "$(cat "$work/new")" = "from the guest" ]
}

kernel_panic() {
	run 99 run --nfs stock -- bash -c 'echo c >/proc/sysrq-trigger'
	grep -q 'sysrq triggered crash' "$work/err"
}

# A report that the kernel survives, and a command that succeeds all the same.
kernel_report() {
	run 99 run --nfs stock -- bash -c \
		'echo "<4>WARNING: CPU: 0 PID: 1 at fs/nfs/direct.c:1 nfs_test+0x1/0x2" >/dev/kmsg'
	grep -q 'nfs_test' "$work/err"
}

time_out() {
	run 124 run --nfs stock --timeout 20 -- sleep 100
	grep -q '^lab/vm: .*20 s' "$work/err"
}

bad_usage
dry_runs
check "exit status, arguments and both outputs pass through" arguments
check "root, clean lines, /repo, /out, /share" no_carriage_return
check "a kernel panic gives 99 and is shown" kernel_panic
check "a kernel warning gives 99 although the command succeeded" kernel_report
check "a guest that hangs gives 124" time_out
tap_end
