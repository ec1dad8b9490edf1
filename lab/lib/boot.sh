# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# One run of the guest: the QEMU command, the control share, the end.
# Uses the OPT_* variables that lab/vm sets from its options.

QEMU=()
APPEND=()
RUN_DIR=
RELAYS=()
QEMU_PID=

# A comma in a path must be doubled in QEMU's option lists.
path() { printf %s "${1//,/,,}"; }

# qemu_share TAG DIR [OPTION]: a folder of the host for the guest. With model
# "none" QEMU needs no rights of its own and ignores a chown it may not do.
qemu_share() {
	QEMU+=(-fsdev "local,id=$1,path=$(path "$2"),security_model=none,multidevs=remap${3:+,$3}"
		-device "virtio-9p-pci,fsdev=$1,mount_tag=$1,bus=pcie.0")
}

# qemu_command: fill QEMU with the command for this run in RUN_DIR.
qemu_command() {
	local dir=$KERNEL_DIR accel=(-accel "tcg,thread=multi") words=()

	[ -z "$OPT_ICOUNT" ] || accel=(-accel "tcg,thread=single" -icount "shift=0,sleep=off")
	# An Oops ends the guest: what comes after it proves nothing. The lockup
	# detectors count host time, which an emulated CPU may not get.
	# QEMU's NVMe takes a list of descriptors in RAM to mean data in RAM, and fails
	# a command whose data are in its CMB (nvme_map_sgl() in hw/nvme/ctrl.c asks
	# nvme_addr_is_dma() of the list's address): no lists.
	APPEND=(console=ttyS0 loglevel=6 panic=-1 oops=panic nowatchdog
		rcupdate.rcu_cpu_stall_timeout=120 nvme_core.multipath=N nvme.sgl_threshold=0
		random.trust_cpu=on mitigations=off)
	# The clock of an idle guest runs on while it waits for the host, here for 9p: beside
	# other work, a lookup has taken more than two minutes of it.
	[ -z "$OPT_ICOUNT" ] || APPEND+=(sysctl.kernel.hung_task_timeout_secs=0)
	# Client and server share this kernel: with LOCALIO, which Debian has off, every
	# mount would turn local. Tests that want it say so (--append, or in sysfs).
	# Stale pointers hide leaks: memory is cleared, as by Debian's kernel, and red zones
	# keep the allocator from its per-CPU arrays of objects (mm/slub.c, slab_sheaf).
	[ -z "$OPT_DEBUG" ] || APPEND+=(nfs.localio_enabled=N kasan_multi_shot init_on_alloc=1
		slab_debug=Z)
	QEMU=(qemu-system-x86_64 -machine q35 "${accel[@]}" -smp "$OPT_CPUS" -m "$OPT_MEM"
		-nodefaults -no-user-config -display none -no-reboot
		-serial "file:$(path "$RUN_DIR")/console.log"
		-kernel "$dir/vmlinuz" -initrd "$dir/initramfs"
		-drive "file=$(path "$RUN_DIR")/nvme.img,if=none,id=nvme,format=raw,cache=unsafe,discard=unmap")
	"topology_$OPT_TOPOLOGY"
	qemu_share root "$ROOT" readonly=on
	qemu_share modules "$dir/$OPT_NFS/lib/modules/$(cat "$dir/release")" readonly=on
	qemu_share repo "$REPO" readonly=on
	qemu_share guest "$BUILD/guest" readonly=on
	qemu_share out "$RUN_DIR/out"
	qemu_share control "$RUN_DIR/control"
	[ -z "$OPT_SHARE" ] || qemu_share share "$OPT_SHARE"
	# The user's words, quoted as for a shell, but never run by one.
	[ -z "$OPT_QEMU" ] || mapfile -d '' -t words < <(xargs printf '%s\0' <<<"$OPT_QEMU")
	QEMU+=(-append "${APPEND[*]}${OPT_APPEND:+ $OPT_APPEND}" "${words[@]}")
}

# run_folder CMD...: fill RUN_DIR: the disk, the control share with what the
# guest reads and the files that it writes, the folder for /out.
run_folder() {
	local control=$RUN_DIR/control

	mkdir -p "$control" "$RUN_DIR/out"
	chmod 755 "$RUN_DIR"
	truncate -s 512M "$RUN_DIR/nvme.img"
	printf '%s\0' "$@" >"$control/argv"
	printf '%s\n' "LAB_RNIC=$OPT_RNIC" "LAB_NFS=$OPT_NFS" "LAB_TOPOLOGY=$OPT_TOPOLOGY" \
		"LAB_KERNEL=$OPT_KERNEL" "LAB_DEBUG=$OPT_DEBUG" >"$control/environment"
	: >"$control/stdout"
	: >"$control/stderr"
	[ -z "$OPT_SHARE" ] || : >"$control/has-share"
}

# Undo a run, also one that was interrupted: no QEMU, no large or secret file.
boot_cleanup() {
	trap '' INT TERM
	if [ -n "$QEMU_PID" ]; then
		kill "$QEMU_PID" 2>/dev/null || true
		wait "$QEMU_PID" 2>/dev/null || true
	fi
	[ ${#RELAYS[@]} -eq 0 ] || kill "${RELAYS[@]}" 2>/dev/null || true
	[ -z "$RUN_DIR" ] || rm -rf "$RUN_DIR/nvme.img" "$RUN_DIR/control"
}

# boot CMD...: run the guest to its end. Returns what lab/vm exits with.
boot() {
	local status=0 started=$SECONDS tries

	mkdir -p "$BUILD/runs"
	# Logs of earlier days have been read or never will be.
	find "$BUILD/runs" -mindepth 1 -maxdepth 1 -mtime +2 -exec rm -rf {} +
	trap boot_cleanup EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	RUN_DIR=$(mktemp -d "$BUILD/runs/$(date +%m%d-%H%M%S)-XXXX")
	run_folder "$@"
	qemu_command

	run_qemu || status=$?
	for ((tries = 1; tries < 3; tries++)); do
		boot_tripped || break
		say "the emulated CPUs tripped over the kernel patching its own code, before anything of the lab ran: booting again"
		rm -f "$RUN_DIR/console.log"
		status=0
		run_qemu || status=$?
	done
	boot_result "$status" $((SECONDS - started))
}

# run_qemu: start QEMU, hand on what the guest says, wait. Returns its status.
run_qemu() {
	local status=0

	# The guest writes whole files here; tail hands on what is new and ends
	# after QEMU has gone and the last byte is out.
	setpriv --pdeathsig TERM timeout -k 5 "$OPT_TIMEOUT" "${QEMU[@]}" \
		</dev/null >"$RUN_DIR/qemu.log" 2>&1 &
	QEMU_PID=$!
	tail -q -s 0.2 -c +1 -f --pid="$QEMU_PID" "$RUN_DIR/control/stdout" &
	RELAYS+=($!)
	tail -q -s 0.2 -c +1 -f --pid="$QEMU_PID" "$RUN_DIR/control/stderr" >&2 &
	RELAYS+=($!)
	wait "$QEMU_PID" || status=$?
	QEMU_PID=
	wait "${RELAYS[@]}" || true
	RELAYS=()
	return "$status"
}

# boot_tripped: did the guest die of a breakpoint while it booted? Linux puts
# one where it patches code under other CPUs (arch/x86/kernel/alternative.c), and
# with one thread a CPU QEMU 7.2 sometimes runs into it. Only a guest that has
# not reached lab/guest/setup is excused.
boot_tripped() {
	[ ! -e "$RUN_DIR/control/started" ] &&
		grep -aq 'Oops: int3' "$RUN_DIR/console.log" 2>/dev/null
}

# boot_result QEMU-STATUS SECONDS: turn the end of QEMU into lab/vm's status.
boot_result() {
	local qemu=$1 seconds=$2 control=$RUN_DIR/control log

	for log in dmesg kmemleak; do
		[ ! -f "$control/$log" ] || mv "$control/$log" "$RUN_DIR/$log"
	done
	if kernel_reports "$RUN_DIR/console.log" "$RUN_DIR/dmesg" "$RUN_DIR/kmemleak" >"$RUN_DIR/report"; then
		say "the guest kernel reported an error (log: $RUN_DIR/console.log):"
		cat "$RUN_DIR/report" >&2
		return 99
	fi
	rm -f "$RUN_DIR/report"
	if [ "$qemu" -eq 124 ] || [ "$qemu" -eq 137 ]; then
		say "the guest did not finish within $OPT_TIMEOUT s and was stopped (--timeout); its console ended with:"
		tr -d '\r' <"$RUN_DIR/console.log" | tail -n 10 >&2
		return 124
	fi
	if [ "$qemu" -ne 0 ] && [ ! -s "$control/status" ]; then
		say "QEMU failed with status $qemu: $(grep -v 'warning:' "$RUN_DIR/qemu.log" | tail -n 1)"
		return 125
	fi
	if [ ! -s "$control/status" ]; then
		say "the guest ended without running the command to its end; its console ended with:"
		tr -d '\r' <"$RUN_DIR/console.log" | tail -n 10 >&2
		return 125
	fi
	if rmdir "$RUN_DIR/out" 2>/dev/null; then
		say "the guest ran for $seconds s"
	else
		say "the guest ran for $seconds s; its /out is $RUN_DIR/out"
	fi
	return "$(cat "$control/status")"
}

# boot_dry: print the command that boot would run, as one line for a shell.
# lab/prepare keeps a run folder, dry-run, whose guest runs "true": with it the
# line can be used as it is.
boot_dry() {
	local word line=''

	RUN_DIR=$BUILD/dry-run
	qemu_command
	RUN_DIR=
	for word in "${QEMU[@]}"; do
		[[ "$word" =~ ^[A-Za-z0-9_@%+=:,./-]+$ ]] || word=${word@Q}
		line+=" $word"
	done
	printf '%s\n' "${line# }"
}
