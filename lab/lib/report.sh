# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Finding the guest kernel's own reports of something wrong.

# Only what the kernel prints when it reports: ordinary messages that merely
# contain "bug" or "warning" do not match. Sources: lib/bug.c, lib/dump_stack,
# kernel/locking/lockdep.c, mm/kasan/report.c, kernel/dma/debug.c,
# kernel/hung_task.c, lib/refcount.c, kernel/rcu/tree_stall.h, kernel/panic.c,
# lib/debugobjects.c, mm/kfence/report.c, mm/slub.c, lib/list_debug.c, mm/kmemleak.c.
readonly REPORT_PATTERN='(^|\] )(BUG: |WARNING: (CPU: |possible |suspicious |inconsistent |bad unlock |held lock |Nested lock|lock held |kernel/|.* at .*\.[ch]:[0-9])|Oops|Kernel BUG|kernel BUG at |DMA-API: (.*(device driver|mapping|overlapping|exceeded)|debugging out of memory|cacheline tracking ENOMEM)|general protection fault|stack segment|divide error|refcount_t: |ODEBUG: |list_(add|del) corruption|INFO: (task .* blocked for more than|rcu.*(detected|self-detected)|trying to register non-static key)|rcu: INFO: .*stall|Kernel panic|=+\[ cut here|-+\[ cut here|watchdog: BUG|UBSAN: |page_counter underflow|Bad page |Unable to handle kernel|unreferenced object 0x|kmemleak: .*([Dd]isabled|pool empty)|unregister_netdevice: waiting for)|BUG: KASAN|BUG: KFENCE|soft lockup|hard LOCKUP'

# kernel_reports FILE...: print the first reports with what follows them.
# True if there is one. NUL and CR come from the serial console.
kernel_reports() {
	local found

	found=$(sed -s 's/[\x00\r]//g' "$@" 2>/dev/null | grep -aE -A 40 "$REPORT_PATTERN" || true)
	[ -n "$found" ] || return 1
	head -n 90 <<<"$found"
}
