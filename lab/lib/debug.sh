# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2153 # BUILD, ROOT, REPO come from common.sh
# The debug kernel of a series: Debian's source with the series applied, built
# with lab/debug/config and lab/debug/SERIES/config. Source and objects stay in $BUILD/debug/SERIES, so that
# a change of the series compiles what it touches; what lab/vm --debug boots is
# $BUILD/kernel/SERIES-debug.

# Source, objects, modules.
readonly DEBUG_DISK_GIB=5

# debug_patches SERIES: the series, then what only the debug kernel gets.
debug_patches() {
	find "$REPO/series/$1" -name '[0-9]*.patch' ! -name '0000-*' | sort
	lab_debug_patches "$1"
}

# debug_wants SERIES: what its configuration has to be.
debug_wants() {
	cat "$REPO/lab/debug/config" "$REPO/lab/debug/$1/config" ||
		die 1 "there is no debug kernel $1: it would take a lab/debug/$1/config"
}

# debug_config SERIES: all that is asked for must be there: a symbol that kconfig
# drops in silence would be a check that never happens.
debug_config() {
	local dir=$BUILD/debug/$1 missing

	debug_wants "$1" >"$dir/config"
	kbuild "configuring the debug kernel" "debug/$1" \
		KCONFIG_ALLCONFIG="/mnt/build/debug/$1/config" allnoconfig
	missing=$(kconfig_lacks "$dir/obj/.config" "$dir/config")
	[ -z "$missing" ] || die 1 "kernel $1 does not take this of lab/debug: ${missing//$'\n'/ }"
}

# debug_install SERIES: put the kernel and its modules where lab/vm looks.
debug_install() {
	local dir=$BUILD/kernel/$1-debug release

	release=$(cat "$BUILD/debug/$1/obj/include/config/kernel.release")
	as_root rm -rf "$dir.tmp"
	mkdir -p "$dir.tmp/patched"
	kbuild "installing the modules" "debug/$1" INSTALL_MOD_STRIP=1 \
		INSTALL_MOD_PATH="/mnt/build/kernel/$1-debug.tmp/patched" modules_install
	own -R "$dir.tmp"
	cp "$BUILD/debug/$1/obj/arch/x86/boot/bzImage" "$dir.tmp/vmlinuz"
	echo "$release" >"$dir.tmp/release"
	as_root rm -rf "$dir"
	mv "$dir.tmp" "$dir"
	# The drivers were built for the kernel before.
	rm -f "$BUILD/drivers/$1-debug/stamp"
}

# debug_kernel SERIES: make $BUILD/kernel/SERIES-debug, unless it is there and
# fits. What is interrupted goes on where it was.
debug_kernel() {
	local dir=$BUILD/kernel/$1-debug want

	want=$({ debug_patches "$1" | xargs -d '\n' cat; debug_wants "$1"
		cat "$REPO/lab/lib/debug.sh" "$BUILD/kernel/$1/release"; } | hash_of)
	if ! fresh "$BUILD/debug/$1/stamp" "$want" || [ ! -f "$dir/release" ]; then
		mkdir -p "$BUILD/debug"
		ksource_unpack "$BUILD/debug/$1" "$1" "$DEBUG_DISK_GIB"
		rm -f "$BUILD/debug/$1/stamp"
		debug_patches "$1" | ksource_patch "$BUILD/debug/$1"
		debug_config "$1"
		say "building the debug kernel $1 (the first time, half an hour on two cores)"
		kbuild "the debug kernel" "debug/$1" bzImage modules
		debug_install "$1"
		echo "$want" >"$BUILD/debug/$1/stamp"
	fi
	initramfs "$1-debug" patched
	drivers_build "$1-debug" "/mnt/build/debug/$1/obj"
	debug_tree "$1"
}

# debug_tree SERIES: the lab's drivers join the modules.
debug_tree() {
	local dir=$BUILD/kernel/$1-debug want release lab_nfsd

	release=$(cat "$dir/release")
	lab_nfsd=$dir/patched/lib/modules/$release/lab-debug
	want=$(cat "$BUILD/drivers/$1-debug/stamp" "$BUILD/debug/$1/stamp" | hash_of)
	! fresh "$dir/trees.stamp" "$want" || return 0
	rm -f "$dir/trees.stamp"
	tree_updates "$dir/patched" "$release" lab "$BUILD/drivers/$1-debug"/*/src/*.ko
	rm -rf "$lab_nfsd"
	depmod -b "$dir/patched" "$release"
	# lab-nfs up --pnfs looks for it there; this kernel's only nfsd is the one.
	mkdir "$lab_nfsd"
	ln -s ../kernel/fs/nfsd/nfsd.ko "$lab_nfsd/"
	echo "$want" >"$dir/trees.stamp"
}
