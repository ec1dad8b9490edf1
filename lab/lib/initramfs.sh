# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The initramfs: busybox, the few modules that reach the host's shares, and
# lab/guest/init. Built per kernel, again when one of its parts changes.

# initramfs SERIES [TREE]: make $BUILD/kernel/SERIES/initramfs, with modules of
# TREE (default stock). What a kernel has built in needs no module.
initramfs() {
	local dir=$BUILD/kernel/$1 tree=${2:-stock} release want tmp kind module name n=10

	release=$(cat "$dir/release")
	want=$(cat "$REPO/lab/guest/init" "$REPO/lab/lib/initramfs.sh" "$(command -v busybox)" | hash_of)
	! fresh "$dir/initramfs.stamp" "$want" || return 0
	tmp=$(mktemp -d)
	mkdir -p "$tmp/bin" "$tmp/modules"
	cp "$(command -v busybox)" "$tmp/bin/busybox"
	cp "$REPO/lab/guest/init" "$tmp/init"
	# Numbered in load order; a module needed twice keeps its first place.
	while read -r kind module _; do
		[ "$kind" = insmod ] || continue
		name=$(basename "$module" .xz)
		! compgen -G "$tmp/modules/*-$name" >/dev/null || continue
		# As Debian installs them; insmod here takes them unpacked.
		case $module in
		*.xz) xz -dc "$module" >"$tmp/modules/$n-$name" ;;
		*) cp "$module" "$tmp/modules/$n-$name" ;;
		esac
		n=$((n + 1))
	done < <(modprobe -d "$dir/$tree" -S "$release" --show-depends -a 9p 9pnet_virtio overlay)
	(cd "$tmp" && find . | cpio --quiet -o -H newc -R 0:0) | gzip -1 >"$dir/initramfs.tmp"
	rm -rf "$tmp"
	mv "$dir/initramfs.tmp" "$dir/initramfs"
	echo "$want" >"$dir/initramfs.stamp"
}
