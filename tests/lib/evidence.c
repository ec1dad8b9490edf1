// SPDX-License-Identifier: GPL-2.0
/* Snapshots of counters, and what they must show: see evidence.h. */
#include "evidence.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lab.h"

#define SETTLE_TRIES 250 /* of 20 ms each */
#define START_TRIES  50

static void pause_briefly(void)
{
	const struct timespec pause = { .tv_nsec = 20000000 };

	nanosleep(&pause, NULL);
}

/* All that is wrong, in one message: a lone number explains little. */
struct report {
	char text[2048];
	size_t len;
};

static void complain(struct report *r, const char *what, int64_t got, int64_t want)
{
	if (r->len < sizeof(r->text))
		r->len += snprintf(r->text + r->len, sizeof(r->text) - r->len,
				   "%s%s changed by %" PRId64 ", expected %" PRId64,
				   r->len ? "\n" : "", what, got, want);
}

static void expect_delta(struct report *r, const char *what, uint64_t before, uint64_t after,
			 uint64_t want)
{
	if (after - before != want)
		complain(r, what, (int64_t)(after - before), (int64_t)want);
}

static void expect_at_least(struct report *r, const char *what, uint64_t before, uint64_t after,
			    uint64_t want)
{
	if (after - before < want)
		complain(r, what, (int64_t)(after - before), (int64_t)want);
}

/**
 * evidence_take - read every counter
 * @ev:		filled in
 *
 * Fails the running test if a source cannot be read.  A missing mount, server,
 * NIC or provider is no error: its counters are zero.
 */
void evidence_take(struct evidence *ev)
{
	int rc;

	*ev = (struct evidence){ 0 };
	rc = nic_stats_read(&ev->nic);
	if (rc)
		fail_msg("cannot read the counters of vrnic: %s", strerror(-rc));
	mount_stats_read(LAB_MOUNT, &ev->mount);
	server_stats_read(&ev->server);
	for (int kind = MEM_CMB; kind < MEM_KINDS; kind++)
		p2pmem_available(kind, &ev->available[kind]);
	rc = pin_stats_read(&ev->pins);
	if (rc)
		fail_msg("cannot read the counters of pinned pages: %s", strerror(-rc));
}

/**
 * evidence_start - read every counter before an I/O
 * @ev:		filled in
 *
 * Like evidence_take(), but first waits for the echo of what happened before:
 * printing a result pins a page too, when stdout is a file on 9p, and that page
 * is released a moment later.
 */
void evidence_start(struct evidence *ev)
{
	static uint64_t leaked; /* by earlier, failed tests */
	uint64_t held;
	int try = 0;

	do {
		if (try)
			pause_briefly();
		evidence_take(ev);
		held = ev->pins.acquired - ev->pins.released;
	} while (held != leaked && ++try < START_TRIES);
	leaked = held;
}

/**
 * expected_add - describe one segment of an I/O that succeeds
 * @exp:	is added to
 * @write:	true if the file is written
 * @kind:	where the caller's memory lives
 * @data:	its first byte
 * @len:	bytes that are transferred
 */
void expected_add(struct expected *exp, bool write, enum mem_kind kind, const void *data,
		  size_t len)
{
	uintptr_t page = sysconf(_SC_PAGESIZE);
	uintptr_t first = (uintptr_t)data / page;
	uintptr_t last = ((uintptr_t)data + len - 1) / page;

	exp->pages += last - first + 1;
	if (kind == MEM_RAM) {
		/* With the padding behind it: XDR counts in fours (RFC 4506, 4). */
		exp->may_copy += (len + 3) & ~(size_t)3;
		return;
	}

	if (write) {
		exp->p2p_read += len;
		exp->ram_skew += (int64_t)len;
	} else {
		exp->p2p_write += len;
		exp->ram_skew -= (int64_t)len;
	}
}

/* An I/O may be reported a moment before its last page is let go. */
static void settle(const struct evidence *before, struct evidence *after)
{
	for (int try = 0; try < SETTLE_TRIES; try++) {
		evidence_take(after);
		if (after->pins.acquired - before->pins.acquired ==
			    after->pins.released - before->pins.released &&
		    !memcmp(after->available, before->available, sizeof(after->available)))
			return;
		pause_briefly();
	}
}

static void check_nic(struct report *r, const struct nic_stats *b, const struct nic_stats *a,
		      const struct expected *exp)
{
	bool bus = lab_route() == LAB_BUS;
	void (*check)(struct report *, const char *, uint64_t, uint64_t, uint64_t) =
		exp->resent ? expect_at_least : expect_delta;
	int64_t skew;

	check(r, "p2p_bus_read_bytes", b->bus_read, a->bus_read, bus ? exp->p2p_read : 0);
	check(r, "p2p_bus_write_bytes", b->bus_write, a->bus_write, bus ? exp->p2p_write : 0);
	check(r, "p2p_iommu_read_bytes", b->iommu_read, a->iommu_read, bus ? 0 : exp->p2p_read);
	check(r, "p2p_iommu_write_bytes", b->iommu_write, a->iommu_write, bus ? 0 : exp->p2p_write);
	expect_delta(r, "dma_faults", b->faults, a->faults, 0);

	skew = (int64_t)((a->ram_write - b->ram_write) - (a->ram_read - b->ram_read));
	if (!exp->resent && skew != exp->ram_skew)
		complain(r, "ram_write_bytes - ram_read_bytes", skew, exp->ram_skew);
}

static void check_copies(struct report *r, const char *what, uint64_t before, uint64_t after,
			 const struct expected *exp)
{
	if (after - before > exp->may_copy)
		complain(r, what, (int64_t)(after - before), (int64_t)exp->may_copy);
}

/*
 * Before 7.3, pin_user_pages_fast() pins a page that belongs to no file, lets it go
 * and does it again the slow way (mm/gup.c, gup_fast_folio_allowed()): once for each
 * time that peer-to-peer memory is extracted.
 */
static bool pins_some_twice(const struct expected *exp)
{
	unsigned int major, minor;
	struct utsname u;

	return (exp->p2p_read || exp->p2p_write) && !uname(&u) &&
	       sscanf(u.release, "%u.%u", &major, &minor) == 2 &&
	       (major < 7 || (major == 7 && minor < 3));
}

static void check_pins(struct report *r, const struct evidence *b, const struct evidence *a,
		       const struct expected *exp)
{
	uint64_t acquired = a->pins.acquired - b->pins.acquired;
	/* The stock modules pin nothing, and what is to behave like them need not. */
	enum pin_rule rule = lab_is_stock() ? PINS_BALANCED : exp->pins;

	if (a->pins.released - b->pins.released != acquired)
		complain(r, "nr_foll_pin_released", (int64_t)(a->pins.released - b->pins.released),
			 (int64_t)acquired);
	if (rule == PINS_EXACT && pins_some_twice(exp)) {
		expect_at_least(r, "nr_foll_pin_acquired", 0, acquired, exp->pages);
		if (acquired > 2 * exp->pages)
			complain(r, "nr_foll_pin_acquired", (int64_t)acquired, (int64_t)exp->pages);
	} else if (rule == PINS_EXACT) {
		expect_delta(r, "nr_foll_pin_acquired", 0, acquired, exp->pages);
	} else if (rule == PINS_AT_LEAST) {
		expect_at_least(r, "nr_foll_pin_acquired", 0, acquired, exp->pages);
	}
	for (int kind = MEM_CMB; kind < MEM_KINDS; kind++) {
		if (a->available[kind] != b->available[kind])
			complain(r, kind == MEM_CMB ? "CMB available" : "BAR available",
				 (int64_t)(a->available[kind] - b->available[kind]), 0);
	}
}

/**
 * evidence_check - fail the running test unless the counters fit the I/O
 * @before:	taken before the buffers of the I/O were allocated
 * @exp:	what the I/O must have done
 *
 * To be called after the buffers were freed: provider memory that is still held
 * is an error.  Waits up to five seconds for pages that are let go late.
 */
void evidence_check(const struct evidence *before, const struct expected *exp)
{
	struct report r = { .len = 0 };
	struct evidence after;

	settle(before, &after);
	check_nic(&r, &before->nic, &after.nic, exp);
	check_pins(&r, before, &after, exp);
	check_copies(&r, "pullup_copy_count", before->mount.pullup, after.mount.pullup, exp);
	check_copies(&r, "fixup_copy_count", before->mount.fixup, after.mount.fixup, exp);
	if (r.len)
		fail_msg("%s", r.text);
}

/**
 * evidence_check_pins - fail the running test unless all memory is let go again
 * @before:	taken before the buffers of the I/O were allocated
 *
 * What is left of evidence_check() if the counters of the NIC started anew in
 * between.
 */
void evidence_check_pins(const struct evidence *before)
{
	const struct expected balanced = { .pins = PINS_BALANCED };
	struct report r = { .len = 0 };
	struct evidence after;

	settle(before, &after);
	check_pins(&r, before, &after, &balanced);
	if (r.len)
		fail_msg("%s", r.text);
}

/**
 * evidence_no_data_rpc - fail the running test if READ or WRITE was sent
 * @before:	taken before
 * @tried:	the client may have made up such RPCs, as long as it kept them
 *
 * Looks at the client's and, independently, at the server's counters.  The
 * client's counters of RPCs include those that ended before they were sent.
 */
void evidence_no_data_rpc(const struct evidence *before, bool tried)
{
	const struct mount_stats *b = &before->mount, *a;
	struct report r = { .len = 0 };
	struct evidence after;

	evidence_take(&after);
	a = &after.mount;
	expect_delta(&r, "bytes sent in READ", b->read.sent, a->read.sent, 0);
	expect_delta(&r, "bytes sent in WRITE", b->write.sent, a->write.sent, 0);
	if (!tried) {
		expect_delta(&r, "READ RPCs", b->read.ops, a->read.ops, 0);
		expect_delta(&r, "WRITE RPCs", b->write.ops, a->write.ops, 0);
	}
	expect_delta(&r, "READ executed by the server", before->server.reads, after.server.reads,
		     0);
	expect_delta(&r, "WRITE executed by the server", before->server.writes, after.server.writes,
		     0);
	if (r.len)
		fail_msg("%s", r.text);
}
