# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The two module trees of a kernel: Debian's own ("stock") and the same with
# the series' modules on top ("patched"). Both have the lab's drivers. depmod
# prefers modules below updates/ (man 5 depmod.d, built-in search order).

# drivers_build SERIES [KBUILD]: compile drivers/* into $BUILD/drivers/SERIES.
# KBUILD, a path in the root, is the build folder of a kernel that is not Debian's.
drivers_build() {
	local series=$1 kbuild=${2:-} release work name want

	release=$(cat "$BUILD/kernel/$series/release")
	kbuild=${kbuild:-/usr/src/linux-headers-$release}
	work=$BUILD/drivers/$series
	want=$(cd "$REPO/drivers" && find . -type f \( -name '*.[ch]' -o -name Kbuild \) -print0 | sort -z |
		xargs -0 sha256sum | cat - <(echo "$release") | hash_of)
	! fresh "$work/stamp" "$want" || return 0
	as_root rm -rf "$work/stamp"
	mkdir -p "$work"
	for name in vrnic barmem plant kernio; do
		say "building the lab driver $name"
		# A copy: nothing is written beside the sources.
		as_root rm -rf "$work/$name/src"
		mkdir -p "$work/$name/src"
		cp "$REPO/drivers/$name"/*.[ch] "$REPO/drivers/$name/Kbuild" "$work/$name/src/"
		in_root_with_repo make -s -C "$kbuild" \
			M="/mnt/build/drivers/$series/$name/src" modules >"$work/$name/log" 2>&1 ||
			die 1 "drivers/$name does not compile: $(grep -E -m 1 'error:|ERROR:|\*\*\*' "$work/$name/log" || echo "see $work/$name/log")"
	done
	echo "$want" >"$work/stamp"
}

# series_build SERIES: run the builder into $BUILD/modules/SERIES/out.
series_build() {
	local series=$1 dir=$BUILD/modules/$1 want

	want=$(cat "$REPO/series/$series"/*.patch "$REPO/packaging/build-modules" "$REPO/packaging/lib"/*.sh \
		"$BUILD/kernel/$series/release" <(head -n 1 "$REPO/packaging/debian/changelog") | hash_of)
	! fresh "$dir/stamp" "$want" || return 0
	mkdir -p "$dir"
	rm -f "$dir/stamp"
	"$REPO/packaging/build-modules" --root "$ROOT" --series "$REPO/series/$series" \
		--kernel "$(cat "$BUILD/kernel/$1/release")" --work "$dir/work" --out "$dir/out"
	echo "$want" >"$dir/stamp"
}

# nfsd_debug_build SERIES: knfsd of the series with the patches of lab/debug, for
# servers that Debian's nfsd is not. Only nfsd itself is compiled, from a copy.
nfsd_debug_build() {
	local dir=$BUILD/modules/$1 extra=() want patch patches

	mapfile -t patches < <(lab_debug_patches "$1")
	want=$(cat "$dir/stamp" "${patches[@]}" | hash_of)
	! fresh "$dir/debug.stamp" "$want" || return 0
	rm -f "$dir/debug.stamp"
	say "building nfsd with the patches of lab/debug"
	for patch in "${patches[@]}"; do
		extra+=(--extra "$patch")
	done
	as_root rm -rf "$dir/debug-work"
	as_root cp -a "$dir/work" "$dir/debug-work"
	mkdir -p "$dir/debug-out"
	"$REPO/packaging/build-modules" --root "$ROOT" --series "$REPO/series/$1" \
		--kernel "$(cat "$BUILD/kernel/$1/release")" --work "$dir/debug-work" --out "$dir/debug-out" "${extra[@]}"
	as_root rm -rf "$dir/debug-work"
	echo "$want" >"$dir/debug.stamp"
}

# tree_updates TREE RELEASE SUBDIR KO...: replace updates/SUBDIR in a tree.
tree_updates() {
	local dir=$1/lib/modules/$2/updates/$3

	shift 3
	rm -rf "$dir"
	mkdir -p "$dir"
	cp "$@" "$dir/"
}

# trees_update SERIES: put drivers and series modules into the trees.
trees_update() {
	local dir=$BUILD/kernel/$1 release drivers want tree

	release=$(cat "$dir/release")
	drivers=("$BUILD/drivers/$1"/*/src/*.ko)
	want=$(cat "$BUILD/drivers/$1/stamp" "$BUILD/modules/$1/stamp" "$BUILD/modules/$1/debug.stamp")
	! fresh "$dir/trees.stamp" "$want" || return 0
	rm -f "$dir/trees.stamp"
	if [ ! -d "$dir/patched" ]; then
		rm -rf "$dir/patched.tmp"
		# Hard links: the patched tree costs no space.
		cp -al "$dir/stock" "$dir/patched.tmp"
		mv "$dir/patched.tmp" "$dir/patched"
	fi
	tree_updates "$dir/patched" "$release" nfs-p2pdma "$BUILD/modules/$1/out"/*.ko
	# Not below updates/: modprobe must not take this one for nfsd.
	install -D -m 644 "$BUILD/modules/$1/debug-out/nfsd.ko" \
		"$dir/patched/lib/modules/$release/lab-debug/nfsd.ko"
	for tree in stock patched; do
		tree_updates "$dir/$tree" "$release" lab "${drivers[@]}"
		depmod -b "$dir/$tree" "$release"
	done
	echo "$want" >"$dir/trees.stamp"
}

# guest_programs: compile lab/guest/*.c and nfsp2p, link the scripts.
guest_programs() {
	local bin=$BUILD/guest/bin source name

	mkdir -p "$bin" "$BUILD/guest/tests"
	for source in "$REPO"/lab/guest/*.c; do
		name=$(basename "$source" .c)
		[ "$bin/$name" -ot "$source" ] || continue
		in_root_with_repo gcc -std=c17 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror \
			-o "/mnt/build/guest/bin/$name" "/mnt/repo/${source#"$REPO"/}" ||
			die 1 "${source#"$REPO"/} does not compile"
	done
	ln -sfn /repo/lab/guest/lab-nfs "$bin/lab-nfs"
	in_root_with_repo make -s -C /mnt/repo/tools/nfsp2p OUT=/mnt/build/guest/nfsp2p ||
		die 1 "tools/nfsp2p does not compile"
	cmp -s "$BUILD/guest/nfsp2p/nfsp2p" "$bin/nfsp2p" || cp "$BUILD/guest/nfsp2p/nfsp2p" "$bin/nfsp2p"
}

# dry_run_folder: what the command of "lab/vm run --dry-run" names: a guest
# with it runs "true".
dry_run_folder() {
	local dir=$BUILD/dry-run

	mkdir -p "$dir/control" "$dir/out"
	truncate -s 512M "$dir/nvme.img"
	printf "true\0" >"$dir/control/argv"
	touch "$dir/control"/{environment,stdout,stderr}
}
