# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The stock Debian kernel of a series: pick the newest package version, unpack
# its image and modules without running any of its scripts.

# in_root COMMAND...: run in the Debian root of the guest.
in_root() { as_root chroot "$ROOT" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive "$@"; }

# kernel_newest SERIES: the newest kernel release of a series that Debian has,
# e.g. 7.3 -> 7.3.4+deb13-amd64. Cloud, rt and debug flavours do not match.
kernel_newest() {
	in_root apt-cache pkgnames "linux-image-$1" |
		grep -Ex "linux-image-${1//./\\.}(\.[0-9]+)?\+deb[0-9]+-amd64" |
		sed 's/^linux-image-//' | sort -V | tail -n 1
}

# kernel_packages RELEASE: the packages with the image and the modules.
# 7.3 has them in two packages of their own, 6.12 in linux-image itself.
kernel_packages() {
	local split

	split=$(in_root apt-cache depends "linux-image-$1" |
		grep -Eo "linux-(binary|modules)-[0-9]\S*" || true)
	echo "${split:-linux-image-$1}"
}

# kernel_unpack RELEASE DIR: download the packages and unpack them into DIR.
kernel_unpack() {
	local release=$1 dir=$2 deb
	local pool=/tmp/lab-kernel-debs packages

	mapfile -t packages < <(kernel_packages "$release")
	say "downloading ${packages[*]}"
	as_root rm -rf "$ROOT$pool"
	as_root install -d -m 777 "$ROOT$pool"
	in_root sh -c "cd $pool && exec apt-get -q=2 download \"\$@\"" sh "${packages[@]}" >/dev/null ||
		die 1 "cannot download ${packages[*]}: check the network, then 'lab/prepare --refresh' if Debian has moved on"
	for deb in "$ROOT$pool"/*.deb; do
		dpkg-deb -x "$deb" "$dir" || die 1 "cannot unpack $deb"
	done
	as_root rm -rf "$ROOT$pool"
}

# kernel_stock SERIES: make $BUILD/kernel/SERIES/{release,vmlinuz,stock/}.
# Modules are stored uncompressed: xz under emulation costs seconds a boot.
kernel_stock() {
	local series=$1 dir=$BUILD/kernel/$1 release tmp tree

	[ ! -f "$dir/release" ] || return 0
	release=$(kernel_newest "$series")
	[ -n "$release" ] || die 1 "Debian has no kernel $series any more (or yet): look for a newer folder in series/, or pick another --kernel"
	tmp=$dir.tmp
	rm -rf "$tmp"
	mkdir -p "$tmp/unpacked"
	kernel_unpack "$release" "$tmp/unpacked"

	tree=$tmp/stock/lib/modules/$release
	mkdir -p "$tmp/stock/lib/modules"
	mv "$tmp/unpacked/usr/lib/modules/$release" "$tree" 2>/dev/null ||
		mv "$tmp/unpacked/lib/modules/$release" "$tree"
	cp "$ROOT/usr/lib/modules/$release"/modules.{builtin,builtin.modinfo,order} "$tree/"
	if [ -f "$tree/vmlinuz" ]; then
		mv "$tree/vmlinuz" "$tmp/vmlinuz"
	else
		mv "$tmp/unpacked/boot/vmlinuz-$release" "$tmp/vmlinuz"
	fi
	rm -rf "$tmp/unpacked"
	say "unpacking the modules of $release"
	find "$tree" -name '*.ko.xz' -print0 | xargs -0 -r -n 100 -P "$(nproc)" xz -d
	depmod -b "$tmp/stock" "$release"
	echo "$release" >"$tmp/release"
	rm -rf "$dir"
	mv "$tmp" "$dir"
}
