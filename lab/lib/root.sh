# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2153 # ROOT comes from common.sh
# The Debian root that the guest runs and in which everything is compiled.

# in_root COMMAND...: run in the root, with a clean environment.
in_root() {
	as_root chroot "$ROOT" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=/tmp \
		DEBIAN_FRONTEND=noninteractive "$@"
}

# in_root_with_repo COMMAND...: the same with the repository at /mnt/repo and
# the build folder at /mnt/build. The mounts live in a namespace of their own.
in_root_with_repo() {
	# shellcheck disable=SC2016 # expanded by the inner shell
	as_root unshare --mount sh -euc '
		root=$1 repo=$2 build=$3
		shift 3
		mount -t tmpfs tmpfs "$root/mnt"
		mount -t proc proc "$root/proc"
		mkdir "$root/mnt/repo" "$root/mnt/build"
		mount --bind "$repo" "$root/mnt/repo"
		mount --bind "$build" "$root/mnt/build"
		exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin LC_ALL=C HOME=/tmp "$@"
	' sh "$ROOT" "$REPO" "$BUILD" "$@"
}

readonly DEBIAN=trixie

# What the guest runs, then what is needed to compile for it.
readonly ROOT_PACKAGES="kmod iproute2 nfs-common nfs-kernel-server rdma-core fio pciutils procps util-linux valgrind
	rpcbind keyutils e2fsprogs xfsprogs nvme-cli udev python3
	krb5-kdc krb5-admin-server krb5-user ktls-utils openssl
	gcc make libc6-dev bc bison flex libelf-dev libssl-dev perl patch xz-utils git pahole
	libaio-dev liburing-dev libcmocka-dev
	libpci-dev libmount-dev libibverbs-dev libjson-c-dev libxxhash-dev"

# debian_mirror: the archive that this machine's own apt uses, so that proxies
# and local mirrors are respected and no host is written here.
debian_mirror() {
	# shellcheck disable=SC2016 # a format of apt
	apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(LABEL)' 'Created-By: Packages' |
		awk '$2 == "Debian" && $3 == "Debian" { print $1; exit }'
}

# root_stamp: changes with everything that decides what is in the root.
root_stamp() { echo "$DEBIAN $ROOT_PACKAGES sparse" | hash_of; }

# root_bootstrap DIR PACKAGE...: a Debian root with these packages in DIR.
root_bootstrap() {
	local dir=$1 mirror proxy options=() packages

	shift
	mirror=$(debian_mirror)
	[ -n "$mirror" ] || { host_apt_update && mirror=$(debian_mirror); }
	[ -n "$mirror" ] || die 1 "apt on this machine knows no Debian archive: run 'apt-get update', or add one to its sources"
	proxy=$(apt-config dump --format '%v%n' Acquire::http::Proxy | head -n 1)
	[ -z "$proxy" ] || options+=(--aptopt="Acquire::http::Proxy \"$proxy\"")
	packages=$(tr -s ' \t\n' ',' <<<"$*")
	as_root rm -rf --one-file-system "$dir"
	# In namespaces of its own: what it mounts in there never shows here, where it
	# could be deleted by mistake, and it ends when we end.
	as_root setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child \
		mmdebstrap --verbose --mode=root --variant=minbase --architectures=amd64 "${options[@]}" \
		--include="${packages%,}" "$DEBIAN" "$dir" \
		"deb $mirror $DEBIAN main" "deb $mirror $DEBIAN-backports main" >"$BUILD/root.log" 2>&1 ||
		root_failed "$BUILD/root.log" "$dir"
}

# root_build: make $ROOT, unless it is there and fits. Built beside its place
# and moved when complete, so an interrupted build leaves nothing to trust.
root_build() {
	local tmp=$ROOT.tmp

	! fresh "$ROOT.stamp" "$(root_stamp)" || return 0
	say "building the Debian root of the guest (a minute or two)"
	as_root rm -f "$ROOT.stamp"
	root_bootstrap "$tmp" "$ROOT_PACKAGES"
	root_sparse "$(debian_mirror)" "$tmp"
	# QEMU serves these files and may run as an ordinary user.
	as_root chmod -R a+rX "$tmp"
	as_root rm -rf --one-file-system "$ROOT"
	as_root mv "$tmp" "$ROOT"
	root_stamp >"$ROOT.stamp"
}

# root_failed LOG [DIR]: why, in one line; the unfinished DIR is removed.
root_failed() {
	local line

	line=$(grep -m 1 -E "^(E:|W: Failed)" "$1" || tail -n 1 "$1")
	[ -z "${2:-}" ] || as_root rm -rf --one-file-system "$2"
	if grep -qE 'Could not resolve|Could not connect|Unable to connect|Temporary failure|Connection (timed out|refused)|Failed to fetch' "$1"; then
		die 1 "cannot reach the Debian archive: check the network and this machine's apt sources (${line:-see $1})"
	fi
	die 1 "cannot build the Debian root: ${line:-see $1}"
}

# Debian stable's sparse (0.6.4) is refused by the kernel build, which then
# checks nothing and still succeeds. The program is taken from sid's package,
# and only the program: the package's other tools need newer libraries.
root_sparse() {
	local mirror=$1 root=$2

	# A frozen mirror keeps its sid past the date it promises; the signature is
	# still checked.
	echo "deb [check-valid-until=no] $mirror sid main" |
		as_root tee "$root/etc/apt/sources.list.d/sid.list" >/dev/null
	as_root chroot "$root" sh -euc '
		cd /tmp
		apt-get -q=2 update
		apt-get -q=2 download sparse/sid
		dpkg-deb -x sparse_*.deb sparse
		install sparse/usr/bin/sparse /usr/bin/sparse
		rm -r sparse sparse_*.deb
		rm /etc/apt/sources.list.d/sid.list
		apt-get -q=2 update
		sparse --version' >"$BUILD/root.log" 2>&1 || root_failed "$BUILD/root.log" "$root"
}

# root_install PACKAGE...: add packages (a kernel's headers and source).
root_install() {
	as_root cp -L /etc/resolv.conf "$ROOT/etc/resolv.conf"
	in_root sh -c 'dpkg --configure -a && apt-get -q=2 -y -f install && exec apt-get -q=2 -y --no-install-recommends install "$@"' \
		sh "$@" >"$BUILD/root.log" 2>&1 ||
		root_failed "$BUILD/root.log"
	as_root chmod -R a+rX "$ROOT/usr/src" "$ROOT/usr/lib" "$ROOT/etc" "$ROOT/var"
}

# root_clean: remove what lab/prepare and the test runs built, and only that:
# BUILD may be a folder that the user has other things in.
root_clean() {
	local name

	for name in root root.tmp root.stamp packages kernel debug rebuilt drivers modules guest runs dry-run test test-debug style \
		kernel-tree mutations series-build series-e2e root.log host.log kernel.log .lock; do
		as_root rm -rf --one-file-system "${BUILD:?}/$name"
	done
	rmdir "$BUILD" 2>/dev/null || true
}
