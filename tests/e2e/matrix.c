// SPDX-License-Identifier: GPL-2.0
/*
 * Every combination of NFS version, direction, kind of memory, size and
 * interface: is the data right at the other end, and did it take the way that
 * it should?
 */
#include <inttypes.h>
#include <string.h>

#include "../lib/evidence.h"
#include "../lib/io.h"
#include "../lib/lab.h"
#include "../lib/nfsfile.h"
#include "../lib/pattern.h"
#include "../lib/rows.h"

#define MEM_GUARD      64 /* bytes around the payload that stay untouched */
#define MEM_GUARD_BYTE 0x5a

/**
 * struct shape - size and alignment of an I/O
 * @name:	for the name of the test
 * @len:	bytes
 * @file_pos:	position in the file, in bytes
 * @mem_pos:	position in the first page of the buffer, in bytes
 * @rpcs:	READs or WRITEs that it takes: each carries 1 MiB at most, see lab-nfs
 */
struct shape {
	const char *name;
	size_t len;
	uint64_t file_pos;
	size_t mem_pos;
	uint64_t rpcs;
};

static const struct shape shapes[] = {
	{ "512", 512, 512, 512, 1 },
	{ "4k", 4096, 4096, 0, 1 },
	/* Touches five pages, two of them in part; XDR has to pad it. */
	{ "odd", 12345, 1025, 3331, 1 },
	{ "64k", 65536, 65536, 0, 1 },
	{ "1M", 1UL << 20, 0, 0, 1 },
	{ "16M", 16UL << 20, 0, 0, 16 },
};

#define SHAPES	  (sizeof(shapes) / sizeof(shapes[0]))
#define ROWS	  (4 * 2 * MEM_KINDS * SHAPES * IO_ENGINES)
#define FILE_SIZE ((16UL << 20) + 4096)

/**
 * struct row - one test
 * @version:	NFS version
 * @write:	direction, as the file sees it
 * @kind:	where the buffer lives
 * @shape:	size and alignment
 * @engine:	interface
 * @seed:	for the data, differs from row to row
 */
struct row {
	const char *version;
	bool write;
	enum mem_kind kind;
	const struct shape *shape;
	enum io_engine engine;
	uint64_t seed;
};

static struct row rows[ROWS];

static struct nfsfile file = NFSFILE_CLOSED;
static struct membuf buf;

static void mem_guard(unsigned char *data, const struct shape *s)
{
	if (s->mem_pos)
		memset(data - MEM_GUARD, MEM_GUARD_BYTE, MEM_GUARD);
	memset(data + s->len, MEM_GUARD_BYTE, MEM_GUARD);
}

static void mem_guard_check(const unsigned char *data, const struct shape *s)
{
	struct mismatch bad;

	if (s->mem_pos && !pattern_is_byte(data - MEM_GUARD, MEM_GUARD, MEM_GUARD_BYTE, &bad))
		fail_msg("%" PRIu64 " bytes before the buffer were overwritten",
			 MEM_GUARD - bad.pos);
	if (!pattern_is_byte(data + s->len, MEM_GUARD, MEM_GUARD_BYTE, &bad))
		fail_msg("memory %" PRIu64 " bytes after the buffer was overwritten", bad.pos);
}

static void transfer(const struct row *row, unsigned char *data)
{
	const struct shape *s = row->shape;
	ssize_t done;

	done = io_one(row->engine, row->write, file.client, data, s->len, (off_t)s->file_pos);
	if (done < 0)
		fail_msg("%s", strerror((int)-done));
	if (done != (ssize_t)s->len)
		fail_msg("transferred %zd of %zu bytes", done, s->len);
}

/* Did each RPC carry as much as it may? */
static void check_rpcs(const struct row *row, const struct evidence *before)
{
	struct evidence after;

	evidence_take(&after);
	assert_int_equal(after.mount.read.ops - before->mount.read.ops,
			 row->write ? 0 : row->shape->rpcs);
	assert_int_equal(after.mount.write.ops - before->mount.write.ops,
			 row->write ? row->shape->rpcs : 0);
}

static void do_write(const struct row *row, unsigned char *data)
{
	const struct shape *s = row->shape;

	pattern_fill(data, s->len, row->seed, s->file_pos);
	nfsfile_guard(&file, s->len, s->file_pos);
	transfer(row, data);
	nfsfile_server_check(&file, s->len, row->seed, s->file_pos);
	nfsfile_guard_check(&file, s->len, s->file_pos);
}

static void do_read(const struct row *row, unsigned char *data)
{
	const struct shape *s = row->shape;

	nfsfile_server_fill(&file, s->len, row->seed, s->file_pos);
	mem_guard(data, s);
	transfer(row, data);
	nfsfile_buffer_check(data, s->len, row->seed, s->file_pos, mem_name(row->kind));
	mem_guard_check(data, s);
}

static void run_row(void **state)
{
	const struct row *row = *state;
	const struct shape *s = row->shape;
	struct expected exp = { .pins = PINS_EXACT };
	struct evidence before;
	int rc;

	nfsfile_mount(&file, row->version, "rdma", "matrix", FILE_SIZE);
	evidence_start(&before);
	rc = membuf_alloc(&buf, row->kind, s->mem_pos + s->len + MEM_GUARD);
	if (rc)
		fail_msg("no %s buffer: %s", mem_name(row->kind), strerror(-rc));
	expected_add(&exp, row->write, row->kind, buf.data + s->mem_pos, s->len);
	if (row->write)
		do_write(row, buf.data + s->mem_pos);
	else
		do_read(row, buf.data + s->mem_pos);
	membuf_free(&buf);
	evidence_check(&before, &exp);
	check_rpcs(row, &before);
}

static int free_buffer(void **state)
{
	(void)state;
	membuf_free(&buf);
	return 0;
}

static void add_row(struct rows *tests, struct row row)
{
	struct row *kept = &rows[tests->count];

	*kept = row;
	kept->seed = tests->count + 1;
	rows_add(tests,
		 (struct CMUnitTest){
			 .test_func = run_row,
			 .teardown_func = free_buffer,
			 .initial_state = kept,
		 },
		 "v%s %s %s %s %s", row.version, row.write ? "write" : "read", mem_name(row.kind),
		 row.shape->name, io_engine_name(row.engine));
}

static void add_rows(struct rows *tests)
{
	for (const char *const *v = lab_versions; *v; v++)
		for (int write = 0; write < 2; write++)
			for (int kind = 0; kind < MEM_KINDS; kind++)
				for (size_t s = 0; s < SHAPES; s++)
					for (int e = 0; e < IO_ENGINES; e++)
						add_row(tests, (struct row){
								       .version = *v,
								       .write = write,
								       .kind = kind,
								       .shape = &shapes[s],
								       .engine = e,
							       });
}

int main(int argc, char **argv)
{
	int rc = lab_main_setup(argc, argv);
	struct rows tests = { 0 };

	if (rc)
		return rc;
	add_rows(&tests);
	return rows_run(&tests, "matrix", nfsfile_leave);
}
