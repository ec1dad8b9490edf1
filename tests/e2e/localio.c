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
#include "../lib/local.h"
#include "../lib/nfsfile.h"
#include "../lib/pattern.h"

#define FILE_SIZE (1UL << 20)
#define LEN	  (256UL << 10)
#define OLD_SEED  1
#define NEW_SEED  2

static struct nfsfile file = NFSFILE_CLOSED;
static struct membuf p2p;

static void open_file(const char *version)
{
	nfsfile_close(&file);
	if (lab_mount_with(version, "rdma", NULL))
		fail_msg("lab-nfs up --vers %s failed", version);
	nfsfile_open(&file, "localio", FILE_SIZE);
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
	local_switch(true);
	open_file(*state);
	local_wait(&file);
	all_memory(refused);
	assert_true(local_serves(&file));
}

/* Found to be local long after the mount, and not any more. */
static void test_after_mount(void **state)
{
	local_switch(false);
	open_file(*state);
	assert_false(local_serves(&file));
	all_memory(served_by_rdma);
	local_probe_v3();
	local_switch(true);
	local_wait(&file);
	all_memory(refused);
	local_switch(false);
	assert_false(local_serves(&file));
	all_memory(served_by_rdma);
}

static int clean_up(void **state)
{
	(void)state;
	membuf_free(&p2p);
	local_switch(false);
	return 0;
}

static int enter(void **state)
{
	(void)state;
	/* Loads the modules. */
	if (lab_mount("3", "rdma"))
		return -1;
	return local_exists() ? 0 : -1;
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
