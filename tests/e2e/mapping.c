// SPDX-License-Identifier: GPL-2.0
/*
 * What nobody could know before the transport registers the memory: the RPC for
 * peer-to-peer memory fails when it is marshalled, the NIC having been told to
 * refuse the region.  That ends this RPC and no other: what is in front of it in
 * the same iovec is done, and committed, and counts.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/evidence.h"
#include "../lib/io.h"
#include "../lib/lab.h"
#include "../lib/nfsfile.h"
#include "../lib/pattern.h"
#include "../lib/rows.h"

#define FILE_SIZE (1UL << 20)
#define PART	  65536UL
#define OLD_SEED  1
#define NEW_SEED  2

/**
 * struct row - one test
 * @version:	NFS version
 * @write:	direction, as the file sees it
 * @ram_first:	there is ordinary memory in front
 */
struct row {
	const char *version;
	bool write;
	bool ram_first;
};

#define MAX_ROWS 16

static struct row rows[MAX_ROWS];
static struct nfsfile file = NFSFILE_CLOSED;
static struct membuf ram, p2p;

static int clean_up(void **state)
{
	(void)state;
	nic_control("accept_p2p");
	membuf_free(&ram);
	membuf_free(&p2p);
	return 0;
}

static void check_data(const struct row *row, size_t done)
{
	if (row->write)
		nfsfile_server_check(&file, done, NEW_SEED, 0);
	else if (done)
		nfsfile_buffer_check(ram.data, done, OLD_SEED, 0, "RAM buffer");
	nfsfile_server_check(&file, FILE_SIZE - done, OLD_SEED, done);
	nfsfile_buffer_check(p2p.data, PART, NEW_SEED, 0, "refused buffer");
}

static void test_row(void **state)
{
	const struct row *row = *state;
	struct expected nothing = { .may_copy = PART };
	struct evidence before;
	struct iovec iov[2];
	ssize_t want = row->ram_first ? (ssize_t)PART : -EIO;

	nfsfile_mount(&file, row->version, "rdma", "mapping", FILE_SIZE);
	nfsfile_server_fill(&file, FILE_SIZE, OLD_SEED, 0);
	evidence_start(&before);
	assert_int_equal(membuf_alloc(&ram, MEM_RAM, PART), 0);
	assert_int_equal(membuf_alloc(&p2p, MEM_BAR, PART), 0);
	pattern_fill(ram.data, PART, NEW_SEED, 0);
	pattern_fill(p2p.data, PART, NEW_SEED, 0);
	iov[0] = (struct iovec){ ram.data, PART };
	iov[row->ram_first] = (struct iovec){ p2p.data, PART };
	assert_return_code(nic_control("refuse_p2p"), 0);
	assert_int_equal(io_vec(IO_SYNC, row->write, file.client, iov, 1 + row->ram_first, 0),
			 want);
	check_data(row, row->ram_first ? PART : 0);
	clean_up(NULL);
	if (!row->ram_first)
		evidence_no_data_rpc(&before, true);
	evidence_check(&before, &nothing);
}

static void add_row(struct rows *tests, struct row row)
{
	struct row *kept = &rows[tests->count];

	assert_true(tests->count < MAX_ROWS);
	*kept = row;
	rows_add(tests,
		 (struct CMUnitTest){
			 .test_func = test_row,
			 .teardown_func = clean_up,
			 .initial_state = kept,
		 },
		 "v%s %s, %s", row.version, row.write ? "write" : "read",
		 row.ram_first ? "RAM in front" : "alone");
}

int main(int argc, char **argv)
{
	int rc = lab_main_setup(argc, argv);
	struct rows tests = { 0 };

	if (rc)
		return rc;
	for (const char *const *v = lab_versions; *v; v++)
		for (int i = 0; i < 4; i++)
			add_row(&tests,
				(struct row){ .version = *v, .write = i & 1, .ram_first = i & 2 });
	return rows_run(&tests, "mapping", nfsfile_leave);
}
