# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2153 # BUILD, ROOT, REPO come from common.sh
# The debug kernel of a series: Debian's source with the series applied, built
# with lab/debug/config. Source and objects stay in $BUILD/debug/SERIES, so that
# a change of the series compiles what it touches; what lab/vm --debug boots is
# $BUILD/kernel/SERIES-debug.

# Source, objects, modules.
readonly DEBUG_DISK_GIB=5

# debug_make SERIES ARGUMENT...: kbuild in the root. The log is appended to.
debug_make() {
	local series=$1

	shift
	# Nice: a whole kernel takes long, and people work beside it.
	in_root_with_repo nice -n 5 make -C "/mnt/build/debug/$series/source" \
		O="/mnt/build/debug/$series/obj" -j "$(nproc)" "$@" >>"$BUILD/debug/$series/log" 2>&1
}

# debug_make_or_die WHAT SERIES ARGUMENT...: the same, or the first error.
debug_make_or_die() {
	local what=$1 log=$BUILD/debug/$2/log

	shift
	: >"$log"
	debug_make "$@" ||
		die 1 "$what failed: $(grep -E -m 1 'error:|ERROR:|No space left|\*\*\*' "$log" || tail -n 1 "$log") (all of it: $log)"
}

# debug_source SERIES: unpack the kernel source, once per tarball.
debug_source() {
	local dir=$BUILD/debug/$1 tarball=$ROOT/usr/src/linux-source-$1.tar.xz want free

	want=$(stat -c '%s %Y' "$tarball")
	! fresh "$dir/source.stamp" "$want" || return 0
	free=$(df --output=avail -B 1G "$BUILD" | tail -n 1)
	[ "$free" -ge "$DEBUG_DISK_GIB" ] ||
		die 1 "only ${free// /} GiB are free in $BUILD and the debug kernel needs $DEBUG_DISK_GIB: free some, or set BUILD to a folder elsewhere"
	say "unpacking the source of kernel $1"
	as_root rm -rf "$dir"
	mkdir -p "$dir/source" "$dir/obj" "$dir/pristine"
	tar -xJf "$tarball" -C "$dir/source" --strip-components=1 ||
		die 1 "cannot unpack $tarball (disk full?)"
	echo "$want" >"$dir/source.stamp"
}

# debug_patches SERIES: the series, then what only the debug kernel gets.
debug_patches() {
	find "$REPO/series/$1" -name '[0-9]*.patch' ! -name '0000-*' | sort
	find "$REPO/lab/debug" -name '*.patch' | sort
}

# debug_touched SERIES: files that the patches touch, and those that they did at
# an earlier build.
debug_touched() {
	debug_patches "$1" | xargs -r -d '\n' \
		sed -n 's|^+++ b/\([^\t]*\).*|\1|p; s|^--- a/\([^\t]*\).*|\1|p' | sort -u - "$BUILD/debug/$1/touched"
}

# debug_patch SERIES: bring the source to "pristine plus patches". Only files
# whose contents change get a new time stamp, so make leaves the others alone.
# pristine/ keeps the original of each file that a patch ever touched.
debug_patch() {
	local dir=$BUILD/debug/$1 next=$BUILD/debug/$1/next patch file log

	rm -rf "$next"
	mkdir "$next"
	touch "$dir/touched"
	debug_touched "$1" >"$dir/touched.new"
	mv "$dir/touched.new" "$dir/touched"
	while read -r file; do
		mkdir -p "$dir/pristine/$(dirname "$file")" "$next/$(dirname "$file")"
		# An empty file stands for one that Debian's source does not have.
		if [ ! -e "$dir/pristine/$file" ]; then
			cp -p "$dir/source/$file" "$dir/pristine/$file" 2>/dev/null || : >"$dir/pristine/$file"
		fi
		[ ! -s "$dir/pristine/$file" ] || cp -p "$dir/pristine/$file" "$next/$file"
	done <"$dir/touched"
	while read -r patch; do
		log=$(patch -d "$next" -p1 --fuzz=0 --force --no-backup-if-mismatch -i "$patch" 2>&1) ||
			die 1 "$(basename "$patch") does not apply to the source of kernel $1: $(grep -E -m 1 'FAILED|malformed|No file|garbage|can.t find' <<<"$log")"
	done < <(debug_patches "$1")
	while read -r file; do
		if [ ! -e "$next/$file" ]; then
			rm -f "$dir/source/$file"
		elif ! cmp -s "$next/$file" "$dir/source/$file"; then
			mkdir -p "$dir/source/$(dirname "$file")"
			# Not cp -p: make must see that it is new.
			cp "$next/$file" "$dir/source/$file"
		fi
	done <"$dir/touched"
	rm -rf "$next"
}

# debug_config SERIES: all that lab/debug/config asks for must be there: a
# symbol that kconfig drops in silence would be a check that never happens.
debug_config() {
	local dir=$BUILD/debug/$1 missing

	debug_make_or_die "configuring the debug kernel" "$1" \
		KCONFIG_ALLCONFIG=/mnt/repo/lab/debug/config allnoconfig
	missing=$(grep '^CONFIG_' "$REPO/lab/debug/config" | grep -vxFf "$dir/obj/.config" || true)
	[ -z "$missing" ] || die 1 "kernel $1 does not take this of lab/debug/config: ${missing//$'\n'/ }"
}

# debug_install SERIES: put the kernel and its modules where lab/vm looks.
debug_install() {
	local dir=$BUILD/kernel/$1-debug release

	release=$(cat "$BUILD/debug/$1/obj/include/config/kernel.release")
	as_root rm -rf "$dir.tmp"
	mkdir -p "$dir.tmp/patched"
	debug_make_or_die "installing the modules" "$1" INSTALL_MOD_STRIP=1 \
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

	want=$({ debug_patches "$1" | xargs -d '\n' cat; cat "$REPO/lab/debug/config" \
		"$REPO/lab/lib/debug.sh" "$BUILD/kernel/$1/release"; } | hash_of)
	if ! fresh "$BUILD/debug/$1/stamp" "$want" || [ ! -f "$dir/release" ]; then
		mkdir -p "$BUILD/debug"
		debug_source "$1"
		rm -f "$BUILD/debug/$1/stamp"
		debug_patch "$1"
		debug_config "$1"
		say "building the debug kernel $1 (the first time, half an hour on two cores)"
		debug_make_or_die "the debug kernel" "$1" bzImage modules
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
