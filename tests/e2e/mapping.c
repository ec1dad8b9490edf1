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
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/evidence.h"
#include "../lib/io.h"
#include "../lib/lab.h"
#include "../lib/nfsfile.h"
#include "../lib/pattern.h"

#define FILE_SIZE (1UL << 20)
#define PART	  65536UL
#define OLD_SEED  1
#define NEW_SEED  2

/**
 * struct row - one test
 * @name:	what it is called
 * @version:	NFS version
 * @write:	direction, as the file sees it
 * @ram_first:	there is ordinary memory in front
 */
struct row {
	char name[64];
	const char *version;
	bool write;
	bool ram_first;
};

#define MAX_ROWS 16

static struct row rows[MAX_ROWS];
static struct CMUnitTest tests[MAX_ROWS];
static size_t ntests;
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

static void add(const char *version, bool write, bool ram_first)
{
	struct row *row = &rows[ntests];

	assert_true(ntests < MAX_ROWS);
	*row = (struct row){ .version = version, .write = write, .ram_first = ram_first };
	snprintf(row->name, sizeof(row->name), "v%s %s, %s", version, write ? "write" : "read",
		 ram_first ? "RAM in front" : "alone");
	tests[ntests++] = (struct CMUnitTest){
		.name = row->name,
		.test_func = test_row,
		.teardown_func = clean_up,
		.initial_state = row,
	};
}

static int leave(void **state)
{
	(void)state;
	nfsfile_close(&file);
	return lab_unmount();
}

int main(int argc, char **argv)
{
	int rc = lab_main_setup(argc, argv);

	if (rc)
		return rc;
	for (const char *const *v = lab_versions; *v; v++)
		for (int i = 0; i < 4; i++)
			add(*v, i & 1, i & 2);
	return _cmocka_run_group_tests("mapping", tests, ntests, NULL, leave);
}
