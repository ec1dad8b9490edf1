# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2153 # BUILD, ROOT, REPO come from common.sh
# Debian's kernel once more, for a series that Debian builds without
# CONFIG_PCI_P2PDMA: the same source, compiler and configuration, that option, and
# of its modules those that the lab uses (lab/rebuilt/modules), as packages. What a
# user does by hand is in docs/installing.md.

# Source, objects, packages.
readonly REBUILT_DISK_GIB=6
# 6.12.117+deb13-amd64 becomes 6.12.117+deb13-p2pdma-amd64: the packages know it by that.
readonly REBUILT_NAME=-p2pdma-amd64

# kernel_lacks_p2pdma RELEASE: is that one's headers' configuration without it?
kernel_lacks_p2pdma() { grep -q '^# CONFIG_PCI_P2PDMA is not set' "$ROOT/usr/src/linux-headers-$1/.config"; }

# rebuilt_make WHAT SERIES ARGUMENT...: kbuild(), in the root that builds packages.
rebuilt_make() { ROOT=$BUILD/packages/build-root kbuild "$1" "rebuilt/$2" "${@:3}"; }

# rebuilt_config SERIES RELEASE: Debian's, with the option. Debug information
# and signatures would only cost time.
rebuilt_config() {
	local dir=$BUILD/rebuilt/$1 file=/mnt/build/rebuilt/$1/obj/.config name=+${2#*+}

	cp "$ROOT/usr/src/linux-headers-$2/.config" "$dir/obj/.config"
	# As lsmod prints it.
	awk '/^[^#]/ { print $1, 1, 0 }' "$REPO/lab/rebuilt/modules" >"$dir/lsmod"
	in_root_with_repo "/mnt/build/rebuilt/$1/source/scripts/config" --file "$file" \
		-e PCI_P2PDMA --set-str LOCALVERSION "${name%-amd64}$REBUILT_NAME" -d LOCALVERSION_AUTO --set-str BUILD_SALT "" \
		-e DEBUG_INFO_NONE -d DEBUG_INFO_BTF -d DEBUG_INFO_DWARF_TOOLCHAIN_DEFAULT -d MODULE_SIG -d SECURITY_LOCKDOWN_LSM
	rebuilt_make "configuring the kernel with CONFIG_PCI_P2PDMA" "$1" \
		LSMOD="/mnt/build/rebuilt/$1/lsmod" localmodconfig < <(yes '')
	grep -qx CONFIG_PCI_P2PDMA=y "$dir/obj/.config" || die 1 "kernel $1 does not take CONFIG_PCI_P2PDMA"
}

# rebuilt_packages SERIES RELEASE: leave linux-image and linux-headers in
# $BUILD/rebuilt/SERIES. They have the version of Debian's.
rebuilt_packages() {
	local dir=$BUILD/rebuilt/$1 want version

	# shellcheck disable=SC2016 # a format of dpkg-query
	version=$(in_root dpkg-query -W -f '${Version}' "linux-headers-$2")
	want=$(cat "$REPO/lab/lib/rebuilt.sh" "$REPO/lab/rebuilt/modules" - <<<"$version" | hash_of)
	! fresh "$dir/stamp" "$want" || return 0
	"$REPO/lab/root" build "$BUILD/packages/build-root"
	ksource_unpack "$dir" "$1" "$REBUILT_DISK_GIB"
	own -R "$dir"
	rm -f "$dir/stamp"
	rebuilt_config "$1" "$2"
	say "building kernel $1 with CONFIG_PCI_P2PDMA (the first time, an hour on two busy cores)"
	rebuilt_make "the kernel with CONFIG_PCI_P2PDMA" "$1" bindeb-pkg KDEB_PKGVERSION="$version" DPKG_FLAGS=-d
	rm -f "$dir"/linux-libc-dev_*.deb "$dir"/linux-upstream_*
	echo "$want" >"$dir/stamp"
}

# rebuilt_unpack SERIES DIR: the image into DIR, the headers into the root.
# Prints the release.
rebuilt_unpack() {
	local dir=$BUILD/rebuilt/$1 release

	dpkg-deb -x "$dir"/linux-image-*.deb "$2" || die 1 "cannot unpack the kernel in $dir (disk full?)"
	as_root cp "$dir"/linux-headers-*.deb "$ROOT/tmp/headers.deb"
	in_root dpkg -i /tmp/headers.deb >"$BUILD/root.log" 2>&1 || root_failed "$BUILD/root.log"
	as_root rm "$ROOT/tmp/headers.deb"
	release=$(cat "$dir/obj/include/config/kernel.release")
	# The builder asks there which modules the kernel has.
	as_root install -D -m 644 -t "$ROOT/usr/lib/modules/$release" "$2/lib/modules/$release/modules.order"
	echo "$release"
}
