// SPDX-License-Identifier: GPL-2.0
/*
 * More than one transport, and more than one mount.  RPCs of a mount with
 * nconnect or session trunking go by any of its transports, so all of them have
 * to be able to carry peer-to-peer memory.  Mounts of one server share them.
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
#include "../lib/link.h"
#include "../lib/rows.h"
#include "../lib/transfer.h"
#include "../lib/xprts.h"

#define FILE_SIZE (2UL << 20)
#define ROUNDS	  4
#define MAX_XPRTS 8
#define NAME	  "trunks"
#define OPTIONS	  "rw,no_root_squash,no_subtree_check,fsid=0"
#define DISCOVER  "-o", "trunkdiscovery"

static const char exported[] = "*:" LAB_EXPORT;
static struct nfsfile file = NFSFILE_CLOSED, second = NFSFILE_CLOSED;

/**
 * struct trunk - a mount with several transports
 * @name:	of the test
 * @version:	NFS version
 * @options:	of lab-nfs
 * @transports:	how many there must be
 * @export:	options of the export, if they name the server's addresses
 */
struct trunk {
	const char *name;
	const char *version;
	const char *options[3];
	int transports;
	const char *export;
};

static void mount_fresh(const char *version, const char *const options[])
{
	nfsfile_close(&file);
	assert_int_equal(lab_mount_with(version, "rdma", options), 0);
	nfsfile_open(&file, NAME, FILE_SIZE);
}

/* What the server answers to clients that ask where else it can be reached. */
static void export_as(const char *options)
{
	const char *const argv[] = { "exportfs", "-o", options, exported, NULL };

	lab_must(argv);
}

static void check_bit(const char *dir, bool want)
{
	struct mount_stats st;

	assert_return_code(mount_stats_read(dir, &st), 0);
	assert_int_equal(!!(st.caps & CAP_P2PDMA), want);
}

static void test_trunk(void **state)
{
	static const struct transfer shift = { true, MEM_RAM, IO_SYNC, 65536, 0 };
	struct xprt_stats st[MAX_XPRTS];
	const struct trunk *t = *state;

	if (t->export) {
		/* There has to be a server. */
		mount_fresh(t->version, NULL);
		export_as(t->export);
	}
	mount_fresh(t->version, t->options);
	check_bit(LAB_MOUNT, true);
	for (int i = 0; i < ROUNDS; i++) {
		transfer_p2p_mix(&file, true);
		/* Transports take turns: shift who gets which of them. */
		transfer_served(&file, &shift);
	}
	transfer_ram_mix(&file);
	assert_int_equal(xprts_of_mount(LAB_MOUNT, st, MAX_XPRTS), t->transports);
	for (int i = 0; i < t->transports; i++) {
		assert_int_equal(st[i].state, XPRT_YES);
		assert_int_not_equal(st[i].read, 0);
		assert_int_not_equal(st[i].write, 0);
		assert_int_equal(st[i].refused, 0);
	}
}

static void mount_second(const char *options, const char *server)
{
	lab_mount_second(options, server);
	second.client = open(LAB_SECOND "/" NAME, O_RDWR | O_DIRECT | O_CLOEXEC);
	assert_return_code(second.client, errno);
	second.server = dup(file.server);
}

static void unmount_second(void)
{
	nfsfile_close(&second);
	lab_unmount_second();
}

/* One transport that cannot is enough: nobody knows which one an RPC takes. */
static void test_unable_trunk(void **state)
{
	static const char *const two[] = { "-o", "max_connect=2", NULL };
	static const char *const ro[] = { "mount", "-o", "remount,ro", LAB_MOUNT, NULL };
	static const char *const rw[] = { "mount", "-o", "remount,rw", LAB_MOUNT, NULL };
	struct xprt_stats st[MAX_XPRTS];

	(void)state;
	mount_fresh("4.2", two);
	transfer_p2p_mix(&file, true);
	link_second_up("rxe");
	mount_second("vers=4.2,proto=rdma,port=20049,max_connect=2", LINK_SECOND_SHARE);
	unmount_second();
	assert_int_equal(xprts_of_mount(LAB_MOUNT, st, MAX_XPRTS), 2);
	assert_int_equal(st[0].state, XPRT_YES);
	assert_int_equal(st[1].state, XPRT_NO);
	transfer_p2p_mix(&file, false);
	transfer_ram_mix(&file);
	/* What the mount says is put right when it is probed. */
	nfsfile_close(&file);
	lab_must(ro);
	check_bit(LAB_MOUNT, false);
	lab_must(rw);
}

/* The client connects while it probes, and the mount knows from the beginning. */
static void test_unable_discovered(void **state)
{
	static const char *const discover[] = { DISCOVER, NULL };
	struct xprt_stats st[MAX_XPRTS];

	(void)state;
	mount_fresh("4.2", NULL);
	link_second_up("rxe");
	export_as(OPTIONS ",replicas=/@" LINK_SECOND_ADDRESS);
	mount_fresh("4.2", discover);
	assert_int_equal(xprts_of_mount(LAB_MOUNT, st, MAX_XPRTS), 2);
	assert_int_equal(st[0].state, XPRT_YES);
	assert_int_equal(st[1].state, XPRT_NO);
	check_bit(LAB_MOUNT, false);
	transfer_p2p_mix(&file, false);
	transfer_ram_mix(&file);
}

/**
 * struct pair - two mounts of one server
 * @name:	of the test
 * @version:	NFS version
 * @options:	of the second one
 * @server:	and where it is from
 * @shared:	both are one superblock
 */
struct pair {
	const char *name;
	const char *version;
	const char *options;
	const char *server;
	bool shared;
};

static void test_pair(void **state)
{
	const struct pair *p = *state;
	struct stat a, b;

	mount_fresh(p->version, NULL);
	mount_second(p->options, p->server);
	assert_return_code(fstat(file.client, &a), errno);
	assert_return_code(fstat(second.client, &b), errno);
	assert_int_equal(a.st_dev == b.st_dev, p->shared);
	check_bit(LAB_MOUNT, true);
	check_bit(LAB_SECOND, true);
	transfer_p2p_mix(&file, true);
	transfer_p2p_mix(&second, true);
	transfer_ram_mix(&second);
	unmount_second();
	transfer_p2p_mix(&file, true);
}

/* The first one goes, and with it nothing that the second one needs. */
static void test_first_goes(void **state)
{
	const struct pair *p = *state;

	mount_fresh(p->version, NULL);
	mount_second(p->options, p->server);
	nfsfile_close(&file);
	assert_return_code(umount(LAB_MOUNT), errno);
	transfer_p2p_mix(&second, true);
	unmount_second();
}

static int cleanup(void **state)
{
	transfer_cleanup(state);
	nfsfile_close(&second);
	umount2(LAB_SECOND, MNT_DETACH);
	nfsfile_close(&file);
	umount2(LAB_MOUNT, MNT_DETACH);
	link_second_down();
	export_as(OPTIONS);
	return 0;
}

static const struct trunk trunks[] = {
	{ "v3 nconnect=4", "3", { "--nconnect", "4" }, 4, NULL },
	{ "v4.0 nconnect=4", "4.0", { "--nconnect", "4" }, 4, NULL },
	{ "v4.2 nconnect=4", "4.2", { "--nconnect", "4" }, 4, NULL },
	{ "v4.1 session trunking", "4.1", { "--trunk" }, 2, NULL },
	{ "v4.2 session trunking", "4.2", { "--trunk" }, 2, NULL },
	{ "v4.2 trunk discovery", "4.2", { DISCOVER }, 2, OPTIONS ",replicas=/@10.9.9.2" },
};

#define RDMA ",proto=rdma,port=20049"

static const struct pair pairs[] = {
	{ "v4.2 two mounts, one superblock", "4.2", "vers=4.2" RDMA, "10.9.9.1:/", true },
	{ "v4.2 two mounts, nosharecache", "4.2", "nosharecache,vers=4.2" RDMA, "10.9.9.1:/",
	  false },
	{ "v3 two mounts, one superblock", "3", "vers=3,mountproto=tcp" RDMA, "10.9.9.1:/export",
	  true },
	{ "v3 two mounts, nosharecache", "3", "nosharecache,vers=3,mountproto=tcp" RDMA,
	  "10.9.9.1:/export", false },
	{ "v4.2 beside v3", "4.2", "vers=3,mountproto=tcp" RDMA, "10.9.9.1:/export", false },
};

static void add(struct rows *rows, CMUnitTestFunction func, const void *state, const char *name,
		const char *more)
{
	rows_add(rows,
		 (struct CMUnitTest){
			 .test_func = func,
			 .teardown_func = cleanup,
			 .initial_state = (void *)(uintptr_t)state,
		 },
		 "%s%s", name, more);
}

int main(int argc, char **argv)
{
	int rc = lab_main_setup(argc, argv);
	struct rows rows = { 0 };

	if (rc)
		return rc;
	for (size_t i = 0; i < sizeof(trunks) / sizeof(trunks[0]); i++)
		add(&rows, test_trunk, &trunks[i], trunks[i].name, "");
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		add(&rows, test_pair, &pairs[i], pairs[i].name, "");
		add(&rows, test_first_goes, &pairs[i], pairs[i].name, ", the first goes");
	}
	add(&rows, test_unable_trunk, NULL, "v4.2 session trunking by a device that cannot", "");
	add(&rows, test_unable_discovered, NULL, "v4.2 trunk discovery of a device that cannot",
	    "");
	return rows_run(&rows, "trunks", nfsfile_leave);
}
