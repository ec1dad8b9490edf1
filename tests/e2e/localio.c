// SPDX-License-Identifier: GPL-2.0
/*
 * LOCALIO: a client that finds its server on the same machine hands READ and
 * WRITE to the file system itself, which may copy by CPU.  Peer-to-peer memory
 * must never get there: it is refused while the server is local, and travels as
 * ever while it is not, whatever became of the mount in between.
 *
 * Needs the debug kernel: Debian's has no LOCALIO.
 */
#include <errno.h>
#include <fcntl.h>
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

#define FILE_SIZE (1UL << 20)
#define LEN	  (256UL << 10)
#define OLD_SEED  1
#define NEW_SEED  2

/* The client looks for a local server in the background. */
#define PROBE_TRIES 200
#define PROBE_PAUSE 100000 /* us */

#define LOCALIO "/sys/module/nfs/parameters/localio_enabled"
/* The client of NFSv3 asks again after so many READs or WRITEs. */
#define V3_PROBE "/sys/module/nfsv3/parameters/nfs3_localio_probe_throttle"

static struct nfsfile file = NFSFILE_CLOSED;
static struct membuf ram, p2p;

static uint64_t data_rpcs(void)
{
	struct mount_stats st;

	assert_return_code(mount_stats_read(LAB_MOUNT, &st), 0);
	return st.read.ops + st.write.ops;
}

/* Does one READ and one WRITE of RAM go without any RPC? */
static bool served_locally(void)
{
	uint64_t before = data_rpcs();

	pattern_fill(ram.data, LEN, NEW_SEED, 0);
	assert_int_equal(io_one(IO_SYNC, true, file.client, ram.data, LEN, 0), LEN);
	nfsfile_server_check(&file, LEN, NEW_SEED, 0);
	memset(ram.data, 0, LEN);
	assert_int_equal(io_one(IO_SYNC, false, file.client, ram.data, LEN, 0), LEN);
	nfsfile_buffer_check(ram.data, LEN, NEW_SEED, 0, "RAM buffer");
	return data_rpcs() == before;
}

static void wait_until_local(void)
{
	for (int try = 0; try < PROBE_TRIES; try++) {
		if (served_locally())
			return;
		usleep(PROBE_PAUSE);
	}
	fail_msg("the client did not find its server to be local");
}

static void open_file(const char *version)
{
	nfsfile_close(&file);
	if (lab_mount_with(version, "rdma", NULL))
		fail_msg("lab-nfs up --vers %s failed", version);
	nfsfile_open(&file, "localio", FILE_SIZE);
	assert_int_equal(membuf_alloc(&ram, MEM_RAM, LEN), 0);
}

static void refused(enum mem_kind kind, bool write)
{
	struct expected nothing = { .pins = PINS_BALANCED };
	struct evidence before;

	nfsfile_server_fill(&file, LEN, OLD_SEED, 0);
	evidence_start(&before);
	assert_int_equal(membuf_alloc(&p2p, kind, LEN), 0);
	pattern_fill(p2p.data, LEN, NEW_SEED, 0);
	assert_int_equal(io_one(IO_SYNC, write, file.client, p2p.data, LEN, 0), -EREMOTEIO);
	nfsfile_server_check(&file, LEN, OLD_SEED, 0);
	nfsfile_buffer_check(p2p.data, LEN, NEW_SEED, 0, "refused buffer");
	membuf_free(&p2p);
	evidence_no_data_rpc(&before, false);
	evidence_check(&before, &nothing);
}

static void served_by_rdma(enum mem_kind kind, bool write)
{
	struct expected exp = { .pins = PINS_EXACT };
	struct evidence before;

	nfsfile_server_fill(&file, LEN, OLD_SEED, 0);
	evidence_start(&before);
	assert_int_equal(membuf_alloc(&p2p, kind, LEN), 0);
	expected_add(&exp, write, kind, p2p.data, LEN);
	pattern_fill(p2p.data, LEN, NEW_SEED, 0);
	assert_int_equal(io_one(IO_SYNC, write, file.client, p2p.data, LEN, 0), LEN);
	nfsfile_server_check(&file, LEN, write ? NEW_SEED : OLD_SEED, 0);
	nfsfile_buffer_check(p2p.data, LEN, write ? NEW_SEED : OLD_SEED, 0, "P2P buffer");
	membuf_free(&p2p);
	evidence_check(&before, &exp);
}

static void all_memory(void (*test)(enum mem_kind kind, bool write))
{
	for (int kind = MEM_CMB; kind < MEM_KINDS; kind++) {
		test(kind, false);
		test(kind, true);
	}
}

/* Switched on when the file system is mounted. */
static void test_before_mount(void **state)
{
	lab_put(LOCALIO, "Y");
	open_file(*state);
	wait_until_local();
	all_memory(refused);
	assert_true(served_locally());
}

/* Found to be local long after the mount, and not any more. */
static void test_after_mount(void **state)
{
	lab_put(LOCALIO, "N");
	open_file(*state);
	assert_false(served_locally());
	all_memory(served_by_rdma);
	lab_put(V3_PROBE, "1");
	lab_put(LOCALIO, "Y");
	wait_until_local();
	all_memory(refused);
	lab_put(LOCALIO, "N");
	assert_false(served_locally());
	all_memory(served_by_rdma);
}

static int clean_up(void **state)
{
	(void)state;
	membuf_free(&ram);
	membuf_free(&p2p);
	lab_put(LOCALIO, "N");
	return 0;
}

static int enter(void **state)
{
	(void)state;
	/* Loads the modules. */
	if (lab_mount("3", "rdma"))
		return -1;
	if (access(LOCALIO, W_OK)) {
		fprintf(stderr, "this kernel has no LOCALIO: run it with lab/vm --debug\n");
		return -1;
	}
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
		{ "v3 switched on before the mount", test_before_mount, NULL, clean_up, "3" },
		{ "v4.1 switched on before the mount", test_before_mount, NULL, clean_up, "4.1" },
		{ "v4.2 switched on before the mount", test_before_mount, NULL, clean_up, "4.2" },
		{ "v3 switched on and off after the mount", test_after_mount, NULL, clean_up, "3" },
	};
	int rc = lab_main_setup(argc, argv);

	return rc ? rc : cmocka_run_group_tests(tests, enter, leave);
}
