# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What is measured: one cell a line, as bench/guest/measure takes them:
# VERS PROTO COPY NCONNECT MEMORY OPERATION BYTES DEPTH COUNT

readonly KIB=1024 MIB=1048576
# The CMB and the BAR of the lab have 64 MiB, the guest not much more to spare.
readonly BUFFERS_MAX=$((48 * MIB))

# plan_cell VERS PROTO COPY NCONNECT MEMORY OPERATION BYTES DEPTH: with so many
# I/Os that what happens now and then, a timer tick for instance, hardly counts.
plan_cell() {
	local bytes=$7 depth=$8 count

	[ $((bytes * depth)) -le "$BUFFERS_MAX" ] || return 0
	case $bytes in
	"$((4 * KIB))") count=512 ;;
	"$((64 * KIB))") count=128 ;;
	"$MIB") count=32 ;;
	*) count=4 ;;
	esac
	count=$(((count + depth - 1) / depth * depth))
	echo "$1 $2 $3 $4 $5 $6 $bytes $depth $count"
}

# plan_memories NFS PROTO: the stock kernel and TCP refuse memory of devices.
plan_memories() {
	echo huge scattered
	[ "$1" = stock ] || [ "$2" = tcp ] || echo BAR CMB bounce-BAR
}

# plan_quick NFS: what the goals are about, and what must not get worse. Not the CMB:
# each access to it leaves the emulated processor, which takes long.
plan_quick() {
	local memory op copy

	for op in read write; do
		for memory in $(plan_memories "$1" rdma | sed 's/ CMB / /'); do
			for copy in yes no; do
				plan_cell 4.2 rdma "$copy" 1 "$memory" "$op" "$MIB" 1
			done
			plan_cell 4.2 rdma yes 1 "$memory" "$op" $((4 * KIB)) 1
		done
		for memory in $(plan_memories "$1" tcp); do
			plan_cell 4.2 tcp yes 1 "$memory" "$op" "$MIB" 1
			plan_cell 4.2 tcp yes 1 "$memory" "$op" $((4 * KIB)) 1
		done
	done
}

# plan_full NFS: all of it.
plan_full() {
	local vers proto memory op bytes depth copy

	for vers in 4.2 3; do
		for proto in rdma tcp; do
			for memory in $(plan_memories "$1" "$proto"); do
				for op in read write; do
					for bytes in $((4 * KIB)) $((64 * KIB)) "$MIB" $((16 * MIB)); do
						for depth in 1 16 64; do
							plan_cell "$vers" "$proto" yes 1 "$memory" "$op" "$bytes" "$depth"
						done
						[ "$proto" = tcp ] || plan_cell "$vers" rdma no 1 "$memory" "$op" "$bytes" 1
					done
				done
			done
		done
	done
	# Growth: the cost of an I/O must not depend on the number of connections.
	for depth in 2 4 8; do
		for memory in $(plan_memories "$1" rdma); do
			plan_cell 4.2 rdma yes "$depth" "$memory" read "$MIB" 16
			plan_cell 4.2 rdma yes "$depth" "$memory" write "$MIB" 16
		done
	done
}
