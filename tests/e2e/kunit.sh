#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The KUnit tests of the series, on the debug kernel: each case, and each
# parameter of a case, is a test point.
set -euo pipefail

readonly debugfs=/sys/kernel/debug
readonly suites='nfs-pagelist nfs-p2pdma'

mountpoint -q "$debugfs" || mount -t debugfs debugfs "$debugfs"
modprobe nfs_kunit
for suite in $suites; do
	cat "$debugfs/kunit/$suite/results"
done | awk '
	# The line of a case repeats the verdict of its parameters; that of a suite
	# is not indented.
	match($0, /^ +(not )?ok [0-9]+ /) {
		line = substr($0, RSTART, RLENGTH)
		printf "%sok %d - %s\n", (line ~ /not ok/ ? "not " : ""), ++n, substr($0, RLENGTH + 1)
		next
	}
	# Why a case failed.
	/^ *# / { sub(/^ */, ""); print }
	END { print "1.." n + 0 }'
