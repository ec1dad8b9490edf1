# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The stock Debian kernel of a series: pick the newest package version, unpack
# its image and modules without running any of its scripts.

# kernel_newest SERIES: the newest kernel release of a series that Debian has,
# e.g. 7.3 -> 7.3.4+deb13-amd64. Cloud, rt and debug flavours do not match.
kernel_newest() {
	in_root apt-cache pkgnames "linux-image-$1" |
		grep -Ex "linux-image-${1//./\\.}(\.[0-9]+)?\+deb[0-9]+-amd64" |
		sed 's/^linux-image-//' | sort -V | tail -n 1
}

# kernel_series RELEASE: 7.3.4+deb13-amd64 is of the series 7.3.
kernel_series() { grep -oE '^[0-9]+\.[0-9]+' <<<"$1"; }

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
	local release=$1 dir=$2 deb packages pool=/tmp/lab-kernel-debs

	mapfile -t packages < <(kernel_packages "$release")
	say "downloading ${packages[*]}"
	as_root rm -rf "$ROOT$pool"
	as_root install -d -m 777 "$ROOT$pool"
	in_root sh -c "cd $pool && exec apt-get -q=2 download \"\$@\"" sh "${packages[@]}" >/dev/null 2>"$BUILD/kernel.log" ||
		die 1 "cannot download ${packages[*]}: check the network; if Debian has moved on to a newer one, run 'lab/prepare --refresh' ($(grep -m 1 '^E:' "$BUILD/kernel.log"))"
	for deb in "$ROOT$pool"/*.deb; do
		dpkg-deb -x "$deb" "$dir" || die 1 "cannot unpack $deb (disk full?)"
	done
	as_root rm -rf "$ROOT$pool"
}

# kernel_develop SERIES RELEASE: headers and source of exactly this kernel in
# the root. The source's version must be the image's, or the modules' would not
# be what Debian built.
kernel_develop() {
	local version

	version=$(in_root apt-cache show "linux-image-$2" | sed -n 's/^Version: //p' | head -n 1)
	if [ -f "$ROOT/usr/src/linux-source-$1.tar.xz" ] && [ -f "$ROOT/usr/src/linux-headers-$2/Makefile" ]; then
		return
	fi
	say "installing headers and source of $2 in the root"
	root_install "linux-headers-$2=$version" "linux-source-$1=$version"
}

# kernel_tree DIR RELEASE: turn what the packages hold in DIR/unpacked into
# DIR/vmlinuz and DIR/stock. Modules are stored uncompressed: xz costs an
# emulated guest seconds a boot.
kernel_tree() {
	local dir=$1 release=$2 tree=$1/stock/lib/modules/$2 from=$1/unpacked

	mkdir -p "$dir/stock/lib/modules"
	mv "$from/usr/lib/modules/$release" "$tree" 2>/dev/null || mv "$from/lib/modules/$release" "$tree"
	# In packages of their own since 7.x.
	[ -f "$tree/modules.builtin.modinfo" ] ||
		cp -n "$ROOT/usr/lib/modules/$release"/modules.{builtin,builtin.modinfo,order} "$tree/"
	mv "$tree/vmlinuz" "$dir/vmlinuz" 2>/dev/null || mv "$from/boot/vmlinuz-$release" "$dir/vmlinuz"
	rm -rf "$from"
	say "unpacking the modules of $release"
	find "$tree" -name '*.ko.xz' -print0 | xargs -0 -r -n 100 -P "$(nproc)" xz -d ||
		die 1 "cannot unpack the modules in $dir (disk full?)"
	depmod -b "$dir/stock" "$release"
}

# kernel_there SERIES: is $BUILD/kernel/SERIES complete, with its headers and source?
kernel_there() {
	local release

	release=$(cat "$BUILD/kernel/$1/release" 2>/dev/null) || return 1
	[[ "$release" != *"$REBUILT_NAME" ]] || { [ -f "$ROOT/usr/src/linux-headers-$release/Makefile" ]; return; }
	kernel_develop "$1" "$release"
}

# kernel_stock SERIES [REFRESH]: make $BUILD/kernel/SERIES/{release,vmlinuz,stock/}
# from the newest package, or leave what is there unless REFRESH is given. If Debian
# builds it without CONFIG_PCI_P2PDMA, from one that is built with it.
kernel_stock() {
	local series=$1 dir=$BUILD/kernel/$1 release

	if [ -n "${2:-}" ]; then
		say "asking Debian for the newest kernel $series"
		in_root apt-get -q=2 update >"$BUILD/kernel.log" 2>&1 ||
			die 1 "cannot ask Debian for its packages: check the network ($(grep -m 1 '^[EW]:' "$BUILD/kernel.log"))"
	fi
	[ -n "${2:-}" ] || ! kernel_there "$series" || return 0
	release=$(kernel_newest "$series")
	[ -n "$release" ] ||
		die 1 "Debian has no kernel $series (any more): rebase series/$series to one that 'apt-cache search linux-source' shows in $DEBIAN-backports"
	[ ! -f "$dir/release" ] || [ "$(cat "$dir/release")" != "$release" ] || return 0
	kernel_develop "$series" "$release"
	as_root rm -rf "$dir.tmp"
	mkdir -p "$dir.tmp/unpacked"
	if kernel_lacks_p2pdma "$release"; then
		rebuilt_packages "$series" "$release"
		release=$(rebuilt_unpack "$series" "$dir.tmp/unpacked")
	else
		kernel_unpack "$release" "$dir.tmp/unpacked"
	fi
	kernel_tree "$dir.tmp" "$release"
	echo "$release" >"$dir.tmp/release"
	as_root rm -rf "$dir"
	mv "$dir.tmp" "$dir"
}
