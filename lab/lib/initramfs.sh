# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The initramfs: busybox, the few modules that reach the host's shares, and
# lab/guest/init. Built per kernel, again when one of its parts changes.

# initramfs SERIES: make $BUILD/kernel/SERIES/initramfs.
initramfs() {
	local dir=$BUILD/kernel/$1 release want tmp module n=10

	release=$(cat "$dir/release")
	want=$(cat "$REPO/lab/guest/init" "$REPO/lab/lib/initramfs.sh" "$(command -v busybox)" | hash_of)
	! fresh "$dir/initramfs.stamp" "$want" || return 0
	tmp=$(mktemp -d)
	mkdir -p "$tmp/bin" "$tmp/modules"
	cp "$(command -v busybox)" "$tmp/bin/busybox"
	cp "$REPO/lab/guest/init" "$tmp/init"
	# Numbered in load order; a module needed twice keeps its first place.
	while read -r _ module; do
		compgen -G "$tmp/modules/*-${module##*/}" >/dev/null ||
			cp "$module" "$tmp/modules/$((n++))-${module##*/}"
	done < <(modprobe -d "$dir/stock" -S "$release" --show-depends -a 9p 9pnet_virtio overlay)
	(cd "$tmp" && find . | cpio --quiet -o -H newc -R 0:0) | gzip -1 >"$dir/initramfs.tmp"
	rm -rf "$tmp"
	mv "$dir/initramfs.tmp" "$dir/initramfs"
	echo "$want" >"$dir/initramfs.stamp"
}
