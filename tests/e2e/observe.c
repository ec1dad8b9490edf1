// SPDX-License-Identifier: GPL-2.0
/*
 * Which way did the data go, and if not at all, why?  The counters of each
 * transport, in sysfs and in mountstats, the tracepoints, and the switch that
 * turns peer-to-peer DMA off at run time.
 */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/evidence.h"
#include "../lib/io.h"
#include "../lib/lab.h"
#include "../lib/nfsfile.h"
#include "../lib/pattern.h"
#include "../lib/trace.h"
#include "../lib/xprts.h"

#define SIZE   (1UL << 20)
#define SWITCH "/sys/module/nfs/parameters/p2pdma"
#define EVENT  "nfs/nfs_p2pdma"

static struct nfsfile file = NFSFILE_CLOSED;
static struct membuf buf;

static struct xprt_stats from_sysfs(void)
{
	return (struct xprt_stats){
		.read = xprts_sum("p2pdma_read_bytes"),
		.write = xprts_sum("p2pdma_write_bytes"),
		.refused = xprts_sum("p2pdma_refused"),
	};
}

static struct xprt_stats from_mountstats(void)
{
	struct xprt_stats st;

	assert_int_equal(xprts_of_mount(LAB_MOUNT, &st, 1), 1);
	return st;
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
	struct xprt_stats sysfs, mount, sysfs_after, mount_after;

	(void)state;
	mount_and_open();
	sysfs = from_sysfs();
	mount = from_mountstats();
	assert_int_equal(mount.state, XPRT_YES);
	assert_int_equal(move(true, MEM_CMB), SIZE);
	assert_int_equal(move(false, MEM_BAR), SIZE);
	assert_int_equal(move(false, MEM_BAR), SIZE);
	assert_int_equal(move(true, MEM_RAM), SIZE);
	sysfs_after = from_sysfs();
	mount_after = from_mountstats();
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
	kernel_put(SWITCH, "N");
	assert_int_equal(move(true, MEM_CMB), -EREMOTEIO);
	assert_int_equal(move(false, MEM_BAR), -EREMOTEIO);
	evidence_no_data_rpc(&before, false);
	evidence_check(&before, &nothing);
	assert_int_equal(move(true, MEM_RAM), SIZE);
	kernel_put(SWITCH, "Y");
	assert_int_equal(move(true, MEM_CMB), SIZE);
}

static void test_trace(void **state)
{
	(void)state;
	mount_and_open();
	trace_enable(EVENT, true);
	assert_int_equal(move(true, MEM_RAM), SIZE);
	assert_int_equal(trace_count("nfs_p2pdma", "p2pdma=allowed"), 0);
	assert_int_equal(move(true, MEM_CMB), SIZE);
	assert_true(trace_count("nfs_p2pdma", "p2pdma=allowed") > 0);
	kernel_put(SWITCH, "N");
	assert_int_equal(move(true, MEM_CMB), -EREMOTEIO);
	assert_true(trace_count("nfs_p2pdma", "p2pdma=off") > 0);
	trace_enable(EVENT, false);
}

/*
 * A request of direct I/O has no folio, nor need its page have a mapping: none of the
 * events that look for the inode there may be one of its.
 */
static void test_all_events(void **state)
{
	static const char *const systems[] = { "nfs", "nfs4", "sunrpc", "rpcrdma" };
	const size_t count = sizeof(systems) / sizeof(systems[0]);

	(void)state;
	mount_and_open();
	for (size_t i = 0; i < count; i++)
		trace_enable(systems[i], true);
	for (enum mem_kind kind = 0; kind < MEM_KINDS; kind++) {
		assert_int_equal(move(true, kind), SIZE);
		assert_int_equal(move(false, kind), SIZE);
		/* As text, too. */
		assert_true(trace_count("nfs_initiate_read", NULL) > 0);
	}
	for (size_t i = 0; i < count; i++)
		trace_enable(systems[i], false);
}

/* Run a program; all that it says, which must not be an error. */
static const char *output_of(const char *command)
{
	static char text[32768];
	FILE *f = popen(command, "r");
	size_t len;

	assert_non_null(f);
	len = fread(text, 1, sizeof(text) - 1, f);
	text[len] = '\0';
	assert_int_equal(pclose(f), 0);
	return text;
}

static void must_say(const char *text, const char *what)
{
	if (!strstr(text, what))
		fail_msg("it does not say '%s':\n%.2000s", what, text);
}

/* The line below "read:" or "write:" of nfsiostat: ops/s, kB/s, kB/op. */
static void check_iostat(const char *text, const char *direction)
{
	const char *line = strstr(text, direction);
	double ops = 0, rate = 0, size = 0;

	line = line ? strchr(line + 1, '\n') : NULL;
	if (!line || sscanf(line, "%lf %lf %lf", &ops, &rate, &size) != 3)
		fail_msg("no figures for '%s':\n%.2000s", direction, text);
	assert_true(ops > 0 && rate > 0);
	/* The data of one RPC, and its header. */
	assert_true(size >= 1024 && size < 1025);
}

/* Debian's tools must understand what mountstats has come to say. */
static void test_tools(void **state)
{
	const char *proto = *state;
	const enum mem_kind kind = strcmp(proto, "rdma") ? MEM_RAM : MEM_CMB;
	struct mount_stats st;
	const char *text;
	char caps[48];

	nfsfile_close(&file);
	/* Not NFSv4.2, which on TCP reads by READ_PLUS: nfsiostat does not know that. */
	assert_int_equal(lab_mount_with("4.1", proto, NULL), 0);
	nfsfile_open(&file, "observe", SIZE);
	assert_int_equal(move(true, kind), SIZE);
	assert_int_equal(move(true, MEM_RAM), SIZE);
	assert_int_equal(move(false, kind), SIZE);
	text = output_of("mountstats " LAB_MOUNT " 2>&1");
	must_say(text, " mounted on " LAB_MOUNT ":\n");
	must_say(text, "  applications read 1048576 bytes via O_DIRECT read(2)\n");
	must_say(text, "  applications wrote 2097152 bytes via O_DIRECT write(2)\n");
	must_say(text, "  client read 1048576 bytes via NFS READ\n");
	must_say(text, "  client wrote 2097152 bytes via NFS WRITE\n");
	must_say(text, "\nWRITE:\n\t2 ops (");
	assert_return_code(mount_stats_read(LAB_MOUNT, &st), 0);
	snprintf(caps, sizeof(caps), "capabilities: caps=0x%" PRIx64 ",", st.caps);
	must_say(text, caps);
	text = output_of("nfsiostat " LAB_MOUNT " 2>&1");
	must_say(text, " mounted on " LAB_MOUNT ":\n");
	check_iostat(text, "\nread: ");
	check_iostat(text, "\nwrite: ");
}

static int clean_up(void **state)
{
	(void)state;
	membuf_free(&buf);
	kernel_put(SWITCH, "Y");
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
	static char rdma[] = "rdma", tcp[] = "tcp";
	const struct CMUnitTest tests[] = {
		{ "bytes by transport", test_counters, NULL, clean_up, NULL },
		{ "turned off and on", test_off, NULL, clean_up, NULL },
		{ "trace of each decision", test_trace, NULL, clean_up, NULL },
		{ "every trace event", test_all_events, NULL, clean_up, NULL },
		{ "mountstats and nfsiostat on RDMA", test_tools, NULL, clean_up, rdma },
		{ "mountstats and nfsiostat on TCP", test_tools, NULL, clean_up, tcp },
	};
	int rc = lab_main_setup(argc, argv);

	if (rc)
		return rc;
	return cmocka_run_group_tests_name("observe", tests, NULL, leave);
}
