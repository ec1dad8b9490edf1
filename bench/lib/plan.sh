# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What is measured: one cell a line, as bench/guest/measure takes them:
# VERS PROTO COPY NCONNECT MEMORY OPERATION BYTES DEPTH COUNT FILE
# A part of the plan is what one boot of the guest measures.

readonly KIB=1024 MIB=1048576
# More than this in flight would be half of the guest's memory, on each end.
readonly FLIGHT_MAX=$((256 * MIB))
# Each of the CPU's accesses to the CMB leaves the emulated processor.
readonly CMB_MAX=$((64 * MIB))
# For the growth of the number of providers: see measure() in bench/run.
readonly PROVIDERS=4

# plan_cell VERS PROTO COPY NCONNECT MEMORY OPERATION BYTES DEPTH [FILE]: with so many
# I/Os that what happens now and then, a timer tick for instance, hardly counts.
plan_cell() {
	local memory=$5 bytes=$7 depth=$8 file=${9:-$((16 * MIB))} count

	[ $((bytes * depth)) -le "$FLIGHT_MAX" ] || return 0
	if [ "$memory" = CMB ] && [ $((bytes * depth)) -gt "$CMB_MAX" ]; then
		return 0
	fi
	case $bytes in
	"$((4 * KIB))") count=${COUNT_4K:-1024} ;;
	"$((64 * KIB))") count=256 ;;
	"$MIB") count=${COUNT_1M:-32} ;;
	*) count=2 ;;
	esac
	count=$(((count + depth - 1) / depth * depth))
	echo "$1 $2 $3 $4 $memory $6 $bytes $depth $count $file"
}

# plan_memories NFS PROTO: the stock kernel and TCP refuse memory of devices.
plan_memories() {
	echo huge scattered
	[ "$1" = stock ] || [ "$2" = tcp ] || echo BAR CMB bounce-BAR
}

# plan_quick NFS: what the goals are about, and what must not get worse. In how many
# pieces a server of TCP gets a WRITE differs most from one I/O to the next.
plan_quick() {
	local memory op copy COUNT_4K=2048

	for op in read write; do
		for memory in $(plan_memories "$1" rdma | sed 's/ CMB / /'); do
			for copy in yes no; do
				plan_cell 4.2 rdma "$copy" 1 "$memory" "$op" "$MIB" 1
			done
			plan_cell 4.2 rdma yes 1 "$memory" "$op" $((4 * KIB)) 1
		done
		for memory in $(plan_memories "$1" tcp); do
			COUNT_1M=192 plan_cell 4.2 tcp yes 1 "$memory" "$op" "$MIB" 1
			plan_cell 4.2 tcp yes 1 "$memory" "$op" $((4 * KIB)) 1
		done
	done
}

# plan_matrix NFS VERS PROTO COPY
plan_matrix() {
	local memory op bytes depth

	for memory in $(plan_memories "$1" "$3"); do
		for op in read write; do
			for bytes in $((4 * KIB)) $((64 * KIB)) "$MIB" $((16 * MIB)); do
				for depth in 1 16 64; do
					plan_cell "$2" "$3" "$4" 1 "$memory" "$op" "$bytes" "$depth"
				done
			done
		done
	done
}

# plan_growth NFS: the cost of an I/O must not depend on how long the file is, on the
# number of connections, or on that of providers. For the queue depth, see the matrix.
plan_growth() {
	local memory op bytes n devices=()

	[ "$1" = stock ] || devices=(BAR)
	for op in read write; do
		for bytes in $((4 * KIB)) "$MIB"; do
			for memory in scattered "${devices[@]}"; do
				for n in 4 64 256; do
					plan_cell 4.2 rdma yes 1 "$memory" "$op" "$bytes" 1 $((n * MIB))
				done
				for n in 1 2 4 8; do
					plan_cell 4.2 rdma yes "$n" "$memory" "$op" "$bytes" 16
				done
			done
			[ "$1" = stock ] || for ((n = 2; n <= PROVIDERS; n++)); do
				plan_cell 4.2 rdma yes 1 "BARx$n" "$op" "$bytes" 1
			done
		done
	done
}

# plan_parts: NAME NFS PLAN-FUNCTION [ARGUMENT]..., the longest ones last.
plan_parts() {
	local nfs vers

	printf '%s\n' "stock-quick stock plan_quick stock" "patched-quick patched plan_quick patched" \
		"again patched plan_quick patched"
	[ -z "$QUICK" ] || return 0
	for nfs in stock patched; do
		echo "$nfs-growth $nfs plan_growth $nfs"
	done
	for vers in 4.2 3; do
		for nfs in stock patched; do
			echo "$nfs-$vers-rdma $nfs plan_matrix $nfs $vers rdma yes"
			echo "$nfs-$vers-tcp $nfs plan_matrix $nfs $vers tcp yes"
			echo "$nfs-$vers-nocopy $nfs plan_matrix $nfs $vers rdma no"
		done
	done
}
