// SPDX-License-Identifier: GPL-2.0
/*
 * What a path is on, as check, cp and bench see it: NFS mounts that are not there until
 * somebody looks, or that are never found.  The made-up machine is the root folder here,
 * and statx(2) and statfs(2) say of some of its files that they are on NFS.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/magic.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../tools/nfsp2p/choice.h"
#include "../../tools/nfsp2p/ends.h"
#include "../../tools/nfsp2p/nfsp2p.h"
#include "nfsp2p/machine.h"

#define NFS  "/mnt/nfs"
#define SUB  NFS "/sub"
#define LOST NFS "/lost"

/* Of fake_mount(): the first mount, and the others one by one. */
#define FIRST_ID    140
#define FIRST_MINOR 40

static char root[sizeof(machine.tree.root)];
static int home = -1;
static int looks;	     /* at SUB, until it is mounted; 0: never */
static unsigned int mounted; /* which mount NFS itself is */
static char output[65536];

static bool is_below(const char *path, const char *dir)
{
	const size_t n = strlen(dir);

	return !strncmp(path, dir, n) && (!path[n] || path[n] == '/');
}

/* As the kernel would: in the place of libc's. */
int statx(int dir, const char *restrict path, int flags, unsigned int mask,
	  struct statx *restrict stx)
{
	unsigned int which = mounted;

	if (is_below(path, SUB) && looks && !--looks)
		fake_mount(&machine.tree, &(struct fake_mount){ .target = SUB,
								.proto = "rdma",
								.caps = ABLE_CAPS,
								.p2pdma = XPRT_YES });
	if (syscall(SYS_statx, dir, path, flags, mask, stx))
		return -1;
	if (!is_below(path, NFS))
		return 0;
	if (is_below(path, SUB))
		which = 1;
	if (is_below(path, LOST))
		which = 900;
	stx->stx_mask |= STATX_MNT_ID;
	stx->stx_mnt_id = FIRST_ID + which;
	stx->stx_dev_major = 0;
	stx->stx_dev_minor = FIRST_MINOR + which;
	return 0;
}

int statfs(const char *path, struct statfs *fs)
{
	if (syscall(SYS_statfs, path, fs))
		return -1;
	if (is_below(path, NFS))
		fs->f_type = NFS_SUPER_MAGIC;
	return 0;
}

static int setup(void **state)
{
	machine_setup(state);
	machine_amd();
	machine_switch(NO_ACS);
	fake_mount(&machine.tree, &machine_able);
	fake_file(&machine.tree, SUB "/file", "something\n");
	fake_file(&machine.tree, LOST "/file", "something\n");
	looks = 0;
	mounted = 0;
	unsetenv("NFSP2P_ROOT");
	memcpy(root, machine.tree.root, sizeof(root));
	home = open("/", O_PATH | O_CLOEXEC);
	assert_true(home >= 0);
	assert_int_equal(chroot(root), 0);
	assert_int_equal(chdir("/"), 0);
	machine.tree.root[0] = '\0';
	return 0;
}

static int teardown(void **state)
{
	assert_int_equal(fchdir(home), 0);
	assert_int_equal(chroot("."), 0);
	close(home);
	memcpy(machine.tree.root, root, sizeof(root));
	return machine_teardown(state);
}

/* Run a command; what it prints is left in output. */
static int run(int (*command)(int argc, char **argv), int argc, char **argv)
{
	int out = dup(STDOUT_FILENO), file = memfd_create("output", MFD_CLOEXEC), rc;

	fflush(stdout);
	assert_true(dup2(file, STDOUT_FILENO) >= 0);
	optind = 0;
	rc = command(argc, argv);
	fflush(stdout);
	assert_true(dup2(out, STDOUT_FILENO) >= 0);
	output[pread(file, output, sizeof(output) - 1, 0)] = '\0';
	close(out);
	close(file);
	return rc;
}

static int check(char *option, char *path)
{
	char name[] = "check", *argv[] = { name, option, path, NULL };

	return run(cmd_check, 3, argv);
}

static char any[] = "--any", json[] = "--json", file_of_sub[] = SUB "/file", lost[] = LOST,
	    file_of_lost[] = LOST "/file";

/* Our own look mounts it: before the mounts are read, not after. */
static void test_check_automount(void **state)
{
	(void)state;
	looks = 1;
	assert_int_equal(check(any, file_of_sub), EXIT_YES);
	assert_non_null(strstr(output, SUB "/file (192.0.2.1:/export, NFSv4.2, rdma"));
}

/* It went away and came back meanwhile. */
static void test_check_reload(void **state)
{
	(void)state;
	looks = 2;
	assert_int_equal(check(any, file_of_sub), EXIT_YES);
	assert_non_null(strstr(output, SUB "/file (192.0.2.1:/export, NFSv4.2, rdma"));
}

/* Of another mount namespace, for instance: on NFS, whatever else is not known. */
static void test_check_lost(void **state)
{
	(void)state;
	assert_int_equal(check(any, file_of_lost), EXIT_UNKNOWN);
	assert_non_null(strstr(output, "is on NFS, but on none of the mounts"));
	assert_int_equal(check(json, file_of_lost), EXIT_UNKNOWN);
	assert_non_null(strstr(output, "\"code\":\"mount-unknown\""));
}

static struct ends ends;

static int add_ends(void *arg)
{
	assert_int_equal(ends_add(&ends, &machine.shot, arg), 0);
	if (!ends.n)
		return 0;
	assert_string_equal(ends.ends[0].mount->target, SUB);
	assert_true(ends_counted(&ends).counted);
	return 0;
}

static void test_choice_automount(void **state)
{
	char *paths[] = { file_of_sub };

	(void)state;
	ends = (struct ends){ 0 };
	looks = 1;
	assert_int_equal(choice_run(&machine.shot, paths, 1, add_ends, file_of_sub), EXIT_YES);
	assert_int_equal(ends.n, 1);
	assert_string_equal(ends.lost, "");
}

/* What is not known is not said to be wrong. */
static void test_ends_lost(void **state)
{
	char *paths[] = { file_of_lost };

	(void)state;
	ends = (struct ends){ 0 };
	assert_int_equal(choice_run(&machine.shot, paths, 1, add_ends, file_of_lost), EXIT_YES);
	assert_int_equal(ends.n, 0);
	assert_string_equal(ends.lost, file_of_lost);
	assert_false(ends_counted(&ends).counted);
}

/* Mounts below the folder that was named. */
static void test_ends_below(void **state)
{
	(void)state;
	ends = (struct ends){ 0 };
	looks = 1;
	mount_touch(SUB);
	assert_int_equal(snapshot_load(&machine.shot, ""), 0);
	assert_int_equal(ends_add(&ends, &machine.shot, NFS), 0);
	assert_int_equal(ends.n, 1);
	ends_add_below(&ends, &machine.shot, NFS);
	ends_add_below(&ends, &machine.shot, "/proc");
	ends_add_below(&ends, &machine.shot, NFS "/nothing");
	assert_int_equal(ends.n, 1);
	ends_add_below(&ends, &machine.shot, SUB "/file");
	assert_int_equal(ends.n, 2);
	assert_true(ends_counted(&ends).counted);
	ends_add_below(&ends, &machine.shot, file_of_lost);
	assert_int_equal(ends.n, 2);
	assert_false(ends_counted(&ends).counted);
}

/* More mounts than are looked at. */
static void test_ends_many(void **state)
{
	(void)state;
	ends = (struct ends){ 0 };
	for (int i = 0; i < MAX_ENDS; i++)
		fake_mount(&machine.tree, &machine_able);
	assert_int_equal(snapshot_load(&machine.shot, ""), 0);
	for (mounted = 0; mounted <= MAX_ENDS; mounted++) {
		assert_true(ends_counted(&ends).counted);
		assert_int_equal(ends_add(&ends, &machine.shot, NFS), 0);
	}
	assert_int_equal(ends.n, MAX_ENDS);
	assert_false(ends_counted(&ends).counted);
}

/* A nested export that is not mounted until the copy has looked into it. */
static void test_cp_automount(void **state)
{
	char name[] = "cp", recursive[] = "-r", mem[] = "--mem", host[] = "host", from[] = NFS,
	     to[] = "/copy", *argv[] = { name, recursive, mem, host, from, to, NULL };

	(void)state;
	assert_int_equal(unlink(file_of_lost), 0);
	looks = 1;
	assert_int_equal(run(cmd_cp, 6, argv), EXIT_YES);
	assert_int_equal(looks, 0);
	assert_non_null(strstr(output, "1 file, 10 bytes"));
	assert_non_null(strstr(output, "copied by the CPU 0 (counted)"));
	/* One that is not found even then is not judged. */
	fake_file(&machine.tree, file_of_lost, "something\n");
	argv[4] = lost;
	assert_int_equal(run(cmd_cp, 6, argv), EXIT_YES);
	assert_non_null(strstr(output, "copied by the CPU: not counted for this mount"));
}

/* Files on a device mapper's device, say: no ends, but not any memory will do. */
static void test_choose_without_ends(void **state)
{
	const struct provider *p;
	struct verdict v;
	char why[512];

	(void)state;
	ends = (struct ends){ 0 };
	machine_nvme(PORT_B "/0000:81:00.0");
	fake_p2pmem(&machine.tree, PORT_B "/0000:81:00.0", 1 << 30, false);
	assert_int_equal(snapshot_load(&machine.shot, ""), 0);
	p = ends_choose(&ends, &machine.shot, NULL, why, sizeof(why));
	assert_non_null(p);
	assert_string_equal(p->bdf, "0000:03:00.0");
	assert_null(ends_choose(&ends, &machine.shot, "0000:81:00.0", why, sizeof(why)));
	assert_non_null(strstr(why, "its driver has not published it"));
	machine.shot.providers[0].access = ACCESS_DENIED;
	assert_null(ends_choose(&ends, &machine.shot, "0000:03:00.0", why, sizeof(why)));
	assert_non_null(strstr(why, "this user may not open"));
	assert_null(ends_choose(&ends, &machine.shot, NULL, why, sizeof(why)));
	verdict_pick(&machine.shot, NULL, 0, 4096, &v);
	assert_int_equal(v.answer, ANSWER_NO);
	verdict_free(&v);
}

/* What can be told of the last end does not hide what cannot be told of another. */
static void test_choose_worst_end(void **state)
{
	struct endpoint two[2] = { { .pci = NO_PCI } };
	const struct provider *p;
	struct verdict v;

	(void)state;
	assert_int_equal(snapshot_load(&machine.shot, ""), 0);
	p = &machine.shot.providers[0];
	two[1].mount = &machine.shot.mounts[0];
	verdict_ends(&machine.shot, two, 2, p, &v);
	assert_int_equal(v.answer, ANSWER_UNKNOWN);
	assert_string_equal(v.findings[0].code, "no-function");
	verdict_free(&v);
}

#define T(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(check_automount),  T(check_reload), T(check_lost), T(choice_automount),
		T(ends_lost),	     T(ends_below),   T(ends_many),  T(choose_without_ends),
		T(choose_worst_end), T(cp_automount),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("nfsp2p-ends", tests, NULL, NULL);
}
