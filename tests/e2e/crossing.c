// SPDX-License-Identifier: GPL-2.0
/*
 * Where a mount goes on in another file system of the server, the client makes
 * another superblock, whose capability is determined anew.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
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

/**
 * struct row - one test
 * @name:	what it is called
 * @version:	NFS version
 * @proto:	of the mount
 * @able:	peer-to-peer memory works below
 */
struct row {
	const char *name;
	const char *version;
	const char *proto;
	bool able;
};

static const char exported[] = "*:" SERVER;
static struct nfsfile file = NFSFILE_CLOSED;

static void run(const char *const argv[])
{
	int rc = lab_run(argv);

	if (rc)
		fail_msg("%s %s %s ... failed (%d)", argv[0], argv[1], argv[2], rc);
}

/* The mount, and a file system below its export that is not exported yet. */
static void mount_above(const struct row *row)
{
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
	static const char *const share[] = { "exportfs", "-o", OPTIONS, exported, NULL };
	const struct row *row = *state;

	mount_above(row);
	run(share);
	open_below();
	check_below(row->able);
}

static int cleanup(void **state)
{
	static const char *const unexport[] = { "exportfs", "-u", exported, NULL };
	int rc;

	transfer_cleanup(state);
	nfsfile_close(&file);
	umount(CLIENT);
	rc = umount(LAB_MOUNT);
	lab_run(unexport);
	/* The server lets go of its files when it gets round to it. */
	rc |= umount2(SERVER, MNT_DETACH);
	return rc;
}

static const struct row table[] = {
	{ "v3 submount", "3", "rdma", true },
	{ "v4.0 submount", "4.0", "rdma", true },
	{ "v4.2 submount", "4.2", "rdma", true },
	{ "v4.2 submount over TCP", "4.2", "tcp", false },
};

int main(int argc, char **argv)
{
	int rc = lab_main_setup(argc, argv);
	struct rows rows = { 0 };

	if (rc)
		return rc;
	for (const struct row *row = table; row < table + sizeof(table) / sizeof(table[0]); row++)
		rows_add(&rows,
			 (struct CMUnitTest){
				 .test_func = test_submount,
				 .teardown_func = cleanup,
				 .initial_state = (void *)(uintptr_t)row,
			 },
			 "%s", row->name);
	return rows_run(&rows, "crossing", nfsfile_leave);
}
