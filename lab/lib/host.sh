# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # sourced: the users are elsewhere
# What this machine must have before anything is built: rights, programs, disk.

# Program and the Debian package that has it.
readonly HOST_PROGRAMS="mmdebstrap=mmdebstrap qemu-system-x86_64=qemu-system-x86
	busybox=busybox-static cpio=cpio depmod=kmod xz=xz-utils patch=patch prove=perl git=git make=make"
readonly HOST_CHECK_PROGRAMS="shellcheck=shellcheck codespell=codespell
	clang-format=clang-format clang-tidy=clang-tidy"
# The root, a kernel's headers and source, two module trees, objects.
readonly DISK_GIB=9

# host_ready PROGRAM=PACKAGE...: check rights, install what is missing.
host_ready() {
	local entry missing=()

	[ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null ||
		die 1 "root rights are needed to make the guest's root: run as root, or install sudo"
	[ "$(uname -m)" = x86_64 ] || die 1 "this machine is $(uname -m): the lab is for x86_64"
	for entry; do
		command -v "${entry%%=*}" >/dev/null || missing+=("${entry#*=}")
	done
	# busybox alone may be the dynamic one, which cannot start in an initramfs.
	if [[ "$*" == *busybox=* ]] && [ "${#missing[@]}" -eq 0 ] && ldd "$(command -v busybox)" >/dev/null 2>&1; then
		missing+=(busybox-static)
	fi
	[ ${#missing[@]} -gt 0 ] || return 0
	command -v apt-get >/dev/null ||
		die 1 "missing here, and there is no apt-get to install them: ${missing[*]}"
	say "installing Debian packages on this machine: ${missing[*]}"
	host_install "${missing[@]}" || { host_apt_update && host_install "${missing[@]}"; } ||
		die 1 "cannot install ${missing[*]}: $(grep -m 1 '^E:' "$BUILD/host.log" || echo "see $BUILD/host.log"); check the network and this machine's apt sources, try again"
}

# host_install PACKAGE...: what apt says goes to a log.
host_install() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q=2 -y --no-install-recommends install "$@" >"$BUILD/host.log" 2>&1
}

# host_apt_update: a machine just set up has no package lists, or old ones. That
# some source cannot be reached is not our business, as long as Debian's can.
host_apt_update() {
	say "bringing this machine's apt lists up to date"
	as_root apt-get -q=2 update >"$BUILD/apt.log" 2>&1 || say "apt-get update complained: see $BUILD/apt.log"
}

# host_disk: enough space where we build? Only asked before a first build.
host_disk() {
	local free

	free=$(df --output=avail -B 1G "$BUILD" | tail -n 1)
	[ "$free" -ge "$DISK_GIB" ] ||
		die 1 "only ${free// /} GiB are free in $BUILD and a first build needs $DISK_GIB: free some, or set BUILD to a folder elsewhere"
}
