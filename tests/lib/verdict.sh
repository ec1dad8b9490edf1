# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The judgement over many TAP files. Sourced by tests/run and tests/run-debug.

# details FILE...: what failed and why, and why something was skipped.
details() {
	awk '
		FNR == 1 { n = split(FILENAME, part, "/"); sub(/\.tap$/, "", part[n])
			   where = part[n - 1] "/" part[n] }
		/^# skip: / { reason = substr($0, 9) }
		/ # SKIP/ { print "skipped: " where ": " $0 (reason ? " (" reason ")" : ""); reason = "" }
		/^not ok / { print "FAILED: " where ": " $0; show = 1; next }
		/^ok / { show = 0 }
		show && /^#/ { print "    " $0 }' "$@"
}

# verdict FILE...: prove's judgement, details, and the line that sums it all up.
verdict() {
	local failed=0

	prove --exec cat --merge "$@" || failed=1
	details "$@"
	awk '/^ok .*# SKIP/ { skipped++; next } /^ok / { passed++ } /^not ok / { failed++ }
		END { printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped }' "$@"
	return "$failed"
}
