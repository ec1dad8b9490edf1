# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # $state and $layouts come from lab-nfs
# The disk below an exported ext4 or xfs, for lab-nfs. With block and SCSI layouts, the
# client finds it by itself: both ends are one machine, and share the device.

readonly target=/sys/kernel/config/target
readonly lun=$target/core/fileio_0/lab fabric=$target/loopback/naa.6001405000000001/tpgt_1
disk=''

# start_disk: make the disk, of 1 GiB, and set $disk to its device.
start_disk() {
	quietly truncate -s 1G "$state/disk"
	if [ "$layouts" = scsi ]; then
		scsi_disk
	else
		quietly modprobe loop
		disk=$(losetup --find --show "$state/disk") || die "no loop device"
	fi
	[ "$layouts" != block ] || start_blkmapd
}

stop_disk() {
	[ ! -e "$lun" ] || scsi_disk_gone
	stop_daemon blkmapd
	[ ! -e "$state/disk" ] || losetup --associated "$state/disk" --noheadings --output NAME |
		xargs -r losetup --detach
}

# The client asks it which device has the signature that a block layout names.
start_blkmapd() {
	quietly modprobe blocklayoutdriver
	pidof blkmapd >/dev/null || quietly blkmapd
}

# scsi_disk: a LUN of the kernel's own target, by its loopback fabric: one with
# persistent reservations and a name (NAA), which SCSI layouts need.
scsi_disk() {
	local found=()

	quietly modprobe -a target_core_file tcm_loop sd_mod
	mounted /sys/kernel/config || quietly mount -t configfs configfs /sys/kernel/config
	# Reservations are to survive a loss of power.
	mkdir -p /var/target/pr "$lun" "$fabric/lun/lun_0"
	echo "fd_dev_name=$state/disk,fd_dev_size=$((1 << 30))" >"$lun/control"
	# The name is made of it.
	echo 1234567890abcdef >"$lun/wwn/vpd_unit_serial"
	echo 1 >"$lun/enable"
	echo naa.6001405000000002 >"$fabric/nexus"
	ln -s "$lun" "$fabric/lun/lun_0/lab"
	for ((i = 0; i < 200; i++)); do
		found=(/sys/class/block/sd*)
		[ ! -e "${found[0]}" ] || break
		sleep 0.05
	done
	[ -e "${found[0]}" ] || die "--pnfs scsi: no disk showed up"
	disk=/dev/${found[0]##*/}
	scsi_disk_by_id
}

# The client opens it by the name that udev would have made.
scsi_disk_by_id() {
	local name

	name=$(cat "/sys/class/block/${disk##*/}/device/wwid")
	mkdir -p /dev/disk/by-id
	ln -sf "$disk" "/dev/disk/by-id/wwn-0x${name#naa.}"
}

scsi_disk_gone() {
	quietly rm "$fabric/lun/lun_0/lab"
	quietly rmdir "$fabric/lun/lun_0" "$fabric" "${fabric%/*}" "$lun"
	rm -f /dev/disk/by-id/wwn-0x*
}
