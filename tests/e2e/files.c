// SPDX-License-Identifier: GPL-2.0
/*
 * File layouts: READ and WRITE go to one of two data servers, stripe by stripe, by
 * NFSv4.1 or later.  Both are the NFS server itself, which has the same file for them, by
 * RDMA; the kernel of lab/debug hands out such layouts, no other server in Debian does.
 *
 * Peer-to-peer memory works as it does without a layout.  When a data server fails, the
 * metadata server takes its place, and the application must not notice.
 */
#include <inttypes.h>
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

#define READ_ERRORS "/sys/module/nfsd/parameters/lab_read_errors"
#define FILE_SIZE   (4UL << 20)
#define STRIPE	    (256UL << 10)
#define OLD_SEED    1
#define NEW_SEED    2

/**
 * struct row - one test
 * @version:	NFS version
 * @len:	bytes
 * @pos:	position in the file, in bytes
 * @kind:	kind of memory
 * @write:	direction, as the file sees it
 * @fails:	a data server fails, once
 */
struct row {
	const char *version;
	size_t len;
	uint64_t pos;
	enum mem_kind kind;
	bool write;
	bool fails;
};

#define MAX_ROWS 80

static struct row rows[MAX_ROWS];
static struct nfsfile file = NFSFILE_CLOSED;
static struct membuf buf;
static const char *mounted;

/* @anew: after a failure the client does without layouts for a while. */
static void mount_files(const char *version, bool anew)
{
	static const char *const extra[] = { "--pnfs", "files", NULL };

	if (mounted && !strcmp(mounted, version) && !anew)
		return;
	mounted = NULL;
	nfsfile_close(&file);
	if (lab_mount_with(version, "rdma", extra))
		fail_msg("lab-nfs up --pnfs files failed");
	nfsfile_open(&file, "files", FILE_SIZE);
	mounted = version;
}

static int clean_up(void **state)
{
	(void)state;
	lab_put(READ_ERRORS, "0");
	membuf_free(&buf);
	return 0;
}

static void test_row(void **state)
{
	const struct row *row = *state;
	struct expected exp = { .pins = PINS_EXACT, .resent = row->fails };
	struct evidence before, after;
	uint64_t reads, writes;

	mount_files(row->version, row->fails);
	nfsfile_server_fill(&file, FILE_SIZE, OLD_SEED, 0);
	evidence_start(&before);
	assert_int_equal(membuf_alloc(&buf, row->kind, row->len), 0);
	pattern_fill(buf.data, row->len, NEW_SEED, row->pos);
	expected_add(&exp, row->write, row->kind, buf.data, row->len);
	lab_put(READ_ERRORS, row->fails ? "1" : "0");
	assert_int_equal(
		io_one(IO_SYNC, row->write, file.client, buf.data, row->len, (off_t)row->pos),
		row->len);
	if (row->write)
		nfsfile_server_check(&file, row->len, NEW_SEED, row->pos);
	else
		nfsfile_buffer_check(buf.data, row->len, OLD_SEED, row->pos, mem_name(row->kind));
	clean_up(NULL);
	evidence_check(&before, &exp);
	evidence_take(&after);
	assert_string_equal(after.mount.pnfs, "LAYOUT_NFSV4_1_FILES");
	reads = after.mount.pnfs_reads - before.mount.pnfs_reads;
	writes = after.mount.pnfs_writes - before.mount.pnfs_writes;
	assert_true(reads + writes > 0);
	assert_int_equal(after.server.writes - before.server.writes, writes);
	/* What is left when a data server has failed may do without the layout, too. */
	if (row->fails)
		assert_true(after.server.reads - before.server.reads > reads);
	else
		assert_int_equal(after.server.reads - before.server.reads, reads);
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
		 "v%s file layout: %s %s %zu at %" PRIu64 "%s", row.version,
		 row.write ? "write" : "read", mem_name(row.kind), row.len, row.pos,
		 row.fails ? ", a data server fails" : "");
}

static void add_rows(struct rows *tests, const char *version)
{
	static const struct {
		size_t len;
		uint64_t pos;
	} pieces[] = { { 512, 0 }, { 65536, STRIPE - 4096 }, { 1UL << 20, 3 * STRIPE } };

	for (int i = 0; i < 2 * MEM_KINDS * 3; i++)
		add_row(tests, (struct row){
				       .version = version,
				       .write = i % 2,
				       .kind = i / 2 % MEM_KINDS,
				       .len = pieces[i / 2 / MEM_KINDS].len,
				       .pos = pieces[i / 2 / MEM_KINDS].pos,
			       });
	for (int kind = 0; kind < MEM_KINDS; kind++)
		add_row(tests, (struct row){
				       .version = version,
				       .kind = kind,
				       .len = 1UL << 20,
				       .pos = STRIPE,
				       .fails = true,
			       });
}

int main(int argc, char **argv)
{
	int rc = lab_main_setup(argc, argv);
	struct rows tests = { 0 };

	if (rc)
		return rc;
	add_rows(&tests, "4.1");
	add_rows(&tests, "4.2");
	return rows_run(&tests, "files", nfsfile_leave);
}
