// SPDX-License-Identifier: GPL-2.0
/*
 * Random operations on a file, one after the other, through NFS and on a plain
 * local file, which is the oracle: direct, buffered and mapped I/O, truncation
 * and reopening. Buffers of direct I/O have several segments in several kinds of
 * memory, many pages long, that start anywhere in a page; what the client makes
 * of them is more than one request in an RPC, and several RPCs.
 *
 * Usage: fsx [PATTERN [OPERATIONS [SEED [BYTES]]]]; OPERATIONS is for each of the
 * tests. BYTES, of the largest operation, makes a long run quicker (../fsx-long):
 * then the file is no longer than twice that, and most direct I/O is synchronous.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/io.h"
#include "../lib/lab.h"
#include "../lib/p2pmem.h"
#include "../lib/pattern.h"
#include "../lib/rows.h"

#define FILE_NAME    "/fsx"
#define ORACLE	     "/run/fsx"
#define MAX_IO	     (3UL << 20)
#define MAX_SEGMENTS 5
#define PAGE	     4096UL
#define HUGE_PAGE    (2UL << 20)
#define DEFAULT_OPS  500

/**
 * enum place - where the buffer of a segment is
 * @PLACE_PAGES:	RAM, pages of 4 KiB, of which few are contiguous
 * @PLACE_HUGE:		RAM, pages of 2 MiB
 * @PLACE_CMB:		an NVMe drive's memory
 * @PLACE_BAR:		a BAR
 * @PLACES:		how many there are
 */
enum place {
	PLACE_PAGES,
	PLACE_HUGE,
	PLACE_CMB,
	PLACE_BAR,
	PLACES,
};

/* struct mount_row - a mount to test */
struct mount_row {
	const char *name;
	const char *version;
	const char *proto;
	const char *options; /* of the mount, or NULL */
};

static const struct mount_row mounts[] = {
	{ "v3 rdma", "3", "rdma", NULL },
	{ "v4.2 rdma", "4.2", "rdma", NULL },
	{ "v3 tcp", "3", "tcp", NULL },
	{ "v4.2 tcp", "4.2", "tcp", NULL },
	{ "v4.2 rdma, 12 KiB an RPC", "4.2", "rdma", "rsize=12288,wsize=12288" },
	{ "v3 rdma, 64 KiB an RPC", "3", "rdma", "rsize=65536,wsize=65536" },
};

static unsigned long operations = DEFAULT_OPS;
static uint64_t seed = 1;
static size_t max_io = MAX_IO; /* bytes of an operation */
static bool brief;	       /* it was given */

static unsigned char *places[PLACES]; /* MAX_IO bytes each */
static unsigned char *data;	      /* what is written, or should be read */
static unsigned char *scratch;	      /* what was read */
static int direct = -1, buffered = -1, oracle = -1;
static size_t file_size;
static bool p2p;
static char doing[256]; /* the operation, for the report of a failure */

/* xorshift64*, the same on each machine: a seed must always give the same run. */
static uint64_t random_state;

static uint64_t random_next(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * 0x2545f4914f6cdd1dULL;
}

static size_t below(size_t n)
{
	return (random_next() >> 16) % n;
}

static size_t max_file(void)
{
	return 2 * max_io;
}

/* As many of a few bytes as of many pages; now and then whole pages. */
static size_t random_length(size_t max)
{
	size_t len = 1 + below(1UL << below(64 - __builtin_clzl(max_io)));

	if (!below(4))
		len = (len + PAGE - 1) & -PAGE;
	return len < max ? len : max;
}

static size_t random_position(void)
{
	size_t pos = below(max_file());

	return below(3) ? pos : pos & -PAGE;
}

static unsigned char *map_ram(int advice)
{
	unsigned char *p = mmap(NULL, MAX_IO + 2 * HUGE_PAGE, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	p += -(uintptr_t)p & (HUGE_PAGE - 1);
	if (madvise(p, MAX_IO + HUGE_PAGE, advice))
		return NULL;
	/* Every other page first: neighbours are not contiguous, unless huge. */
	for (size_t start = 0; start < 2 * PAGE; start += PAGE)
		for (size_t i = start; i < MAX_IO; i += 2 * PAGE)
			p[i] = 1;
	return p;
}

static int make_buffers(void)
{
	struct membuf cmb, bar;

	places[PLACE_PAGES] = map_ram(MADV_NOHUGEPAGE);
	places[PLACE_HUGE] = map_ram(MADV_HUGEPAGE);
	data = malloc(2 * MAX_IO);
	scratch = malloc(2 * MAX_IO);
	if (!places[PLACE_PAGES] || !places[PLACE_HUGE] || !data || !scratch)
		return -1;
	p2p = lab_reachable() && !lab_is_stock() && !strcmp(lab_rnic(), "vrnic");
	if (!p2p)
		return 0;
	if (membuf_alloc(&cmb, MEM_CMB, MAX_IO) || membuf_alloc(&bar, MEM_BAR, MAX_IO))
		return -1;
	places[PLACE_CMB] = cmb.data;
	places[PLACE_BAR] = bar.data;
	return 0;
}

/* Segments of @len bytes in total, in places that do not overlap. */
static int random_segments(struct iovec *iov, size_t len, bool device)
{
	int n = 1 + below(below(3) ? 1 : MAX_SEGMENTS);
	size_t used[PLACES] = { 0 };
	int i;

	for (i = 0; i < n && len; i++) {
		enum place place = below(device ? PLACES : PLACE_CMB);
		size_t part = i == n - 1 ? len : 1 + below(len);
		size_t offset = used[place] + (below(4) ? below(PAGE) : 0);

		if (!below(4))
			offset = (offset + PAGE - 1) & -PAGE;
		if (offset >= MAX_IO)
			break;
		if (part > MAX_IO - offset)
			part = MAX_IO - offset;
		iov[i] = (struct iovec){ places[place] + offset, part };
		used[place] = offset + part;
		len -= part;
	}
	return i;
}

static size_t segments_length(const struct iovec *iov, int n)
{
	size_t len = 0;

	for (int i = 0; i < n; i++)
		len += iov[i].iov_len;
	return len;
}

static void describe(unsigned long op, const char *what, size_t len, size_t pos,
		     const struct iovec *iov, int n)
{
	int at = snprintf(doing, sizeof(doing), "operation %lu: %s %zu bytes at %zu", op, what, len,
			  pos);

	for (int i = 0; i < n; i++)
		at += snprintf(doing + at, sizeof(doing) - at, "%s%zu@%zu",
			       i ? ", " : "; segments ", iov[i].iov_len,
			       (size_t)((uintptr_t)iov[i].iov_base % PAGE));
}

static void same(const unsigned char *got, const unsigned char *want, size_t len, size_t pos)
{
	size_t i = 0;

	if (!memcmp(got, want, len))
		return;
	while (got[i] == want[i])
		i++;
	fail_msg("%s: byte %zu is %#x, must be %#x (seed %" PRIu64 ")", doing, pos + i, got[i],
		 want[i], seed);
}

static void check_length(ssize_t got, size_t want)
{
	if (got != (ssize_t)want)
		fail_msg("%s: %zd (%s), must be %zu (seed %" PRIu64 ")", doing, got,
			 got < 0 ? strerror(errno) : "bytes", want, seed);
}

/* What a read of @len bytes at @pos has to return, in data[]. */
static size_t expected(size_t len, size_t pos)
{
	ssize_t n = pread(oracle, data, len, pos);

	assert_true(n >= 0);
	return n;
}

static void written(size_t len, size_t pos)
{
	assert_int_equal(pwrite(oracle, data, len, pos), len);
	if (pos + len > file_size)
		file_size = pos + len;
}

static ssize_t transfer(bool write, const struct iovec *iov, int n, size_t pos)
{
	/* Setting up and taking down the others takes longer than the I/O. */
	enum io_engine engine = brief && below(16) ? IO_SYNC : below(IO_ENGINES);
	ssize_t rc = io_vec(engine, write, direct, iov, n, pos);

	if (rc < 0)
		errno = -rc;
	return rc;
}

static void direct_write(unsigned long op, bool device)
{
	struct iovec iov[MAX_SEGMENTS];
	size_t pos = random_position();
	size_t len = random_length(max_file() - pos < max_io ? max_file() - pos : max_io);
	int n = random_segments(iov, len, device);
	size_t at = 0;

	len = segments_length(iov, n);
	describe(op, "direct write", len, pos, iov, n);
	pattern_fill(data, len, seed + op, pos);
	for (int i = 0; i < n; at += iov[i++].iov_len)
		memcpy(iov[i].iov_base, data + at, iov[i].iov_len);
	check_length(transfer(true, iov, n, pos), len);
	written(len, pos);
}

static void direct_read(unsigned long op, bool device)
{
	struct iovec iov[MAX_SEGMENTS];
	size_t pos = random_position();
	size_t len = random_length(max_io);
	int n = random_segments(iov, len, device);
	size_t at = 0, got;

	len = segments_length(iov, n);
	describe(op, "direct read", len, pos, iov, n);
	for (int i = 0; i < n; i++)
		memset(iov[i].iov_base, 0x5a, iov[i].iov_len);
	got = expected(len, pos);
	check_length(transfer(false, iov, n, pos), got);
	for (int i = 0; i < n && at < got; at += iov[i++].iov_len) {
		size_t part = got - at < iov[i].iov_len ? got - at : iov[i].iov_len;

		memcpy(scratch, iov[i].iov_base, part);
		same(scratch, data + at, part, pos + at);
	}
}

static void buffered_write(unsigned long op)
{
	size_t pos = random_position();
	size_t len = random_length(max_file() - pos < max_io ? max_file() - pos : max_io);

	describe(op, "buffered write", len, pos, NULL, 0);
	pattern_fill(data, len, seed + op, pos);
	check_length(pwrite(buffered, data, len, pos), len);
	written(len, pos);
}

static void buffered_read(unsigned long op)
{
	size_t pos = random_position();
	size_t len = random_length(max_io);
	size_t got = expected(len, pos);

	describe(op, "buffered read", len, pos, NULL, 0);
	check_length(pread(buffered, scratch, len, pos), got);
	same(scratch, data, got, pos);
}

static void mapped(unsigned long op, bool write)
{
	size_t pos = random_position(), len = random_length(max_io), base = pos & -PAGE;
	unsigned char *map;

	if (pos >= file_size)
		return;
	if (len > file_size - pos)
		len = file_size - pos;
	describe(op, write ? "mapped write" : "mapped read", len, pos, NULL, 0);
	map = mmap(NULL, pos - base + len, PROT_READ | PROT_WRITE, MAP_SHARED, buffered, base);
	assert_true(map != MAP_FAILED);
	if (write) {
		pattern_fill(data, len, seed + op, pos);
		memcpy(map + (pos - base), data, len);
		assert_int_equal(msync(map, pos - base + len, MS_SYNC), 0);
		written(len, pos);
	} else {
		assert_int_equal(expected(len, pos), len);
		same(map + (pos - base), data, len, pos);
	}
	munmap(map, pos - base + len);
}

static void resize(unsigned long op)
{
	size_t size = random_position();

	describe(op, "truncate to", size, 0, NULL, 0);
	assert_int_equal(ftruncate(buffered, size), 0);
	assert_int_equal(ftruncate(oracle, size), 0);
	file_size = size;
}

static void files_close(void)
{
	if (direct >= 0)
		close(direct);
	if (buffered >= 0)
		close(buffered);
	direct = buffered = -1;
}

static void files_open(int flags)
{
	files_close();
	buffered = open(LAB_MOUNT FILE_NAME, O_RDWR | O_CLOEXEC | flags, 0600);
	direct = open(LAB_MOUNT FILE_NAME, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (buffered < 0 || direct < 0)
		fail_msg("%s: %s", LAB_MOUNT FILE_NAME, strerror(errno));
}

/* The whole file as the server has it, without any NFS. */
static void check_server(void)
{
	int fd;

	assert_int_equal(fsync(buffered), 0);
	fd = open(LAB_EXPORT FILE_NAME, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	snprintf(doing, sizeof(doing), "the server's file");
	check_length(pread(fd, scratch, max_file(), 0), expected(max_file(), 0));
	same(scratch, data, file_size, 0);
	close(fd);
}

static void operate(unsigned long op, bool device)
{
	switch (below(16)) {
	case 0 ... 4:
		direct_write(op, device);
		break;
	case 5 ... 9:
		direct_read(op, device);
		break;
	case 10:
		buffered_write(op);
		break;
	case 11:
		buffered_read(op);
		break;
	case 12:
		mapped(op, true);
		break;
	case 13:
		mapped(op, false);
		break;
	case 14:
		if (!below(4))
			resize(op);
		break;
	default:
		if (!below(8))
			files_open(0);
		break;
	}
}

static void run(void **state)
{
	const struct mount_row *row = *state;
	const char *const extra[] = { "-o", row->options, NULL };
	bool device = p2p && !strcmp(row->proto, "rdma");

	assert_int_equal(lab_mount_with(row->version, row->proto, row->options ? extra : NULL), 0);
	random_state = seed * 0x9e3779b97f4a7c15ULL + 1;
	oracle = open(ORACLE, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(oracle >= 0);
	file_size = 0;
	files_open(O_CREAT | O_TRUNC);
	for (unsigned long op = 0; op < operations; op++) {
		operate(op, device);
		if (op % 1000 == 999)
			check_server();
	}
	check_server();
	print_message("# %s: %lu operations\n", row->name, operations);
}

static int after(void **state)
{
	(void)state;
	files_close();
	if (oracle >= 0)
		close(oracle);
	oracle = -1;
	return 0;
}

static int leave(void **state)
{
	(void)state;
	return lab_unmount();
}

int main(int argc, char **argv)
{
	struct rows rows = { 0 };
	int rc;

	if (argc > 2)
		operations = strtoul(argv[2], NULL, 0);
	if (argc > 3)
		seed = strtoull(argv[3], NULL, 0);
	if (argc > 4) {
		max_io = strtoul(argv[4], NULL, 0);
		brief = true;
	}
	if (!operations || max_io < PAGE || max_io > MAX_IO || argc > 5) {
		fprintf(stderr, "usage: fsx [PATTERN [OPERATIONS [SEED [BYTES]]]]\n");
		return 2;
	}
	rc = lab_main_setup(argc < 2 ? argc : 2, argv);
	if (rc)
		return rc;
	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		struct CMUnitTest test = { NULL, run, NULL, after, (void *)(uintptr_t)&mounts[i] };

		rows_add(&rows, test, "%s", mounts[i].name);
	}
	if (make_buffers()) {
		fprintf(stderr, "fsx: no memory for the buffers\n");
		return 2;
	}
	return rows_run(&rows, "fsx", leave);
}
