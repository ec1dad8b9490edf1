# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # sourced: the users are elsewhere
# A series, patch by patch. Sourced by tests/series/build and tests/series/e2e.

# parse_kernel ARGUMENT...: set KERNEL from --kernel.
parse_kernel() {
	local parsed

	parsed=$(getopt -n "$PROG" -o '' -l kernel:,help -- "$@" 2>&1) ||
		usage_error "$(head -n 1 <<<"$parsed" | sed "s|^$PROG: ||")"
	eval "set -- $parsed"
	while [ "$1" != -- ]; do
		case $1 in
		--help) usage; exit 0 ;;
		--kernel) KERNEL=$2; shift ;;
		esac
		shift
	done
	shift
	[ $# -eq 0 ] || usage_error "'$1': only options are taken"
	[ -d "$REPO/series/$KERNEL" ] || usage_error "--kernel $KERNEL: there is no series/$KERNEL"
}

# series_patches KERNEL: set PATCHES, and see that each group's end is there.
series_patches() {
	local subject subjects

	mapfile -t PATCHES < <(find "$REPO/series/$1" -name '[0-9]*.patch' ! -name '0000-*' | sort)
	subjects=$(subject_list)
	while IFS=$'\t' read -r _ subject; do
		grep -qxF "$subject" <<<"$subjects" ||
			die 1 "tests/series/groups: no patch of series/$1 is called '$subject'"
	done < <(group_lines)
}

group_lines() { grep -v '^#' "$REPO/tests/series/groups"; }

# subject PATCH: also where git has folded it.
subject() {
	sed -n '/^Subject: /,/^$/{s/^Subject: \[PATCH[^]]*\] //;s/^Subject: //;/^$/q;p}' "$1" | tr -d '\n'
}

subject_list() {
	local patch

	for patch in "${PATCHES[@]}"; do
		subject "$patch"
		echo
	done
}

# group_of PATCH: the group that ends with it; fails if none does.
group_of() {
	group_lines | awk -F '\t' -v subject="$(subject "$1")" '$2 == subject { print $1; found = 1 } END { exit !found }'
}

# prefix_hash NUMBER: stands for what the patches up to this one change, whatever they
# say of it, and for how they are tried.
prefix_hash() {
	{
		sed -s '1,/^---$/d' "${PATCHES[@]:0:$1+1}"
		cat "$0" "$REPO/tests/series/lib.sh"
	} | hash_of
}
