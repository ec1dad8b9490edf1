# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What all of bench/ begins with. To be sourced; PROG is set.

bench_dir=$(dirname "$(realpath "${BASH_SOURCE[0]}")")/..
for part in common host root; do
	# shellcheck source=/dev/null
	. "$bench_dir/../lab/lib/$part.sh"
done
# shellcheck disable=SC2034 # for those who source this
readonly OUT=$BUILD/bench

# bench_build SERIES: the plugin, the report, and what the guest runs.
bench_build() {
	[ -f "$BUILD/kernel/$1/trees.stamp" ] || die 1 "the lab is not built yet: run 'lab/prepare --kernel $1' first"
	host_ready gcc=gcc jq=jq pkg-config=pkg-config
	pkg-config --exists json-c || host_install libjson-c-dev ||
		die 1 "cannot install libjson-c-dev: see $BUILD/host.log"
	make -s -C "$bench_dir" OUT="$BUILD" host
	in_root_with_repo make -s -C /mnt/repo/bench OUT=/mnt/build guest
}
