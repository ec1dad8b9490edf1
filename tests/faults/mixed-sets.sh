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

# An emulated guest takes long to start a program, so what does not change is asked
# for once: these are names of modules of the series, each after those that it needs;
# the paths of Debian's; and what is in no set, and the same for all.
order=() foreign=()
declare -A stock

learn() {
	local ko name

	while read -r _ ko _; do
		name=${ko##*/}
		name=${name%.ko}
		if [ "${ko%/*}" = "$ours" ]; then
			order+=("$name")
		else
			foreign+=("$name")
		fi
	done < <(cd "$ours" && set -- *.ko && modprobe --show-depends -a "${@%.ko}" | awk '!seen[$2]++')
	while read -r ko; do
		name=${ko##*/}
		stock[${name%.ko}]=$tree/$ko
	done < <(grep -E "^kernel/.*/($(IFS='|' && echo "${order[*]}"))\.ko\$" "$tree/modules.order")
}

# make_other: our modules as they are when the series is another one. The id is of
# one length everywhere, so it can be exchanged in the files.
make_other() {
	mkdir -p "$work/other"
	cp "$ours"/*.ko "$work/other/"
	LC_ALL=C sed -i "s/$id/$other_id/g" "$work/other"/*.ko
	[ "$(field nfs_p2pdma_series "$work/other/sunrpc.ko")" = "$other_id" ]
}

# path SET MODULE
path() {
	case $1 in
	ours) echo "$ours/$2.ko" ;;
	other) echo "$work/other/$2.ko" ;;
	stock) echo "${stock[$2]}" ;;
	esac
}

loaded() { [ -d "/sys/module/$1" ]; }

# reason SET: what the kernel's log has to say of a module of SET.
reason() {
	case $1 in
	stock) echo "module uses symbol [^ ]+ from namespace $namespace, but does not import it" ;;
	ours) echo "Unknown symbol nfs_p2pdma_series_$id " ;;
	other) echo "Unknown symbol nfs_p2pdma_series_$other_id " ;;
	esac
}

# refused SET MODULE: it does not load, and that is why. MODULE needs sunrpc, or
# another module of the sets that does. The kernel's log is read and cleared each time.
refused() {
	local said

	if insmod "$(path "$1" "$2")"; then
		echo "$2 was loaded"
		return 1
	fi
	said=$(dmesg --read-clear)
	echo "$said"
	! loaded "$2" && [[ "$said" =~ "$2: "$(reason "$1") ]]
}

loads() {
	insmod "$(path "$1" "$2")" && loaded "$2"
}

# walk SET: load it up, trying the two other sets on the way.
walk() {
	local module set

	for module in "${order[@]}"; do
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
learn
id=$(field nfs_p2pdma_series "$ours/sunrpc.ko")
other_id=$(tr 0-9a-f 1-9a-f0 <<<"$id")
readonly id other_id
check "an id is 12 hex digits" grep -qxE '[0-9a-f]{12}' <<<"$id"
check "there are modules of the series" test "${#order[@]}" -gt 1
check "Debian has each of them" test "${#stock[@]}" = "${#order[@]}"
check "all need sunrpc, which is first" test "${order[0]}" = sunrpc
check "there is a set with another id" make_other
check "nothing is loaded yet" eval "! loaded sunrpc"
check "what is in no set is loaded" modprobe -a "${foreign[@]}"
dmesg --clear
# A walk over "other" would be one over ours with the names exchanged.
walk stock
walk ours
tap_end
