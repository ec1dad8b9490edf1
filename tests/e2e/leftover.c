// SPDX-License-Identifier: GPL-2.0
/*
 * What one process leaves in peer-to-peer memory, the next one sees: the kernel
 * clears it neither when it is given out nor when it comes back.  docs/installing.md
 * and the package nfsp2p warn of that before they tell how a group gets access.
 * A kernel that does better makes this fail, and the warning can go.
 */
#include <grp.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/lab.h"
#include "../lib/p2pmem.h"
#include "../lib/pattern.h"

#define SIZE   (1UL << 20)
#define SEED   77
#define NOBODY 65534

/* How the second process ends. */
enum seen { SEEN_ALL, SEEN_OTHER, SEEN_NOTHING_ALLOCATED, SEEN_NO_RIGHTS };

/* root leaves data there and goes. */
static void leave(enum mem_kind kind)
{
	pid_t pid = fork();
	struct membuf buf;
	int status;

	assert_true(pid >= 0);
	if (!pid) {
		if (membuf_alloc(&buf, kind, SIZE))
			_exit(1);
		pattern_fill(buf.data, SIZE, SEED, 0);
		/* The memory goes with the process, not before. */
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* Another user, who is in the group, takes as much. */
static enum seen look(enum mem_kind kind)
{
	pid_t pid = fork();
	struct mismatch bad;
	struct membuf buf;
	int status;

	assert_true(pid >= 0);
	if (!pid) {
		if (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY))
			_exit(SEEN_NO_RIGHTS);
		if (membuf_alloc(&buf, kind, SIZE))
			_exit(SEEN_NOTHING_ALLOCATED);
		_exit(pattern_check(buf.data, SIZE, SEED, 0, &bad) ? SEEN_ALL : SEEN_OTHER);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_visible(void **state)
{
	const enum mem_kind kind = *(const enum mem_kind *)*state;
	char dir[PATH_MAX], path[PATH_MAX + 16];
	enum seen seen, refused;

	assert_int_equal(p2pmem_find(PCI_DEVICES, kind, dir, sizeof(dir)), 0);
	snprintf(path, sizeof(path), "%s/allocate", dir);
	leave(kind);
	refused = look(kind);
	assert_int_equal(chown(path, (uid_t)-1, NOBODY), 0);
	seen = look(kind);
	assert_int_equal(chown(path, (uid_t)-1, 0), 0);
	print_message("# %s: 1 MiB of another user's process is %s\n", mem_name(kind),
		      seen == SEEN_ALL ? "visible to the next one" : "not to be seen");
	assert_int_equal(refused, SEEN_NOTHING_ALLOCATED);
	assert_int_equal(seen, SEEN_ALL);
}

int main(int argc, char **argv)
{
	static enum mem_kind cmb = MEM_CMB, bar = MEM_BAR;
	const struct CMUnitTest tests[] = {
		{ "left in a CMB by root, seen by the next user", test_visible, NULL, NULL, &cmb },
		{ "left in a BAR by root, seen by the next user", test_visible, NULL, NULL, &bar },
	};

	if (lab_main_setup(argc, argv))
		return 2;
	return cmocka_run_group_tests_name("leftover", tests, NULL, NULL);
}
