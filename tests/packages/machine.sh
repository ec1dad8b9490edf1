# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # sourced: some users are elsewhere
# A Debian machine of its own, and the lab's guest made of it. Sourced by run and
# kernels, after lab/lib/common.sh, host.sh, root.sh, kernel.sh and trees.sh.

# shellcheck disable=SC2153 # of lab/lib/common.sh
DEBS=$BUILD/packages/debs
MAIN_BUILD=$BUILD
readonly DEBS MAIN_BUILD
# RELEASE, VERSION: of the machine's kernel. SERIES: the folder of series/ for it.
RELEASE='' VERSION='' SERIES=''

# in_machine COMMAND...: run in the machine's root, with /proc, in a mount namespace.
in_machine() {
	# shellcheck disable=SC2016 # expanded by the inner shell
	as_root unshare --mount sh -euc '
		root=$1
		shift
		mount -t proc proc "$root/proc"
		exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=/root \
			DEBIAN_FRONTEND=noninteractive "$@"
	' sh "$ROOT" "$@"
}

# machine_make DIR KERNEL: a machine with that kernel (or the newest of that series) in
# DIR/root. From here on the functions of lab/lib/root.sh work on it.
machine_make() {
	"$REPO/lab/root" machine "$BUILD/packages/machine-$2" "$2"
	WORK=$1
	ROOT=$WORK/root
	TAP_LOG=$WORK/log
	as_root rm -rf --one-file-system "$WORK"
	mkdir -p "$WORK"
	as_root cp -a "$BUILD/packages/machine-$2" "$ROOT"
	OURS=$(dpkg-deb -f "$DEBS"/nfs-p2pdma-dkms_*.deb Version)
	use_kernel "$(basename "$ROOT"/usr/lib/modules/*)"
}

# use_kernel RELEASE: of those that the machine has.
use_kernel() {
	RELEASE=$1
	SERIES=$(kernel_series "$1")
	# shellcheck disable=SC2016 # a format of dpkg-query
	VERSION=$(in_machine dpkg-query -W -f '${Version}' "linux-headers-$RELEASE")
}

# make_shadow: a folder of builds in which the guest's root and kernel are the machine's.
make_shadow() {
	local to=$WORK/build/kernel/$SERIES tree

	mkdir -p "$to"
	ln -sfn "$ROOT" "$WORK/build/root"
	ln -sfn "$MAIN_BUILD/guest" "$WORK/build/guest"
	ln -sfn "$ROOT/boot/vmlinuz-$RELEASE" "$to/vmlinuz"
	echo "$RELEASE" >"$to/release"
	: >"$to/trees.stamp"
	for tree in patched stock; do
		mkdir -p "$to/$tree/lib/modules"
		ln -sfn "$ROOT/usr/lib/modules/$RELEASE" "$to/$tree/lib/modules/$RELEASE"
	done
	# Only to reach the root; everything else is loaded from there.
	BUILD=$WORK/build initramfs "$SERIES"
}

# add_drivers: the lab's devices need their drivers there, which no user's machine
# has. They are compiled in the machine, with what the package brought.
add_drivers() {
	make_shadow
	BUILD=$WORK/build drivers_build "$SERIES"
	as_root install -D -m 644 -t "$ROOT/usr/lib/modules/$RELEASE/updates/lab" \
		"$WORK/build/drivers/$SERIES"/*/src/*.ko
	in_machine depmod "$RELEASE"
}

# modules_of_machine: what there is of modules, and what depmod made of it.
modules_of_machine() {
	(cd "$ROOT/usr/lib/modules/$RELEASE" && find . -type f ! -path './build/*' -print0 | sort -z | xargs -0 sha256sum)
}

# in_initramfs [RELEASE]: series ids of the NFS modules that an initramfs of the
# machine holds, or "stock".
in_initramfs() {
	# shellcheck disable=SC2016 # expanded by the inner shell
	in_machine sh -euc '
		dir=$(mktemp -d)
		unmkinitramfs "/boot/initrd.img-$1" "$dir"
		find "$dir" -name "sunrpc.ko*" -o -name "nfsv4.ko*" | while read -r ko; do
			modinfo -F nfs_p2pdma_series "$ko" | grep . || echo stock
		done
		rm -rf "$dir"' sh "${1:-$RELEASE}" | sort -u | xargs
}

install_packages() {
	as_root install -m 644 -t "$ROOT/srv" "$DEBS"/*.deb
	in_machine sh -c 'exec apt-get -y --no-install-recommends install /srv/*.deb'
}

# keeps_stock PATTERN: no module of ours on the machine, and status says why.
keeps_stock() {
	# One chain: callers keep the status, and then the shell ends at no failure.
	[ ! -e "$ROOT/usr/lib/modules/$RELEASE/updates/dkms" ] &&
		in_machine nfs-p2pdma-status >"$WORK/status" && cat "$WORK/status" &&
		grep -q "^kernel $RELEASE: Debian's own NFS modules, because .*$1" "$WORK/status"
}

# ours_everywhere [RELEASE]: each module that the package lists for that kernel is
# the one that modprobe takes, with version and id; the initramfs agrees.
ours_everywhere() {
	local module id kernel=${1:-$RELEASE}

	id=$(in_machine modinfo -k "$kernel" -F nfs_p2pdma_series sunrpc)
	[[ "$id" =~ ^[0-9a-f]{12}$ ]]
	while read -r module; do
		[[ "$(in_machine modinfo -k "$kernel" -F filename "${module##*/}")" = */updates/dkms/* ]]
		[ "$(in_machine modinfo -k "$kernel" -F version "${module##*/}")" = "$OURS+$id" ]
	done <"$REPO/packaging/dkms/modules"
	[ ! -d "$ROOT/var/lib/dkms/nfs-p2pdma/original_module" ]
	[ "$(in_initramfs "$kernel")" = "$id" ]
}

# in_guest RESULTS ARGUMENT...: tests/run in the machine; its test points pass.
in_guest() {
	local results=$WORK/$1

	shift
	BUILD=$WORK/build "$REPO/tests/run" --packages --kernel "$SERIES" --results "$results" "$@"
}
