// SPDX-License-Identifier: GPL-2.0
/*
 * One I/O over several kinds of memory at once: preadv, pwritev and their
 * asynchronous twins with segments in RAM, CMB and BAR, in several orders and
 * with odd lengths.  The NIC must fetch each segment from where it lives.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#include "../lib/evidence.h"
#include "../lib/io.h"
#include "../lib/lab.h"
#include "../lib/nfsfile.h"
#include "../lib/pattern.h"
#include "../lib/rows.h"

#define POOL	     (4UL << 20) /* each kind of memory, bytes */
#define MAX_SEGMENTS 64

/**
 * struct segment - one piece of memory
 * @kind:	where it lives
 * @len:	bytes
 * @gap:	bytes left free before it in its kind's pool
 */
struct segment {
	enum mem_kind kind;
	size_t len;
	size_t gap;
};

/**
 * struct layout - the pieces of one I/O
 * @name:	for the name of the test
 * @pins:	the number of pins can be told exactly only as long as no page
 *		is cut by the limit of one extraction (rsize, wsize)
 * @pos:	position in the file, in bytes
 * @segment:	the pieces, ended by one of length 0
 */
struct layout {
	const char *name;
	enum pin_rule pins;
	uint64_t pos;
	struct segment segment[MAX_SEGMENTS + 1];
};

static const struct layout layouts[] = {
	{ "RAM+CMB+BAR pages",
	  PINS_EXACT,
	  0,
	  {
		  { MEM_RAM, 4096, 0 },
		  { MEM_CMB, 4096, 0 },
		  { MEM_BAR, 4096, 0 },
	  } },
	{ "BAR+RAM+CMB pages",
	  PINS_EXACT,
	  8192,
	  {
		  { MEM_BAR, 8192, 0 },
		  { MEM_RAM, 4096, 0 },
		  { MEM_CMB, 12288, 0 },
	  } },
	{ "CMB+BAR odd",
	  PINS_EXACT,
	  777,
	  {
		  { MEM_CMB, 1000, 3 },
		  { MEM_BAR, 5001, 4095 },
	  } },
	{ "RAM+BAR+RAM+CMB odd",
	  PINS_EXACT,
	  4097,
	  {
		  { MEM_RAM, 1, 9 },
		  { MEM_BAR, 517, 1 },
		  { MEM_RAM, 3001, 40 },
		  { MEM_CMB, 4099, 2047 },
	  } },
	{ "CMB+RAM small",
	  PINS_EXACT,
	  100,
	  {
		  { MEM_CMB, 200, 16 },
		  { MEM_RAM, 100, 16 },
	  } },
	{ "two pieces of CMB apart",
	  PINS_EXACT,
	  0,
	  {
		  { MEM_CMB, 8192, 0 },
		  { MEM_CMB, 8192, 65536 },
	  } },
	{ "BAR+CMB+RAM 1M each",
	  PINS_AT_LEAST,
	  4096,
	  {
		  { MEM_BAR, 1UL << 20, 0 },
		  { MEM_CMB, 1UL << 20, 0 },
		  { MEM_RAM, 1UL << 20, 0 },
	  } },
	{ "RAM+CMB across 1M",
	  PINS_AT_LEAST,
	  1234,
	  {
		  { MEM_RAM, (1UL << 20) - 100, 50 },
		  { MEM_CMB, 70001, 99 },
		  { MEM_BAR, 1UL << 20, 511 },
	  } },
};

#define LAYOUTS (sizeof(layouts) / sizeof(layouts[0]))

/* One row more than the table: many segments, made at run time. */
static struct layout many = {
	"60 segments of 4097",
	PINS_AT_LEAST,
	333,
	{ { MEM_RAM, 0, 0 } },
};

/**
 * struct row - one test
 * @version:	NFS version
 * @write:	direction, as the file sees it
 * @engine:	interface
 * @layout:	pieces of memory
 * @seed:	for the data
 */
struct row {
	const char *version;
	bool write;
	enum io_engine engine;
	const struct layout *layout;
	uint64_t seed;
};

static const char *const versions[] = { "3", "4.2" };

#define ROWS (2 * 2 * IO_ENGINES * (LAYOUTS + 1))

static struct row rows[ROWS];
static struct nfsfile file = NFSFILE_CLOSED;
static struct membuf pool[MEM_KINDS];

/* Lay the segments out in the pools; returns how many there are. */
static int place(const struct layout *layout, struct iovec *iov)
{
	size_t used[MEM_KINDS] = { 0 };
	int n = 0;

	for (const struct segment *s = layout->segment; s->len; s++, n++) {
		used[s->kind] += s->gap;
		iov[n].iov_base = pool[s->kind].data + used[s->kind];
		iov[n].iov_len = s->len;
		used[s->kind] += s->len;
		assert_true(used[s->kind] <= pool[s->kind].size);
	}
	return n;
}

static void run_row(void **state)
{
	const struct row *row = *state;
	const struct layout *l = row->layout;
	struct expected exp = { .pins = l->pins };
	struct iovec iov[MAX_SEGMENTS];
	struct evidence before;
	size_t total = 0;
	ssize_t done;
	int n, rc;

	nfsfile_mount(&file, row->version, "rdma", "iovec", POOL);
	evidence_start(&before);
	for (int kind = 0; kind < MEM_KINDS; kind++) {
		rc = membuf_alloc(&pool[kind], kind, POOL);
		if (rc)
			fail_msg("no %s buffer: %s", mem_name(kind), strerror(-rc));
	}
	n = place(l, iov);
	for (int i = 0; i < n; i++) {
		expected_add(&exp, row->write, l->segment[i].kind, iov[i].iov_base, iov[i].iov_len);
		if (row->write)
			pattern_fill(iov[i].iov_base, iov[i].iov_len, row->seed, l->pos + total);
		total += iov[i].iov_len;
	}
	if (row->write)
		nfsfile_guard(&file, total, l->pos);
	else
		nfsfile_server_fill(&file, total, row->seed, l->pos);

	done = io_vec(row->engine, row->write, file.client, iov, n, (off_t)l->pos);
	if (done < 0)
		fail_msg("%s", strerror((int)-done));
	assert_int_equal(done, total);

	if (row->write) {
		nfsfile_server_check(&file, total, row->seed, l->pos);
		nfsfile_guard_check(&file, total, l->pos);
	}
	total = 0;
	for (int i = 0; !row->write && i < n; i++) {
		nfsfile_buffer_check(iov[i].iov_base, iov[i].iov_len, row->seed, l->pos + total,
				     mem_name(l->segment[i].kind));
		total += iov[i].iov_len;
	}
	for (int kind = 0; kind < MEM_KINDS; kind++)
		membuf_free(&pool[kind]);
	evidence_check(&before, &exp);
}

/* What is wrong with memory behind the end of the file is no reason to fail. */
static void test_end(void **state)
{
	const char *version = *state;
	struct iovec iov[2];
	void *forbidden;

	nfsfile_mount(&file, version, "rdma", "iovec", POOL);
	nfsfile_server_fill(&file, POOL, 1, 0);
	assert_int_equal(membuf_alloc(&pool[MEM_RAM], MEM_RAM, 4096), 0);
	forbidden = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(forbidden, MAP_FAILED);
	iov[0] = (struct iovec){ pool[MEM_RAM].data, 4096 };
	iov[1] = (struct iovec){ forbidden, 4096 };

	assert_int_equal(io_vec(IO_SYNC, false, file.client, iov, 2, POOL), 0);
	assert_int_equal(io_vec(IO_SYNC, false, file.client, iov, 2, POOL - 4096), 4096);
	nfsfile_buffer_check(iov[0].iov_base, 4096, 1, POOL - 4096, "RAM buffer");
	assert_int_equal(io_vec(IO_SYNC, false, file.client, iov + 1, 1, 0), -EFAULT);
	munmap(forbidden, 4096);
}

static int free_pools(void **state)
{
	(void)state;
	for (int kind = 0; kind < MEM_KINDS; kind++)
		membuf_free(&pool[kind]);
	return 0;
}

static void add_row(struct rows *tests, struct row row)
{
	struct row *kept = &rows[tests->count];

	*kept = row;
	kept->seed = 1000 + tests->count;
	rows_add(tests,
		 (struct CMUnitTest){
			 .test_func = run_row,
			 .teardown_func = free_pools,
			 .initial_state = kept,
		 },
		 "v%s %s %s %s", row.version, row.write ? "writev" : "readv", row.layout->name,
		 io_engine_name(row.engine));
}

static void add_rows(struct rows *tests)
{
	for (int i = 0; i < 60; i++)
		many.segment[i] = (struct segment){
			.kind = i % MEM_KINDS,
			.len = 4097,
			.gap = i % 7,
		};
	for (size_t v = 0; v < 2; v++)
		for (int write = 0; write < 2; write++)
			for (size_t l = 0; l <= LAYOUTS; l++)
				for (int e = 0; e < IO_ENGINES; e++)
					add_row(tests,
						(struct row){
							.version = versions[v],
							.write = write,
							.layout = l < LAYOUTS ? &layouts[l] : &many,
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
	for (size_t v = 0; v < 2; v++)
		rows_add(&tests,
			 (struct CMUnitTest){
				 .test_func = test_end,
				 .teardown_func = free_pools,
				 .initial_state = (void *)(uintptr_t)versions[v],
			 },
			 "v%s readv at the end of the file", versions[v]);
	return rows_run(&tests, "iovec", nfsfile_leave);
}
