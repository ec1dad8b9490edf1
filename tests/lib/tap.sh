# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# TAP for tests that are shell scripts. Sourced; end with tap_end.

TAP_NR=0
TAP_FAILED=0

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

# check NAME COMMAND...: a test point; what a failing command says is shown. A
# function ends at its first failing command, which errexit does only outside of
# conditions.
check() {
	local name=$1 status said

	shift
	set +e
	said=$(
		set -e
		"$@" 2>&1
	)
	status=$?
	set -e
	report "$status" "$name"
	[ "$status" -eq 0 ] || printf '# %s\n' "${said//$'\n'/$'\n'# }"
}

# tap_end: print the plan and exit.
tap_end() {
	echo "1..$TAP_NR"
	exit "$TAP_FAILED"
}
