// SPDX-License-Identifier: GPL-2.0
/*
 * Which way did the data go, and if not at all, why?  The counters of each
 * transport, in sysfs and in mountstats, the tracepoints, and the switch that
 * turns peer-to-peer DMA off at run time.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/evidence.h"
#include "../lib/io.h"
#include "../lib/lab.h"
#include "../lib/nfsfile.h"
#include "../lib/pattern.h"

#define SIZE	(1UL << 20)
#define SWITCH	"/sys/module/nfs/parameters/p2pdma"
#define TRACING "/sys/kernel/tracing"
#define EVENT	TRACING "/events/nfs/nfs_p2pdma/enable"
#define XPRTS	"/sys/kernel/sunrpc/xprt-switches/switch-*/xprt-*"

static struct nfsfile file = NFSFILE_CLOSED;
static struct membuf buf;

/**
 * struct path_stats - what the transports say about peer-to-peer DMA
 * @read:	bytes into client memory
 * @write:	bytes out of client memory
 * @refused:	how often memory was refused
 */
struct path_stats {
	uint64_t read, write, refused;
};

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		fail_msg("cannot write %s to %s: %s", text, path, strerror(errno));
	close(fd);
}

/* Sum of one attribute over all transports of this machine. */
static uint64_t sysfs_sum(const char *attribute)
{
	uint64_t sum = 0;
	char path[128];
	glob_t found;

	snprintf(path, sizeof(path), XPRTS "/%s", attribute);
	if (glob(path, 0, NULL, &found))
		fail_msg("no transport has %s in sysfs", attribute);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		FILE *f = fopen(found.gl_pathv[i], "re");
		uint64_t value = 0;

		if (f) {
			assert_int_equal(fscanf(f, "%" SCNu64, &value), 1);
			fclose(f);
		}
		sum += value;
	}
	globfree(&found);
	return sum;
}

static struct path_stats from_sysfs(void)
{
	return (struct path_stats){
		.read = sysfs_sum("p2pdma_read_bytes"),
		.write = sysfs_sum("p2pdma_write_bytes"),
		.refused = sysfs_sum("p2pdma_refused"),
	};
}

/* The last four numbers of "xprt: rdma", which must be those of this mount. */
static struct path_stats from_mountstats(unsigned int *state)
{
	FILE *f = fopen("/proc/self/mountstats", "re");
	struct path_stats sum = { 0 };
	bool ours = false;
	char line[1024];

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		uint64_t n[64] = { 0 };
		char *at = line;
		int count = 0;

		if (!strncmp(line, "device ", 7))
			ours = strstr(line, " mounted on " LAB_MOUNT " ") != NULL;
		if (!ours || sscanf(line, " xprt: rdma%n", &count) < 0 || !count)
			continue;
		at += count;
		for (count = 0; count < 64; count++) {
			char *end;

			n[count] = strtoull(at, &end, 10);
			if (end == at)
				break;
			at = end;
		}
		assert_true(count > 4);
		*state = (unsigned int)n[count - 4];
		sum.read += n[count - 3];
		sum.write += n[count - 2];
		sum.refused += n[count - 1];
	}
	fclose(f);
	return sum;
}

static void mount_and_open(void)
{
	nfsfile_mount(&file, "4.2", "rdma", "observe", SIZE);
}

/* One I/O of SIZE bytes; returns its result. */
static ssize_t move(bool write, enum mem_kind kind)
{
	ssize_t done;

	assert_int_equal(membuf_alloc(&buf, kind, SIZE), 0);
	done = io_one(IO_SYNC, write, file.client, buf.data, SIZE, 0);
	membuf_free(&buf);
	return done;
}

static void test_counters(void **state)
{
	struct path_stats sysfs, mount, sysfs_after, mount_after;
	unsigned int able = 0;

	(void)state;
	mount_and_open();
	sysfs = from_sysfs();
	mount = from_mountstats(&able);
	assert_int_equal(able, 2);
	assert_int_equal(move(true, MEM_CMB), SIZE);
	assert_int_equal(move(false, MEM_BAR), SIZE);
	assert_int_equal(move(false, MEM_BAR), SIZE);
	assert_int_equal(move(true, MEM_RAM), SIZE);
	sysfs_after = from_sysfs();
	mount_after = from_mountstats(&able);
	assert_int_equal(sysfs_after.write - sysfs.write, SIZE);
	assert_int_equal(sysfs_after.read - sysfs.read, 2 * SIZE);
	assert_int_equal(sysfs_after.refused, sysfs.refused);
	assert_int_equal(mount_after.write - mount.write, SIZE);
	assert_int_equal(mount_after.read - mount.read, 2 * SIZE);
	assert_int_equal(mount_after.refused, mount.refused);
}

static void test_off(void **state)
{
	struct expected nothing = { .pins = PINS_BALANCED };
	struct evidence before;

	(void)state;
	mount_and_open();
	evidence_start(&before);
	put(SWITCH, "N");
	assert_int_equal(move(true, MEM_CMB), -EREMOTEIO);
	assert_int_equal(move(false, MEM_BAR), -EREMOTEIO);
	evidence_no_data_rpc(&before, false);
	evidence_check(&before, &nothing);
	assert_int_equal(move(true, MEM_RAM), SIZE);
	put(SWITCH, "Y");
	assert_int_equal(move(true, MEM_CMB), SIZE);
}

/* Does the trace have the event with this verdict? Empties it. */
static bool traced(const char *verdict)
{
	FILE *f = fopen(TRACING "/trace", "re");
	char line[512], want[64];
	bool found = false;

	assert_non_null(f);
	snprintf(want, sizeof(want), "p2pdma=%s\n", verdict);
	while (fgets(line, sizeof(line), f))
		found |= strstr(line, " nfs_p2pdma: ") && strstr(line, want);
	fclose(f);
	put(TRACING "/trace", "");
	return found;
}

static void test_trace(void **state)
{
	(void)state;
	mount_and_open();
	if (access(EVENT, W_OK))
		assert_return_code(mount("tracefs", TRACING, "tracefs", 0, NULL), errno);
	put(EVENT, "1");
	put(TRACING "/trace", "");
	assert_int_equal(move(true, MEM_RAM), SIZE);
	assert_false(traced("allowed"));
	assert_int_equal(move(true, MEM_CMB), SIZE);
	assert_true(traced("allowed"));
	put(SWITCH, "N");
	assert_int_equal(move(true, MEM_CMB), -EREMOTEIO);
	assert_true(traced("off"));
}

static int clean_up(void **state)
{
	(void)state;
	membuf_free(&buf);
	if (!access(EVENT, W_OK))
		put(EVENT, "0");
	put(SWITCH, "Y");
	return 0;
}

static int leave(void **state)
{
	(void)state;
	nfsfile_close(&file);
	return lab_unmount();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		{ "bytes by transport", test_counters, NULL, clean_up, NULL },
		{ "turned off and on", test_off, NULL, clean_up, NULL },
		{ "trace of each decision", test_trace, NULL, clean_up, NULL },
	};
	int rc = lab_main_setup(argc, argv);

	if (rc)
		return rc;
	return cmocka_run_group_tests_name("observe", tests, NULL, leave);
}
