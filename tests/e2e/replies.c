// SPDX-License-Identifier: GPL-2.0
/*
 * READ replies that are well formed, but not what the client expects: their head is
 * longer than that of earlier ones, or something follows the payload, or the place
 * where one would be.  By RDMA the payload has been put where it belongs before anybody
 * looks at the reply, and must stay there.  And replies whose head ends too early: what
 * is missing must not be looked for in the payload.
 *
 * The server is the one with the patches of lab/debug.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../lib/evidence.h"
#include "../lib/io.h"
#include "../lib/lab.h"
#include "../lib/nfsfile.h"
#include "../lib/pattern.h"
#include "../lib/rows.h"

#define PARAMETERS "/sys/module/nfsd/parameters/"
#define SIZE	   (1UL << 20)
#define SEED	   3

/**
 * struct row - one test
 * @version:	NFS version; with 4.1 and later a data server would answer, by 3
 * @proto:	"rdma" or "tcp"
 * @kind:	of memory
 * @no_attrs:	so many replies have no attributes
 * @tail:	words behind the payload, of all replies but the first
 */
struct row {
	const char *version;
	const char *proto;
	enum mem_kind kind;
	const char *no_attrs;
	const char *tail;
};

static struct nfsfile file = NFSFILE_CLOSED;
static struct membuf buf;

static void set_server(const char *no_attrs, const char *tail)
{
	lab_put(PARAMETERS "lab_read_no_attrs", no_attrs);
	lab_put(PARAMETERS "lab_read_tail", tail);
}

/* Anew each time: the client learns from the first reply. */
static void mount_anew(const struct row *row)
{
	static const char *const extra[] = { "--pnfs", "rdma", NULL };

	nfsfile_close(&file);
	if (lab_mount_with(row->version, row->proto, extra))
		fail_msg("lab-nfs up --pnfs rdma failed");
	nfsfile_open(&file, "replies", SIZE);
	nfsfile_server_fill(&file, SIZE, SEED, 0);
}

static void read_right(const struct row *row, size_t len, struct expected *exp)
{
	ssize_t done;

	memset(buf.data, 0, len);
	expected_add(exp, false, row->kind, buf.data, len);
	done = io_one(IO_SYNC, false, file.client, buf.data, len, 0);
	if (done != (ssize_t)len)
		fail_msg("READ of %zu bytes: %s", len, done < 0 ? strerror(-done) : "short");
	nfsfile_buffer_check(buf.data, len, SEED, 0, mem_name(row->kind));
}

/* The end of the file is no error, and no data. */
static void read_end(const struct row *row)
{
	assert_int_equal(membuf_alloc(&buf, row->kind, 4096), 0);
	assert_int_equal(io_one(IO_SYNC, false, file.client, buf.data, 4096, SIZE), 0);
	membuf_free(&buf);
}

static void test_row(void **state)
{
	static const size_t lens[] = { 65536, 65537, 5001, SIZE };
	struct expected exp = { .pins = PINS_EXACT };
	const struct row *row = *state;
	struct evidence before;

	mount_anew(row);
	evidence_start(&before);
	assert_int_equal(membuf_alloc(&buf, row->kind, SIZE), 0);
	set_server(row->no_attrs, "0");
	read_right(row, 65536, &exp);
	set_server("0", row->tail);
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++)
		read_right(row, lens[i], &exp);
	membuf_free(&buf);
	if (!strcmp(row->proto, "rdma"))
		evidence_check(&before, &exp);
	read_end(row);
}

/* A payload that begins with what the head lacks: count, end of the file, length. */
static void test_cut(void **state)
{
	const struct row *row = *state;
	const uint32_t words[] = { htonl(SIZE), htonl(0), htonl(SIZE) };
	ssize_t done;

	mount_anew(row);
	assert_int_equal(pwrite(file.server, words, sizeof(words), 0), sizeof(words));
	assert_int_equal(membuf_alloc(&buf, row->kind, SIZE), 0);
	lab_put(PARAMETERS "lab_read_cut", "Y");
	done = io_one(IO_SYNC, false, file.client, buf.data, SIZE, 0);
	lab_put(PARAMETERS "lab_read_cut", "N");
	if (done != -EIO)
		fail_msg("READ: %zd, not -EIO", done);
	assert_int_equal(io_one(IO_SYNC, false, file.client, buf.data, SIZE, 0), SIZE);
	assert_memory_equal(buf.data, words, sizeof(words));
	membuf_free(&buf);
}

static int cleanup(void **state)
{
	(void)state;
	set_server("0", "0");
	lab_put(PARAMETERS "lab_read_cut", "N");
	membuf_free(&buf);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct row table[] = {
		{ "3", "rdma", MEM_RAM, "1", "0" },   { "3", "rdma", MEM_CMB, "1", "0" },
		{ "3", "tcp", MEM_RAM, "1", "0" },    { "3", "rdma", MEM_RAM, "0", "1" },
		{ "3", "rdma", MEM_BAR, "0", "2" },   { "3", "rdma", MEM_CMB, "1", "3" },
		{ "4.0", "rdma", MEM_RAM, "0", "1" }, { "4.0", "rdma", MEM_CMB, "0", "3" },
	};
	static const struct row cut[] = { { "3", "rdma", MEM_RAM, "0", "0" },
					  { "3", "rdma", MEM_CMB, "0", "0" } };
	struct rows rows = { 0 };
	int rc = lab_main_setup(argc, argv);

	if (rc)
		return rc;
	for (const struct row *row = table; row < table + sizeof(table) / sizeof(table[0]); row++)
		rows_add(&rows,
			 (struct CMUnitTest){
				 .test_func = test_row,
				 .teardown_func = cleanup,
				 .initial_state = (void *)(uintptr_t)row,
			 },
			 "v%s %s read %s, first without attributes: %s, words behind: %s",
			 row->version, row->proto, mem_name(row->kind), row->no_attrs, row->tail);
	for (const struct row *row = cut; row < cut + sizeof(cut) / sizeof(cut[0]); row++)
		rows_add(&rows,
			 (struct CMUnitTest){
				 .test_func = test_cut,
				 .teardown_func = cleanup,
				 .initial_state = (void *)(uintptr_t)row,
			 },
			 "v%s %s read %s, head without the end: an error", row->version, row->proto,
			 mem_name(row->kind));
	return rows_run(&rows, "replies", nfsfile_leave);
}
