#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Three sets of the NFS modules: Debian's own ("stock"), ours, and ours under the id
# of another series ("other"). The module loader itself must keep them apart.
#
# One set is loaded module by module, each after what it needs. Before a module
# of that set goes in, the same module of another set is tried on the same
# providers: the loader must refuse it, and for the reason that keeps sets apart,
# not for something else that is missing. That the module of the right set then
# loads shows that nothing else was missing. So no set with a foreign member can
# ever be built up, in any order. The list comes from the modules that are there.
# Prints TAP; runs as root in the lab guest.
# shellcheck disable=SC2317 # functions are called through check()
set -euo pipefail

# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"

readonly work=/tmp/mixed-sets TAP_LOG=/tmp/mixed-sets/log
tree=/lib/modules/$(uname -r)
readonly tree ours=$tree/updates/nfs-p2pdma namespace=NFS_P2PDMA

# field NAME KO: of modinfo.
field() { modinfo -F "$1" "$2"; }

# in_load_order: names of our modules, each after those that it needs.
in_load_order() {
	local ko

	for ko in "$ours"/*.ko; do
		modprobe --show-depends "$(basename "$ko" .ko)"
	done | while read -r _ ko _; do
		[ "${ko%/*}" != "$ours" ] || basename "$ko" .ko
	done | awk '!seen[$0]++'
}

# make_other: our modules as they are when the series is another one. The id is of
# one length everywhere, so it can be exchanged in the files.
make_other() {
	local id ko

	id=$(field nfs_p2pdma_series "$ours/sunrpc.ko")
	[[ "$id" =~ ^[0-9a-f]{12}$ ]]
	mkdir -p "$work/other"
	for ko in "$ours"/*.ko; do
		LC_ALL=C sed "s/$id/$(tr 0-9a-f 1-9a-f0 <<<"$id")/g" "$ko" >"$work/other/${ko##*/}"
	done
	[ "$(field nfs_p2pdma_series "$work/other/sunrpc.ko")" != "$id" ]
}

# path SET MODULE
path() {
	case $1 in
	ours) echo "$ours/$2.ko" ;;
	other) echo "$work/other/$2.ko" ;;
	# modules.dep has what overrides it; to look for it in the tree
	# takes an emulated guest seconds.
	stock) echo "$tree/$(grep -o -m 1 "^kernel/.*/$2\.ko$" "$tree/modules.order")" ;;
	esac
}

loaded() { [ -d "/sys/module/$1" ]; }

# foreign_needs MODULE: modules that are in no set: they are the same for all.
foreign_needs() {
	local dep

	for dep in $(field depends "$(path stock "$1")" | tr , ' '); do
		[ -e "$ours/$dep.ko" ] || modprobe "$dep"
	done
}

# reason SET: what the kernel's log has to say of a module of SET.
reason() {
	if [ "$1" = stock ]; then
		echo "module uses symbol .* from namespace $namespace, but does not import it"
	else
		echo "Unknown symbol nfs_p2pdma_series_$(field nfs_p2pdma_series "$(path "$1" sunrpc)") "
	fi
}

# refused SET MODULE: it does not load, and that is why. MODULE needs sunrpc, or
# another module of the sets that does.
refused() {
	local said

	dmesg --clear
	if insmod "$(path "$1" "$2")"; then
		echo "$2 was loaded"
		return 1
	fi
	said=$(dmesg)
	echo "$said"
	! loaded "$2" && grep -qE "$2: $(reason "$1")" <<<"$said"
}

loads() {
	insmod "$(path "$1" "$2")" && loaded "$2"
}

# walk SET: load it up, trying the two other sets on the way.
walk() {
	local module set

	for module in "${order[@]}"; do
		attempt foreign_needs "$module" >/dev/null
		for set in stock ours other; do
			# To stock modules, ours and other are the same.
			[ "$1 $set" != "stock other" ] || continue
			if [ "$set" != "$1" ] && [ "$module" != sunrpc ]; then
				check "$1 providers refuse $module of $set" refused "$set" "$module"
			fi
		done
		check "$1 providers take their own $module" loads "$1" "$module"
	done
	if [ -f "$tree/lab-debug/nfsd.ko" ]; then
		rmmod nfsd
		if [ "$1" = ours ]; then
			check "ours: the lab's nfsd belongs to the set" insmod "$tree/lab-debug/nfsd.ko"
		else
			check "$1: the lab's nfsd is refused" eval "! insmod $tree/lab-debug/nfsd.ko"
		fi
	fi
	check "$1 modules go" unload
}

unload() {
	local i

	for ((i = ${#order[@]} - 1; i >= 0; i--)); do
		! loaded "${order[i]}" || rmmod "${order[i]}"
	done
}

mkdir -p $work
if [ -n "${LAB_DEBUG:-}" ]; then
	echo "ok 1 - sets of modules # SKIP the debug kernel has one set, its own"
	echo 1..1
	exit
fi
trap 'rm -rf $work' EXIT
mapfile -t order < <(in_load_order)
check "there are modules of the series" test "${#order[@]}" -gt 1
check "all need sunrpc, which is first" test "${order[0]}" = sunrpc
check "there is a set with another id" make_other
check "nothing is loaded yet" eval "! loaded sunrpc"
# A walk over "other" would be one over ours with the names exchanged.
walk stock
walk ours
tap_end
