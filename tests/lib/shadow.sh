# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A folder of builds like the main one, in which only the modules of the series
# are others: for tests of the tests, and of a series patch by patch. lab/vm and
# tests/run find it through $BUILD. Sourced, after lab/lib/common.sh.

# shadow_make DIR KERNEL: all that is the same is linked.
shadow_make() {
	local from=$BUILD/kernel/$2 to=$1/kernel/$2 part

	[ -d "$from/patched" ] || die 1 "the lab is not built yet: run 'make lab' first"
	mkdir -p "$to" "$1/log"
	for part in root guest; do
		ln -sfn "$BUILD/$part" "$1/$part"
	done
	for part in "$from"/*; do
		[ "$(basename "$part")" = patched ] || ln -sfn "$part" "$to/$(basename "$part")"
	done
}

# shadow_modules DIR KERNEL SERIES [PATCH]: modules of the patches in the folder
# SERIES, with PATCH on top, in a tree of their own.
shadow_modules() {
	local dir=$1 to=$1/kernel/$2/patched release updates

	"$REPO/packaging/build-modules" --series "$3" --root "$ROOT" --work "$dir/work" --out "$dir/out" \
		${4:+--extra "$4"} || return
	release=$(cat "$dir/kernel/$2/release")
	updates=$to/lib/modules/$release/updates/nfs-p2pdma
	as_root rm -rf "$to"
	# Hard links: replace files, never write into them.
	as_root cp -al "$BUILD/kernel/$2/patched" "$to"
	as_root rm -rf "$updates"
	as_root mkdir -p "$updates"
	as_root cp "$dir/out"/*.ko "$updates/"
	as_root rm -f "$to/lib/modules/$release"/modules.{dep,alias,symbols}{,.bin}
	as_root depmod -b "$to" "$release"
}
