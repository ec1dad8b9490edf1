// SPDX-License-Identifier: GPL-2.0
/* The pipeline of nfsp2p cp: every byte to its place, whatever the pieces are. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../tools/nfsp2p/payload.h"
#include "../../tools/nfsp2p/ring.h"
#include "../../tools/nfsp2p/sparse.h"
#include "../lib/lab.h"
#include "../lib/tempdir.h"

#define MIB (1UL << 20)

static void expect_geometry(const struct demand *want, size_t block, unsigned int depth)
{
	struct geometry g;

	assert_int_equal(geometry_choose(&g, want), 0);
	assert_int_equal(g.block, block);
	assert_int_equal(g.depth, depth);
}

static void test_geometry(void **state)
{
	struct geometry g;

	(void)state;
	expect_geometry(&(struct demand){ 0 }, MIB, 8);
	expect_geometry(&(struct demand){ .transfer = 256 << 10 }, 256 << 10, 8);
	/* What a tiny rsize wants is not worth an I/O; a huge one not the memory. */
	expect_geometry(&(struct demand){ .transfer = 1024 }, 64 << 10, 8);
	expect_geometry(&(struct demand){ .transfer = 64 * MIB }, 4 * MIB, 8);
	/* rsize may be any multiple of 1 KiB, O_DIRECT wants pages. */
	expect_geometry(&(struct demand){ .transfer = 1000 << 10 }, 1000 << 10, 8);
	expect_geometry(&(struct demand){ .transfer = 131 << 10 }, 128 << 10, 8);
	expect_geometry(&(struct demand){ .transfer = MIB, .memory = 5 * MIB }, MIB, 4);
	expect_geometry(&(struct demand){ .transfer = MIB, .memory = MIB }, 512 << 10, 2);
	expect_geometry(&(struct demand){ .transfer = MIB, .memory = 4096 }, 4096, 1);
	expect_geometry(&(struct demand){ .block = 8192, .depth = 100, .memory = MIB }, 8192, 100);
	/* Not more than the files need, but whole blocks. */
	expect_geometry(&(struct demand){ .total = 3 * MIB }, MIB, 3);
	expect_geometry(&(struct demand){ .total = 3 * MIB + 1 }, MIB, 4);
	expect_geometry(&(struct demand){ .total = 1 }, MIB, 1);
	expect_geometry(&(struct demand){ .total = 100 * MIB }, MIB, 8);
	expect_geometry(&(struct demand){ .total = MIB, .depth = 5 }, MIB, 5);
	/* What the user wants is had, or not, but never something else. */
	assert_int_equal(
		geometry_choose(&g,
				&(struct demand){ .block = MIB, .depth = 4, .memory = 3 * MIB }),
		-ENOMEM);
	assert_int_equal(geometry_choose(&g, &(struct demand){ .memory = 4095 }), -ENOMEM);
}

/* Ranges of a test, one after the other. */
struct ranges {
	const struct ring_range *list;
	size_t n, at;
};

static bool next_of(void *arg, struct ring_range *range)
{
	struct ranges *r = arg;

	if (r->at == r->n)
		return false;
	*range = r->list[r->at++];
	return true;
}

static void run_ring(struct ring_job *job, size_t block, unsigned int depth,
		     struct ring_result *res)
{
	struct payload p;

	assert_int_equal(payload_open(&p, NULL, &(struct demand){ .block = block, .depth = depth }),
			 0);
	ring_run(&p.ring, job, res);
	assert_int_equal(p.ring.busy, 0);
	payload_close(&p);
}

/* Odd positions and lengths, in more blocks than there are, and what is between. */
static void test_ring(void **state)
{
	static const struct ring_range list[] = {
		{ 3, 3 }, { 7, 8 }, { 4095, 12289 }, { 100001, 1000003 }, { 1000003, 1000005 }
	};
	static const unsigned int depths[] = { 1, 2, 7 };
	int in = temp_file("in", 2 * MIB, 1);
	struct ring_result res;

	(void)state;
	for (size_t d = 0; d < sizeof(depths) / sizeof(depths[0]); d++) {
		int out = temp_file("out", 2 * MIB, 2);
		struct ranges ranges = { list, sizeof(list) / sizeof(list[0]), 0 };
		struct ring_job job = {
			.in = in, .out = out, .in_align = 1, .next = next_of, .next_arg = &ranges
		};

		run_ring(&job, 4096, depths[d], &res);
		assert_int_equal(res.error, 0);
		assert_int_equal(res.written, 1 + 8194 + 900002 + 2);
		assert_int_equal(res.read, res.written);
		assert_int_equal(res.low, 1000005);
		temp_file_check(out, 0, 7, 2);
		temp_file_check(out, 7, 8, 1);
		temp_file_check(out, 8, 4095, 2);
		temp_file_check(out, 4095, 12289, 1);
		temp_file_check(out, 12289, 100001, 2);
		temp_file_check(out, 100001, 1000005, 1);
		temp_file_check(out, 1000005, 2 * MIB, 2);
		close(out);
	}
	close(in);
}

/* Reads are rounded up, writes are not. */
static void test_ring_align(void **state)
{
	static const struct ring_range list[] = { { 8192, 100001 } };
	int in = temp_file("in", 100001, 1), out = temp_file("out", 0, 2);
	struct ranges ranges = { list, 1, 0 };
	struct ring_job job = {
		.in = in, .out = out, .in_align = 4096, .next = next_of, .next_arg = &ranges
	};
	struct ring_result res;
	struct stat st;

	(void)state;
	run_ring(&job, 8192, 3, &res);
	assert_int_equal(res.error, 0);
	assert_int_equal(fstat(out, &st), 0);
	assert_int_equal(st.st_size, 100001);
	temp_file_check(out, 8192, 100001, 1);
	close(in);
	close(out);
	/* Nor what was read behind the end of the range. */
	job.in = temp_file("in", MIB, 1);
	job.out = temp_file("out", 0, 2);
	ranges.at = 0;
	run_ring(&job, 8192, 3, &res);
	assert_int_equal(res.written, 100001 - 8192);
	assert_int_equal(fstat(job.out, &st), 0);
	assert_int_equal(st.st_size, 100001);
	close(job.in);
	close(job.out);
}

static void test_ring_short(void **state)
{
	static const struct ring_range list[] = { { 0, 100000 } };
	int in = temp_file("in", 50001, 1), out = temp_file("out", 0, 2);
	struct ranges ranges = { list, 1, 0 };
	struct ring_job job = {
		.in = in, .out = out, .in_align = 1, .next = next_of, .next_arg = &ranges
	};
	struct ring_result res;

	(void)state;
	/* The source ends too early. */
	run_ring(&job, 4096, 4, &res);
	assert_int_equal(res.error, -EIO);
	assert_int_equal(res.step, RING_EOF);
	assert_true(res.low <= 50001);
	/* The destination cannot be written. */
	job.out = open("/dev/full", O_WRONLY);
	ranges.at = 0;
	run_ring(&job, 4096, 4, &res);
	assert_int_equal(res.error, -ENOSPC);
	assert_int_equal(res.step, RING_WRITE);
	assert_int_equal(res.written, 0);
	assert_int_equal(res.low, 0);
	close(job.out);
	close(in);
	close(out);
}

static int stop_at(void *arg, uint64_t low, uint64_t bytes)
{
	assert_true(low <= bytes);
	return low >= *(uint64_t *)arg ? -EINTR : 0;
}

static void test_ring_stop(void **state)
{
	static const struct ring_range list[] = { { 0, MIB } };
	int in = temp_file("in", MIB, 1), out = temp_file("out", 0, 2);
	struct ranges ranges = { list, 1, 0 };
	uint64_t limit = 40960;
	struct ring_job job = { .in = in,
				.out = out,
				.in_align = 1,
				.next = next_of,
				.next_arg = &ranges,
				.tick = stop_at,
				.tick_arg = &limit };
	struct ring_result res;

	(void)state;
	run_ring(&job, 4096, 4, &res);
	assert_int_equal(res.error, -EINTR);
	assert_int_equal(res.step, RING_TICK);
	assert_true(res.low >= limit && res.low < MIB);
	temp_file_check(out, 0, res.low, 1);
	close(in);
	close(out);
}

/* What a pipeline has lost cannot be counted as moved, also not by the next job. */
static void test_ring_lost(void **state)
{
	static const struct ring_range list[] = { { 8192, 100000 } };
	int in = temp_file("in", 100000, 1), out = temp_file("out", 0, 2);
	int null = open("/dev/null", O_RDWR);
	struct ranges ranges = { list, 1, 0 };
	struct ring_job job = {
		.in = in, .out = out, .in_align = 1, .next = next_of, .next_arg = &ranges
	};
	struct ring_result res;
	struct payload p;

	(void)state;
	assert_int_equal(payload_open(&p, NULL, &(struct demand){ .block = 4096, .depth = 3 }), 0);
	assert_false(payload_lost(&p));
	/* A ring that the kernel does not take for one. */
	assert_int_equal(dup2(null, p.ring.uring.ring_fd), p.ring.uring.ring_fd);
	assert_int_not_equal(ring_run(&p.ring, &job, &res), 0);
	assert_int_equal(res.step, RING_QUEUE);
	assert_true(payload_lost(&p));
	ranges.at = 0;
	assert_int_equal(ring_run(&p.ring, &job, &res), -EIO);
	assert_int_equal(res.step, RING_QUEUE);
	assert_int_equal(res.pos, 8192);
	assert_int_equal(res.written, 0);
	/* Nothing to do can still be done. */
	assert_int_equal(ring_run(&p.ring, &job, &res), 0);
	payload_close(&p);
	/* Nor is there anything usable after a failed open. */
	assert_int_not_equal(ring_open(&p.ring, NULL, 4096, 1 << 20), 0);
	ranges.at = 0;
	assert_int_equal(ring_run(&p.ring, &job, &res), -EIO);
	assert_int_equal(res.step, RING_QUEUE);
	close(null);
	close(in);
	close(out);
}

/* Every byte of data is in a range, ranges are aligned, and holes are left out. */
static void test_sparse(void **state)
{
	int fd = open(temp_path("sparse"), O_RDWR | O_CREAT | O_TRUNC, 0644);
	struct sparse s = { .fd = fd, .align = 4096, .end = 64 * MIB };
	struct ring_range range = { 0 };
	uint64_t seen = 0, last = 0;

	(void)state;
	assert_int_equal(ftruncate(fd, 64 * MIB + 5), 0);
	assert_int_equal(pwrite(fd, "x", 1, 20 * MIB + 77), 1);
	assert_int_equal(pwrite(fd, "y", 1, 64 * MIB + 4), 1);
	while (sparse_next(&s, &range)) {
		assert_true(range.pos >= last && range.pos < range.end && range.end <= s.end);
		assert_int_equal(range.pos % 4096 + range.end % 4096, 0);
		assert_true(range.end <= 20 * MIB || range.pos <= 20 * MIB + 77);
		last = range.end;
		seen += range.end - range.pos;
	}
	assert_int_equal(s.error, 0);
	assert_true(seen >= 4096 && seen <= 128 << 10);
	/* Units that are larger than those of the file system. */
	assert_int_equal(pwrite(fd, "z", 1, 30 * MIB + 300000), 1);
	s = (struct sparse){ .fd = fd, .align = 1 << 20, .pos = 25 * MIB, .end = 64 * MIB };
	assert_true(sparse_next(&s, &range));
	assert_int_equal(range.pos, 30 * MIB);
	assert_int_equal(range.end, 31 * MIB);
	/* A block device has to be written as a whole. */
	s = (struct sparse){ .fd = fd, .align = 4096, .end = 64 * MIB, .dense = true };
	assert_true(sparse_next(&s, &range));
	assert_int_equal(range.end - range.pos, 64 * MIB);
	assert_false(sparse_next(&s, &range));
	close(fd);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_geometry),   cmocka_unit_test(test_ring),
		cmocka_unit_test(test_ring_align), cmocka_unit_test(test_ring_short),
		cmocka_unit_test(test_ring_stop),  cmocka_unit_test(test_ring_lost),
		cmocka_unit_test(test_sparse),
	};
	int rc = lab_main_setup(argc, argv);

	return rc ? rc
		  : cmocka_run_group_tests_name("nfsp2p-ring", tests, temp_dir_make,
						temp_dir_remove);
}
