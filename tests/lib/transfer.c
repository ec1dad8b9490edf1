// SPDX-License-Identifier: GPL-2.0
/* One I/O with all that has to be true afterwards: see transfer.h. */
#include "transfer.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "evidence.h"
#include "pattern.h"

/* Each transfer has seeds of its own, so that no old data looks right. */
static uint64_t last_seed;
static struct membuf buf;

/* What must be in the file and in the buffer before the I/O. */
static void prepare(const struct nfsfile *file, const struct transfer *t, struct evidence *before)
{
	int rc;

	last_seed += 2;
	nfsfile_server_fill(file, t->len, last_seed, 0);
	evidence_start(before);
	rc = membuf_alloc(&buf, t->kind, t->len);
	if (rc)
		fail_msg("no %s buffer: %s", mem_name(t->kind), strerror(-rc));
	pattern_fill(buf.data, t->len, last_seed + 1, 0);
	nfsfile_guard(file, t->len, 0);
}

/**
 * transfer_served - do it; everything must arrive, by the way it has to take
 * @file:	open at both ends; its first bytes are overwritten
 * @t:		what to do
 *
 * Peer-to-peer memory goes by RDMA and by no other way, as evidence_check()
 * says.  Fails the running test otherwise.
 */
void transfer_served(const struct nfsfile *file, const struct transfer *t)
{
	struct expected exp = { .pins = PINS_EXACT, .may_copy = t->wrapping };
	struct evidence before;
	uint64_t seed;
	ssize_t done;

	prepare(file, t, &before);
	expected_add(&exp, t->write, t->kind, buf.data, t->len);
	done = io_one(t->engine, t->write, file->client, buf.data, t->len, 0);
	if (done < 0)
		fail_msg("%s", strerror((int)-done));
	assert_int_equal(done, t->len);
	seed = t->write ? last_seed + 1 : last_seed;
	nfsfile_server_check(file, t->len, seed, 0);
	nfsfile_buffer_check(buf.data, t->len, seed, 0, mem_name(t->kind));
	nfsfile_guard_check(file, t->len, 0);
	membuf_free(&buf);
	evidence_check(&before, &exp);
}

/**
 * transfer_refused - try it; nothing may happen but -EREMOTEIO
 * @file:	open at both ends
 * @t:		what to do
 *
 * No READ and no WRITE may be made up for it, let alone sent, and neither file
 * nor memory may change.  Fails the running test otherwise.
 */
void transfer_refused(const struct nfsfile *file, const struct transfer *t)
{
	const struct expected nothing = { .pins = PINS_BALANCED };
	struct evidence before;
	ssize_t done;

	prepare(file, t, &before);
	done = io_one(t->engine, t->write, file->client, buf.data, t->len, 0);
	assert_int_equal(done, -EREMOTEIO);
	nfsfile_server_check(file, t->len, last_seed, 0);
	nfsfile_buffer_check(buf.data, t->len, last_seed + 1, 0, "refused buffer");
	membuf_free(&buf);
	evidence_no_data_rpc(&before, false);
	evidence_check(&before, &nothing);
}

/**
 * transfer_p2p_mix - both directions, both providers, several interfaces
 * @file:	open at both ends
 * @served:	they have to work; otherwise to be refused
 *
 * Two READs and two WRITEs of TRANSFER_MIX_LEN bytes each, one RPC each.
 */
void transfer_p2p_mix(const struct nfsfile *file, bool served)
{
	for (int i = 0; i < 4; i++) {
		const struct transfer t = {
			.write = i % 2,
			.kind = i / 2 ? MEM_BAR : MEM_CMB,
			.engine = i % IO_ENGINES,
			.len = TRANSFER_MIX_LEN,
		};

		if (served)
			transfer_served(file, &t);
		else
			transfer_refused(file, &t);
	}
}

/**
 * transfer_ram_mix - both directions with ordinary memory, which always work
 * @file:	open at both ends
 *
 * One READ and one WRITE of TRANSFER_MIX_LEN bytes each.
 */
void transfer_ram_mix(const struct nfsfile *file)
{
	for (int write = 0; write < 2; write++) {
		const struct transfer t = { write, MEM_RAM, IO_SYNC, TRANSFER_MIX_LEN, 0 };

		transfer_served(file, &t);
	}
}

/**
 * transfer_cleanup - for the teardown of tests: free what a failure left
 * @state:	of cmocka, not used
 *
 * Return: 0.
 */
int transfer_cleanup(void **state)
{
	(void)state;
	membuf_free(&buf);
	return 0;
}
