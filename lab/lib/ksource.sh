# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2153 # ROOT comes from common.sh
# A kernel source that patches come and go in, for builds that go on where they
# were: only files whose contents change get a new time stamp. A folder DIR has
# source/, pristine/ with the original of each file that a patch ever touched,
# and touched, their names.

# ksource_unpack DIR SERIES GIB: the source of a kernel in DIR/source, once per
# tarball; what was built from another one goes. GIB is what DIR will need.
ksource_unpack() {
	local dir=$1 tarball=$ROOT/usr/src/linux-source-$2.tar.xz want free

	want=$(stat -c '%s %Y' "$tarball")
	! fresh "$dir/source.stamp" "$want" || return 0
	free=$(df --output=avail -B 1G "$BUILD" | tail -n 1)
	[ "$free" -ge "$3" ] ||
		die 1 "only ${free// /} GiB are free in $BUILD and $dir needs $3: free some, or set BUILD to a folder elsewhere"
	say "unpacking the source of kernel $2"
	as_root rm -rf "$dir"
	mkdir -p "$dir/source" "$dir/obj" "$dir/pristine"
	tar -xJf "$tarball" -C "$dir/source" --strip-components=1 ||
		die 1 "cannot unpack $tarball (disk full?)"
	echo "$want" >"$dir/source.stamp"
}

# kbuild WHAT DIR ARGUMENT...: make, in the root, of the kernel whose source is in
# $BUILD/DIR. What it prints is in log there. Ends with the first error.
kbuild() {
	local what=$1 dir=$2 log=$BUILD/$2/log

	shift 2
	# Nice: a whole kernel takes long, and people work beside it.
	in_root_with_repo nice -n 5 make -C "/mnt/build/$dir/source" O="/mnt/build/$dir/obj" -j "$(nproc)" "$@" >"$log" 2>&1 ||
		die 1 "$what failed: $(grep -E -m 1 'error:|ERROR:|No space left|\*\*\*' "$log" || tail -n 1 "$log") (all of it: $log)"
}

# lab_debug_patches SERIES: those of lab/debug for that series. One in the folder of its
# name takes the place of the other.
lab_debug_patches() {
	local patch own

	for patch in "$REPO/lab/debug"/*.patch; do
		own=$REPO/lab/debug/$1/$(basename "$patch")
		if [ -f "$own" ]; then echo "$own"; else echo "$patch"; fi
	done
}

# ksource_names: what the patches named on standard input change.
ksource_names() {
	xargs -r -d '\n' sed -n 's|^+++ b/\([^\t]*\).*|\1|p; s|^--- a/\([^\t]*\).*|\1|p' | sort -u
}

# ksource_patch DIR: bring DIR/source to "pristine plus the patches" that
# standard input names, in that order.
ksource_patch() {
	local dir=$1 next=$1/next patch file log patches

	mapfile -t patches
	rm -rf "$next"
	mkdir "$next"
	touch "$dir/touched"
	{ [ ${#patches[@]} -eq 0 ] || printf '%s\n' "${patches[@]}"; } |
		ksource_names | sort -u - "$dir/touched" >"$dir/touched.new"
	mv "$dir/touched.new" "$dir/touched"
	while read -r file; do
		mkdir -p "$dir/pristine/$(dirname "$file")" "$next/$(dirname "$file")"
		# An empty file stands for one that Debian's source does not have.
		if [ ! -e "$dir/pristine/$file" ]; then
			cp -p "$dir/source/$file" "$dir/pristine/$file" 2>/dev/null || : >"$dir/pristine/$file"
		fi
		[ ! -s "$dir/pristine/$file" ] || cp -p "$dir/pristine/$file" "$next/$file"
	done <"$dir/touched"
	for patch in "${patches[@]}"; do
		log=$(patch -d "$next" -p1 --fuzz=0 --force --no-backup-if-mismatch -i "$patch" 2>&1) ||
			die 1 "$(basename "$patch") does not apply to $dir/source: $(grep -E -m 1 'FAILED|malformed|No file|garbage|can.t find' <<<"$log")"
	done
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

# kconfig_lacks CONFIG FRAGMENT...: print what the fragments ask for and CONFIG
# does not have: a symbol that kconfig drops in silence would never be built.
kconfig_lacks() {
	local config=$1 line

	shift
	while read -r line; do
		case $line in
		CONFIG_*) grep -qxF "$line" "$config" || echo "$line" ;;
		# It may be missing altogether.
		'# CONFIG_'*' is not set') ! grep -q "^${line:2:-11}=" "$config" || echo "$line" ;;
		esac
	done < <(cat "$@")
}
