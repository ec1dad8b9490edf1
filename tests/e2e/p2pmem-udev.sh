#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# packaging/udev/70-p2pmem.rules: off, only root may allocate peer-to-peer memory;
# on, so may the group p2pmem and nobody else, also after the driver was bound
# again. Prints TAP; runs as root in the lab guest.
# shellcheck disable=SC2317 # functions are called through check()
set -euo pipefail

# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"

readonly work=/tmp/p2pmem-udev TAP_LOG=/tmp/p2pmem-udev/log
readonly rules=/etc/udev/rules.d/70-p2pmem.rules
rule_source=$(realpath "${P2PMEM_RULE:-$(dirname "$0")/../../packaging/udev/70-p2pmem.rules}")
readonly rule_source
read -r cmb _ < <(lab-p2p list | awk '$NF == "nvme"')
read -r bar _ < <(lab-p2p list | awk '$NF == "barmem"')
readonly cmb bar

# allocates USER GROUP BDF: can that user, in that group, do I/O from it?
allocates() {
	local bdf=$3

	timeout 60 setpriv --reuid "$1" --regid nogroup --groups "$2" fio --name=t --filename="$work/file" --size=64k --bs=64k \
		--rw=write --ioengine=psync --iomem="mmapshared:/sys/bus/pci/devices/$bdf/p2pmem/allocate"
}

refused() { ! allocates "$@" && grep -q 'Permission denied' "$TAP_LOG"; }

rebind() {
	local driver

	driver=$(realpath "/sys/bus/pci/devices/$1/driver")
	echo "$1" >"$driver/unbind"
	echo "$1" >"$driver/bind"
	udevadm settle
	# An NVMe drive is ready a moment after its driver.
	for ((i = 0; i < 100; i++)); do
		[ "$(stat -c %G "/sys/bus/pci/devices/$1/p2pmem/allocate" 2>/dev/null)" != p2pmem ] || return 0
		sleep 0.1
	done
	stat "/sys/bus/pci/devices/$1/p2pmem/allocate"
	return 1
}

start_udev() {
	mkdir -p /run/udev
	/usr/lib/systemd/systemd-udevd --daemon
	udevadm settle
}

mkdir -p $work
chmod 777 $work
trap 'rm -rf $work $rules' EXIT
plan 8
check "without the rule a user may not (CMB)" refused nobody nogroup "$cmb"
check "... nor at the BAR" refused nobody nogroup "$bar"
groupadd --system p2pmem
cp "$rule_source" $rules
check "udev starts" start_udev
check "the NVMe drive is bound again" rebind "$cmb"
check "... and the BAR's device" rebind "$bar"
check "a member of the group may" allocates nobody p2pmem "$cmb"
check "... at the BAR, too" allocates nobody p2pmem "$bar"
check "another user may not" refused nobody nogroup "$cmb"
udevadm control --exit || true
tap_end
