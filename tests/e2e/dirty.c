// SPDX-License-Identifier: GPL-2.0
/*
 * A direct read into a mapped file: the NIC writes the pages, not the CPU, so
 * it is the client that has to mark them dirty when the data is there.  If it
 * does not, a page that was written back in the meantime counts as clean, and
 * the new data is lost when memory is reclaimed.
 *
 * Writeback runs while the read is in flight; large folios of the page cache
 * are the case in which older kernels forgot the mark.
 */
#include <errno.h>
#include <fcntl.h>
#include <libaio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/evidence.h"
#include "../lib/lab.h"
#include "../lib/nfsfile.h"
#include "../lib/pattern.h"

#define LOCAL_DIR  "/run/dirty"
#define LOCAL_FILE LOCAL_DIR "/buffer"
#define DISK	   "/dev/nvme0n1"
#define SIZE	   (8UL << 20)
#define ROUNDS	   4

static struct nfsfile file = NFSFILE_CLOSED;

static int make_local_fs(void **state)
{
	static const char *const mkfs[] = {
		"mkfs.ext4", "-q", "-F", "-E", "nodiscard", DISK, NULL
	};
	static const char *const make_dir[] = { "mkdir", "-p", LOCAL_DIR, NULL };
	static const char *const mount[] = { "mount", DISK, LOCAL_DIR, NULL };

	(void)state;
	return lab_run(mkfs) || lab_run(make_dir) || lab_run(mount);
}

static int remove_local_fs(void **state)
{
	static const char *const umount[] = { "umount", LOCAL_DIR, NULL };

	(void)state;
	/* In case that a test ended in the middle. */
	nic_control("resume");
	nfsfile_close(&file);
	return lab_run(umount) || lab_unmount();
}

/* Only clean pages go: whoever loses its dirty mark loses its data. */
static void drop_caches(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "3", 1), 1);
	close(fd);
}

/* A local file full of old data, in the page cache by read-ahead, if @large. */
static int open_local(uint64_t seed, bool large)
{
	static unsigned char data[SIZE];
	int fd = open(LOCAL_FILE, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	pattern_fill(data, SIZE, seed, 0);
	assert_int_equal(write(fd, data, SIZE), SIZE);
	assert_int_equal(fsync(fd), 0);
	drop_caches();
	if (!large)
		posix_fadvise(fd, 0, SIZE, POSIX_FADV_RANDOM);
	for (size_t pos = 0; pos < SIZE; pos += large ? SIZE : 4096)
		assert_true(pread(fd, data, large ? SIZE : 4096, (off_t)pos) > 0);
	return fd;
}

/*
 * Read into @map, and write it back while its pages are pinned and still wait
 * for their data: libaio has pinned them when it returns, and the NIC pauses
 * until they have been written.
 */
static void read_and_write_back(int fd, void *map)
{
	struct iocb iocb, *iocbs[1] = { &iocb };
	io_context_t ctx = NULL;
	struct io_event event;

	assert_int_equal(io_setup(1, &ctx), 0);
	io_prep_pread(&iocb, file.client, map, SIZE, 0);
	assert_return_code(nic_control("pause"), 0);
	assert_int_equal(io_submit(ctx, 1, iocbs), 1);
	assert_int_equal(fsync(fd), 0);
	assert_return_code(nic_control("resume"), 0);
	assert_int_equal(io_getevents(ctx, 1, 1, &event, NULL), 1);
	assert_int_equal((long)event.res, SIZE);
	io_destroy(ctx);
}

static void test_mapped(bool large)
{
	for (int round = 0; round < ROUNDS; round++) {
		struct expected exp = { .pins = PINS_AT_LEAST };
		struct evidence before;
		void *map;
		int fd;

		nfsfile_mount(&file, "4.2", "rdma", "dirty", SIZE);
		nfsfile_server_fill(&file, SIZE, 40 + round, 0);
		fd = open_local(60 + round, large);
		evidence_start(&before);
		map = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		assert_true(map != MAP_FAILED);
		expected_add(&exp, false, MEM_RAM, map, SIZE);
		read_and_write_back(fd, map);
		nfsfile_buffer_check(map, SIZE, 40 + round, 0, "mapped file");
		munmap(map, SIZE);
		evidence_check(&before, &exp);

		assert_int_equal(fsync(fd), 0);
		drop_caches();
		map = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
		assert_true(map != MAP_FAILED);
		nfsfile_buffer_check(map, SIZE, 40 + round, 0, "mapped file, read again from disk");
		munmap(map, SIZE);
		close(fd);
	}
}

static void test_large(void **state)
{
	(void)state;
	test_mapped(true);
}

static void test_small(void **state)
{
	(void)state;
	test_mapped(false);
}

/* Huge pages without a file behind them: nothing to lose but the pins. */
static void test_thp(void **state)
{
	struct expected exp = { .pins = PINS_EXACT };
	struct evidence before;
	void *buf;

	(void)state;
	nfsfile_mount(&file, "4.2", "rdma", "dirty", SIZE);
	nfsfile_server_fill(&file, SIZE, 90, 0);
	evidence_start(&before);
	buf = aligned_alloc(2UL << 20, SIZE);
	if (!buf) {
		fail_msg("no memory");
		return;
	}
	madvise(buf, SIZE, MADV_HUGEPAGE);
	memset(buf, 0, SIZE);
	expected_add(&exp, false, MEM_RAM, buf, SIZE);
	assert_int_equal(pread(file.client, buf, SIZE, 0), SIZE);
	nfsfile_buffer_check(buf, SIZE, 90, 0, "huge pages");
	free(buf);
	evidence_check(&before, &exp);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		{ "mapped ext4 file, large folios", test_large, NULL, NULL, NULL },
		{ "mapped ext4 file, single pages", test_small, NULL, NULL, NULL },
		{ "transparent huge pages", test_thp, NULL, NULL, NULL },
	};
	int rc = lab_main_setup(argc, argv);

	if (rc)
		return rc;
	return cmocka_run_group_tests_name("dirty", tests, make_local_fs, remove_local_fs);
}
