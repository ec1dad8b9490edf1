# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# TAP for tests that are shell scripts. Sourced; the script sets TAP_LOG, a file
# that check() may write, and ends with tap_end.

TAP_NR=0
TAP_FAILED=0

# plan N: how many test points there will be.
plan() {
	TAP_PLAN=$1
	echo "1..$1"
}

# report STATUS NAME: one test point.
report() {
	TAP_NR=$((TAP_NR + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $TAP_NR - $2"
	else
		echo "not ok $TAP_NR - $2"
		TAP_FAILED=1
	fi
}

# same NAME WANTED GOT: a test point that compares two strings.
same() {
	if [ "$2" = "$3" ]; then
		report 0 "$1"
	else
		report 1 "$1"
		printf 'wanted: %s\ngot:    %s\n' "$2" "$3" | sed 's/^/# /'
	fi
}

# attempt COMMAND...: print its status; what it says goes into $TAP_LOG. In a
# condition the shell would ignore a failure in the middle of a function. A file,
# not a pipe: a daemon that the command leaves behind would keep a pipe open.
attempt() {
	local status

	set +e
	(
		set -e
		"$@"
	) >"$TAP_LOG" 2>&1
	status=$?
	set -e
	echo "$status"
}

# check NAME COMMAND...: a test point; what a failing command says is shown.
check() {
	local name=$1 status

	shift
	status=$(attempt "$@")
	report "$status" "$name"
	[ "$status" -eq 0 ] || sed 's/^/# /' "$TAP_LOG"
}

# tap_end: print the plan, for a script that did not begin with it, and exit.
tap_end() {
	[ -n "${TAP_PLAN:-}" ] || echo "1..$TAP_NR"
	exit "$TAP_FAILED"
}
