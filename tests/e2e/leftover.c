// SPDX-License-Identifier: GPL-2.0
/*
 * What the documentation says about p2pmem/allocate for users, tested: who may open
 * it, and whether memory that one process gave back shows its contents to the
 * next. drivers/pci/p2pdma.c (p2pmem_alloc_mmap) hands out memory as it is: it
 * clears nothing. If that changes, docs/installing.md has to.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/lab.h"
#include "../lib/p2pmem.h"

#define SIZE   (2UL << 20)
#define SECRET 0x5a
#define NOBODY 65534
/* No group of the guest. */
#define GROUP 4711

/* In a process of its own: write the secret, or count its bytes; < 0 on error. */
static long in_child(const char *path, bool as_user, bool write_it)
{
	int pipefd[2], status;
	long result = -EIO;
	pid_t pid;

	assert_int_equal(pipe(pipefd), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		unsigned char *p;
		gid_t group = GROUP;
		long n = 0;
		int fd;

		if (as_user && (setgroups(1, &group) || setgid(NOBODY) || setuid(NOBODY)))
			_exit(1);
		fd = open(path, O_RDWR);
		p = fd < 0 ? MAP_FAILED
			   : mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (p == MAP_FAILED)
			n = -errno;
		else if (write_it)
			memset(p, SECRET, SIZE);
		else
			for (size_t i = 0; i < SIZE; i++)
				n += p[i] == SECRET;
		_exit(write(pipefd[1], &n, sizeof(n)) != sizeof(n));
	}
	close(pipefd[1]);
	if (read(pipefd[0], &result, sizeof(result)) != sizeof(result))
		result = -EIO;
	close(pipefd[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return result;
}

static void allocate_path(char *path, size_t n)
{
	assert_int_equal(p2pmem_find(PCI_DEVICES, MEM_CMB, path, n), 0);
	assert_true(strlen(path) + sizeof("/allocate") <= n);
	strcat(path, "/allocate");
}

static void test_root_only(void **state)
{
	char path[256];

	(void)state;
	allocate_path(path, sizeof(path));
	assert_int_equal(in_child(path, true, false), -EACCES);
}

static void test_group(void **state)
{
	char path[256];

	(void)state;
	allocate_path(path, sizeof(path));
	assert_int_equal(chown(path, (uid_t)-1, GROUP), 0);
	assert_true(in_child(path, true, false) >= 0);
	assert_int_equal(chown(path, (uid_t)-1, 0), 0);
	assert_int_equal(in_child(path, true, false), -EACCES);
}

/* The allocator takes the first range that fits, so the second process gets it. */
static void test_visible(void **state)
{
	char path[256];

	(void)state;
	allocate_path(path, sizeof(path));
	assert_int_equal(in_child(path, false, true), 0);
	assert_int_equal(in_child(path, false, false), SIZE);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_root_only),
		cmocka_unit_test(test_group),
		cmocka_unit_test(test_visible),
	};

	int rc = lab_main_setup(argc, argv);

	if (rc)
		return rc;
	return cmocka_run_group_tests_name("leftover", tests, NULL, NULL);
}
