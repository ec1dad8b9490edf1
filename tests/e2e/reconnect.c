// SPDX-License-Identifier: GPL-2.0
/*
 * The mount stays, the RDMA device changes: the virtual RNIC goes, a software
 * device (rxe) that cannot carry peer-to-peer memory takes its place, and later
 * the virtual RNIC comes back.  What is true of the present device must hold.
 */
#include <errno.h>
#include <string.h>

#include "../lib/evidence.h"
#include "../lib/io.h"
#include "../lib/lab.h"
#include "../lib/link.h"
#include "../lib/nfsfile.h"
#include "../lib/pattern.h"
#include "../lib/rows.h"

#define SIZE	 (4UL << 20)
#define OLD_SEED 1 /* data that must stay */
#define NEW_SEED 2 /* data that must not arrive on the wrong device */

static struct nfsfile file = NFSFILE_CLOSED;
static struct membuf ram, p2p;

/* Memory is served by any device. */
static void check_ram(const struct subject *s, uint64_t seed)
{
	pattern_fill(ram.data, SIZE, seed, 0);
	if (!s->write)
		nfsfile_server_fill(&file, SIZE, seed, 0);
	assert_int_equal(io_one(IO_SYNC, s->write, file.client, ram.data, SIZE, 0), SIZE);
	nfsfile_server_check(&file, SIZE, seed, 0);
	nfsfile_buffer_check(ram.data, SIZE, seed, 0, "RAM buffer");
}

static void check_served(const struct subject *s, uint64_t seed)
{
	struct expected exp = { .pins = PINS_AT_LEAST };
	struct evidence before;

	evidence_start(&before);
	assert_int_equal(membuf_alloc(&p2p, s->kind, SIZE), 0);
	expected_add(&exp, s->write, s->kind, p2p.data, SIZE);
	if (s->write)
		pattern_fill(p2p.data, SIZE, seed, 0);
	else
		nfsfile_server_fill(&file, SIZE, seed, 0);
	assert_int_equal(io_one(IO_SYNC, s->write, file.client, p2p.data, SIZE, 0), SIZE);
	nfsfile_server_check(&file, SIZE, seed, 0);
	nfsfile_buffer_check(p2p.data, SIZE, seed, 0, mem_name(s->kind));
	membuf_free(&p2p);
	evidence_check(&before, &exp);
}

static void check_refused(const struct subject *s)
{
	const struct expected nothing = { .pins = PINS_BALANCED };
	struct evidence before;

	nfsfile_server_fill(&file, SIZE, OLD_SEED, 0);
	evidence_start(&before);
	assert_int_equal(membuf_alloc(&p2p, s->kind, SIZE), 0);
	pattern_fill(p2p.data, SIZE, NEW_SEED, 0);
	assert_int_equal(io_one(IO_SYNC, s->write, file.client, p2p.data, SIZE, 0), -EREMOTEIO);
	nfsfile_server_check(&file, SIZE, OLD_SEED, 0);
	nfsfile_buffer_check(p2p.data, SIZE, NEW_SEED, 0, "refused buffer");
	membuf_free(&p2p);
	evidence_no_data_rpc(&before, false);
	evidence_check(&before, &nothing);
}

static void test_there_and_back(void **state)
{
	const struct subject *s = *state;

	nfsfile_mount(&file, s->version, "rdma", "reconnect", SIZE);
	assert_int_equal(membuf_alloc(&ram, MEM_RAM, SIZE), 0);
	check_served(s, 10);
	/* Peer-to-peer I/O first: it must not take other I/O to reconnect. */
	link_use_rxe(true);
	check_refused(s);
	check_ram(s, 11);
	link_use_rxe(false);
	check_served(s, 12);
	check_ram(s, 13);
}

static int cleanup(void **state)
{
	(void)state;
	link_use_rxe(false);
	membuf_free(&ram);
	membuf_free(&p2p);
	return 0;
}

static const struct subject table[] = {
	{ test_there_and_back, "v3 write CMB, rxe and back", "3", true, MEM_CMB },
	{ test_there_and_back, "v3 read BAR, rxe and back", "3", false, MEM_BAR },
	{ test_there_and_back, "v4.2 write BAR, rxe and back", "4.2", true, MEM_BAR },
	{ test_there_and_back, "v4.2 read CMB, rxe and back", "4.2", false, MEM_CMB },
};

int main(int argc, char **argv)
{
	return subjects_main(argc, argv, table, sizeof(table) / sizeof(table[0]), "reconnect",
			     cleanup, nfsfile_leave);
}
