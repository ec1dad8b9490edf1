// SPDX-License-Identifier: GPL-2.0
/*
 * Where a mount goes on in another file system: below a mount point of the server,
 * by a referral to another server, or because the file system has moved to one.
 * Each time the transports may be others, and the capability has to follow them.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/counters.h"
#include "../lib/lab.h"
#include "../lib/rows.h"
#include "../lib/transfer.h"

#define FILE_SIZE (2UL << 20)
#define BELOW	  "other"
#define CLIENT	  LAB_MOUNT "/" BELOW
#define SERVER	  LAB_EXPORT "/" BELOW
#define OPTIONS	  "rw,no_root_squash,no_subtree_check,nohide,fsid=7"
#define MOVED	  OPTIONS ",refer=/" BELOW "@10.9.8.2"
#define SCRIPT	  "/repo/tests/lib/other-server.sh"

/**
 * struct row - one test
 * @func:	what it does
 * @name:	what it is called
 * @version:	NFS version
 * @proto:	of the mount
 * @device:	"none", "rxe" or "vrnic" between it and the other server; NULL without one
 * @able:	peer-to-peer memory works below
 */
struct row {
	CMUnitTestFunction func;
	const char *name;
	const char *version;
	const char *proto;
	const char *device;
	bool able;
};

static const char exported[] = "*:" SERVER;
static struct nfsfile file = NFSFILE_CLOSED;

static void export_below(const char *options)
{
	const char *const argv[] = { "exportfs", "-o", options, exported, NULL };

	lab_must(argv);
}

static void start_other(const char *device)
{
	const char *const argv[] = { SCRIPT, "start", device, NULL };

	lab_must(argv);
}

/*
 * The mount, and a file system below its export that is not exported yet.  vrnic's
 * connection manager cannot tell listeners of two namespaces at one port: where the
 * other server has a vrnic, the first one starts without RDMA.
 */
static void mount_above(const struct row *row)
{
	if (row->device && !strcmp(row->device, "vrnic")) {
		assert_int_equal(lab_unmount(), 0);
		assert_return_code(setenv("LAB_RNIC", "none", 1), errno);
	}
	assert_int_equal(lab_mount_with(row->version, row->proto, NULL), 0);
	mkdir(SERVER, 0755);
	assert_return_code(mount("below", SERVER, "tmpfs", 0, "mode=777"), errno);
}

/* Opening the file is what makes the client cross. */
static void open_below(void)
{
	file.server = open(SERVER "/crossing", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	assert_return_code(file.server, errno);
	assert_return_code(ftruncate(file.server, FILE_SIZE), errno);
	file.client = open(CLIENT "/crossing", O_RDWR | O_DIRECT | O_CLOEXEC);
	assert_return_code(file.client, errno);
}

/* The client keeps the file open for a moment when the last user has closed it. */
static void close_below(void)
{
	static const char *const sync[] = { "sync", "-f", CLIENT, NULL };

	close(file.client);
	file.client = -1;
	lab_must(sync);
}

static void stats_below(struct mount_stats *st)
{
	int rc = mount_stats_read(CLIENT, st);

	if (rc)
		fail_msg("the client did not cross at " CLIENT);
}

/* The capability, what comes of it, and that memory is served in any case. */
static void check_below(bool able)
{
	struct mount_stats before, after;

	stats_below(&before);
	assert_int_equal(!!(before.caps & CAP_P2PDMA), able);
	transfer_p2p_mix(&file, able);
	stats_below(&after);
	assert_int_equal(after.write.ops - before.write.ops, able ? 2 : 0);
	assert_int_equal(after.read.ops - before.read.ops, able ? 2 : 0);
	transfer_ram_mix(&file);
}

static void test_submount(void **state)
{
	const struct row *row = *state;

	mount_above(row);
	export_below(OPTIONS);
	open_below();
	check_below(row->able);
}

static void test_referral(void **state)
{
	const struct row *row = *state;
	struct mount_stats above;

	mount_above(row);
	start_other(row->device);
	export_below(MOVED);
	open_below();
	check_below(row->able);
	assert_return_code(mount_stats_read(LAB_MOUNT, &above), 0);
	assert_int_equal(!!(above.caps & CAP_P2PDMA), !strcmp(row->proto, "rdma"));
}

static void test_migration(void **state)
{
	const struct row *row = *state;

	mount_above(row);
	export_below(OPTIONS);
	open_below();
	check_below(true);
	close_below();
	nfsfile_close(&file);
	start_other(row->device);
	export_below(MOVED);
	open_below();
	check_below(row->able);
}

/*
 * A migration is followed to the port of NFS, where lab-nfs has no RDMA.  Of two
 * listeners at a port, vrnic knows the first: the other server's must come later.
 */
static void listen_at_nfs_port(void)
{
	static bool listening;

	if (!listening)
		lab_put("/proc/fs/nfsd/portlist", "rdma 2049");
	listening = true;
}

static void test_back_again(void **state)
{
	static const char *const moved[] = { SCRIPT, "moved", "10.9.9.1", NULL };
	const struct row *row = *state;

	assert_int_equal(lab_mount_with(row->version, row->proto, NULL), 0);
	listen_at_nfs_port();
	test_migration(state);
	close_below();
	nfsfile_close(&file);
	export_below(OPTIONS);
	lab_must(moved);
	open_below();
	check_below(true);
}

static void test_no_rxe(void **state)
{
	(void)state;
	lab_skip("rxe of kernel 6.12 works in the first network namespace only");
}

/* Its sockets are there, wherever its netdev is (rxe_net.c). */
static bool rxe_needs_first_namespace(void)
{
	struct utsname name;

	return !uname(&name) && !strncmp(name.release, "6.12.", 5);
}

static int cleanup(void **state)
{
	static const char *const unexport[] = { "exportfs", "-u", exported, NULL };
	static const char *const stop[] = { SCRIPT, "stop", NULL };
	const struct row *row = *state;
	int rc;

	transfer_cleanup(state);
	nfsfile_close(&file);
	umount(CLIENT);
	rc = umount(LAB_MOUNT);
	lab_run(unexport);
	if (row->device)
		rc |= lab_run(stop);
	/* The server lets go of its files when it gets round to it. */
	rc |= umount2(SERVER, MNT_DETACH);
	if (!strcmp(lab_rnic(), "none")) {
		rc |= lab_unmount();
		rc |= setenv("LAB_RNIC", "vrnic", 1);
	}
	return rc;
}

static const struct row table[] = {
	{ test_submount, "v3 submount", "3", "rdma", NULL, true },
	{ test_submount, "v4.0 submount", "4.0", "rdma", NULL, true },
	{ test_submount, "v4.2 submount", "4.2", "rdma", NULL, true },
	{ test_submount, "v4.2 submount over TCP", "4.2", "tcp", NULL, false },
	{ test_referral, "v4.2 referral to a server without RDMA", "4.2", "rdma", "none", false },
	{ test_referral, "v4.2 referral from TCP to RDMA", "4.2", "tcp", "vrnic", true },
	{ test_migration, "v4.0 migration to a device that cannot", "4.0", "rdma", "rxe", false },
	{ test_migration, "v4.1 migration to a device that cannot", "4.1", "rdma", "rxe", false },
	{ test_back_again, "v4.0 migration there and back", "4.0", "rdma", "rxe", false },
	{ test_back_again, "v4.1 migration there and back", "4.1", "rdma", "rxe", false },
};

int main(int argc, char **argv)
{
	int rc = lab_main_setup(argc, argv);
	struct rows rows = { 0 };

	if (rc)
		return rc;
	for (const struct row *row = table; row < table + sizeof(table) / sizeof(table[0]); row++) {
		bool rxe = row->device && !strcmp(row->device, "rxe");
		bool skipped = rxe && rxe_needs_first_namespace();

		rows_add(&rows,
			 (struct CMUnitTest){
				 .test_func = skipped ? test_no_rxe : row->func,
				 .teardown_func = skipped ? NULL : cleanup,
				 .initial_state = (void *)(uintptr_t)row,
			 },
			 "%s", row->name);
	}
	return rows_run(&rows, "crossing", nfsfile_leave);
}
