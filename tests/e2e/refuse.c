// SPDX-License-Identifier: GPL-2.0
/*
 * Where peer-to-peer memory cannot be used, it is refused: -EREMOTEIO, no READ
 * and no WRITE on the wire, nothing changed.  Memory is served as ever.
 *
 * The guest decides what is tested: TCP where the virtual RNIC could do it, and
 * otherwise RDMA on a device (rxe), a fabric (topology "unreachable") or a
 * kernel (stock) that cannot.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/evidence.h"
#include "../lib/io.h"
#include "../lib/lab.h"
#include "../lib/nfsfile.h"
#include "../lib/pattern.h"
#include "../lib/rows.h"

#define FILE_SIZE (4UL << 20)
#define BUF_SIZE  (1UL << 20)
#define OLD_SEED  1 /* data that must stay */
#define NEW_SEED  2 /* data that must not arrive */

/**
 * struct row - one test
 * @version:	NFS version
 * @write:	direction, as the file sees it
 * @kind:	kind of memory (for mixed rows: of the refused part)
 * @engine:	interface
 * @len:	bytes (for mixed rows: of each part)
 * @offset:	of the memory in its page, bytes
 */
struct row {
	const char *version;
	bool write;
	enum mem_kind kind;
	enum io_engine engine;
	size_t len;
	size_t offset;
};

#define MAX_ROWS 400

static struct row rows[MAX_ROWS];
static struct rows tests;
static struct nfsfile file = NFSFILE_CLOSED;
static struct membuf ram, p2p;
static const char *proto;

/* Does the mount itself say yes, and only the fabric no? */
static bool mount_allows(void)
{
	return !lab_is_stock() && !strcmp(proto, "rdma") && !strcmp(lab_rnic(), "vrnic");
}

static void prepare(const struct row *row, struct evidence *before)
{
	int rc;

	nfsfile_mount(&file, row->version, proto, "refuse", FILE_SIZE);
	nfsfile_server_fill(&file, FILE_SIZE, OLD_SEED, 0);
	evidence_start(before);
	rc = membuf_alloc(&ram, MEM_RAM, BUF_SIZE + 4096);
	if (!rc && row->kind != MEM_RAM)
		rc = membuf_alloc(&p2p, row->kind, BUF_SIZE + 4096);
	if (rc)
		fail_msg("no %s buffer: %s", mem_name(row->kind), strerror(-rc));
}

static int free_buffers(void **state)
{
	(void)state;
	membuf_free(&ram);
	membuf_free(&p2p);
	return 0;
}

/* Neither the file nor the refused memory may have changed. */
static void untouched(const struct row *row, const unsigned char *data, size_t pos)
{
	nfsfile_server_check(&file, FILE_SIZE - pos, OLD_SEED, pos);
	nfsfile_buffer_check(data, row->len, NEW_SEED, 0, "refused buffer");
}

static void test_refused(void **state)
{
	const struct row *row = *state;
	struct expected nothing = { .pins = PINS_BALANCED };
	struct evidence before;
	unsigned char *data;
	ssize_t done;

	prepare(row, &before);
	data = p2p.data + row->offset;
	pattern_fill(data, row->len, NEW_SEED, 0);
	done = io_one(row->engine, row->write, file.client, data, row->len, 0);
	assert_int_equal(done, -EREMOTEIO);
	untouched(row, data, 0);
	free_buffers(NULL);
	evidence_no_data_rpc(&before, false);
	evidence_check(&before, &nothing);
}

/* Error contract: what lies before the refused memory is done. */
static void test_ram_first(void **state)
{
	const struct row *row = *state;
	struct expected nothing = { .may_copy = row->len };
	struct evidence before;
	struct iovec iov[2];
	ssize_t done;

	prepare(row, &before);
	iov[0] = (struct iovec){ ram.data + row->offset, row->len };
	iov[1] = (struct iovec){ p2p.data + row->offset, row->len };
	pattern_fill(iov[0].iov_base, row->len, NEW_SEED, 0);
	pattern_fill(iov[1].iov_base, row->len, NEW_SEED, 0);
	done = io_vec(row->engine, row->write, file.client, iov, 2, 0);
	assert_int_equal(done, row->len);
	untouched(row, iov[1].iov_base, row->len);
	if (row->write)
		nfsfile_server_check(&file, row->len, NEW_SEED, 0);
	else
		nfsfile_buffer_check(iov[0].iov_base, row->len, OLD_SEED, 0, "RAM buffer");
	free_buffers(NULL);
	evidence_check(&before, &nothing);
}

static void test_p2p_first(void **state)
{
	const struct row *row = *state;
	struct expected nothing = { .pins = PINS_BALANCED };
	struct evidence before;
	struct iovec iov[2];
	ssize_t done;

	prepare(row, &before);
	iov[0] = (struct iovec){ p2p.data + row->offset, row->len };
	iov[1] = (struct iovec){ ram.data + row->offset, row->len };
	pattern_fill(iov[0].iov_base, row->len, NEW_SEED, 0);
	pattern_fill(iov[1].iov_base, row->len, NEW_SEED, 0);
	done = io_vec(row->engine, row->write, file.client, iov, 2, 0);
	assert_int_equal(done, -EREMOTEIO);
	/* Nothing behind the refused memory is sent either. */
	untouched(row, iov[0].iov_base, 0);
	nfsfile_buffer_check(iov[1].iov_base, row->len, NEW_SEED, 0,
			     "RAM buffer behind the refused one");
	evidence_no_data_rpc(&before, false);
	free_buffers(NULL);
	evidence_check(&before, &nothing);
}

static void test_ram(void **state)
{
	const struct row *row = *state;
	struct expected exp = { .pins = PINS_EXACT };
	struct evidence before;
	unsigned char *data;
	ssize_t done;

	prepare(row, &before);
	data = ram.data + row->offset;
	expected_add(&exp, row->write, MEM_RAM, data, row->len);
	if (row->write)
		pattern_fill(data, row->len, NEW_SEED, 0);
	done = io_one(row->engine, row->write, file.client, data, row->len, 0);
	assert_int_equal(done, row->len);
	if (row->write)
		nfsfile_server_check(&file, row->len, NEW_SEED, 0);
	else
		nfsfile_buffer_check(data, row->len, OLD_SEED, 0, "RAM buffer");
	nfsfile_server_check(&file, FILE_SIZE - row->len, OLD_SEED, row->len);
	free_buffers(NULL);
	evidence_check(&before, &exp);
}

static void test_caps(void **state)
{
	const struct row *row = *state;
	struct mount_stats st;

	nfsfile_mount(&file, row->version, proto, "refuse", FILE_SIZE);
	assert_return_code(mount_stats_read(LAB_MOUNT, &st), 0);
	assert_int_equal(st.rdma, !strcmp(proto, "rdma"));
	if (!!(st.caps & CAP_P2PDMA) != mount_allows())
		fail_msg("caps=0x%llx: NFS_CAP_P2PDMA must be %s", (unsigned long long)st.caps,
			 mount_allows() ? "set" : "clear");
}

/* Keep @row until the tests are done, and make it one. */
static struct CMUnitTest test_of(CMUnitTestFunction func, struct row row)
{
	struct row *kept = &rows[tests.count];

	assert_true(tests.count < MAX_ROWS);
	*kept = row;
	return (struct CMUnitTest){
		.test_func = func,
		.teardown_func = free_buffers,
		.initial_state = kept,
	};
}

static void add(CMUnitTestFunction func, const char *what, struct row row)
{
	rows_add(&tests, test_of(func, row), "v%s %s %s %s %s %zu %s", row.version, proto, what,
		 row.write ? "write" : "read", mem_name(row.kind), row.len,
		 io_engine_name(row.engine));
}

/* All rows of one NFS version, direction and interface. */
static void add_rows(const char *version, bool write, enum io_engine engine)
{
	struct row row = {
		.version = version,
		.write = write,
		.engine = engine,
	};

	for (row.kind = MEM_CMB; row.kind < MEM_KINDS; row.kind++) {
		row.offset = 0;
		row.len = 512;
		add(test_refused, "refuses", row);
		row.len = 1UL << 20;
		add(test_refused, "refuses", row);
		row.len = 65536;
		add(test_p2p_first, "refuses P2P before RAM", row);
		add(test_ram_first, "ends short after RAM", row);
		row.len = 5001;
		row.offset = 77;
		add(test_ram_first, "ends short after odd RAM", row);
	}
	row.kind = MEM_RAM;
	row.offset = 0;
	row.len = 1UL << 20;
	add(test_ram, "serves", row);
	row.len = 512;
	add(test_ram, "serves", row);
}

int main(int argc, char **argv)
{
	int rc = lab_main_setup(argc, argv);

	if (rc)
		return rc;
	proto = !lab_reachable() || lab_is_stock() || strcmp(lab_rnic(), "vrnic") ? "rdma" : "tcp";
	for (const char *const *v = lab_versions; *v; v++) {
		rows_add(&tests, test_of(test_caps, (struct row){ .version = *v }),
			 "v%s %s capability bit", *v, proto);
		for (int write = 0; write < 2; write++)
			for (int engine = 0; engine < IO_ENGINES; engine++)
				add_rows(*v, write, engine);
	}
	return rows_run(&tests, "refuse", nfsfile_leave);
}
