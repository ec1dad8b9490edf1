// SPDX-License-Identifier: GPL-2.0
/* A folder for the files of one test program: see tempdir.h. */
#include "tempdir.h"

#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "lab.h"
#include "pattern.h"

char temp_dir[] = "/tmp/nfs-p2pdma-XXXXXX";

/**
 * temp_dir_make - make the folder, as the set-up of a group of tests
 * @state:	unused
 *
 * Return: 0 or -1.
 */
int temp_dir_make(void **state)
{
	(void)state;
	return mkdtemp(temp_dir) ? 0 : -1;
}

/**
 * temp_dir_remove - remove it with all that is in it
 * @state:	unused
 *
 * Return: 0, or what rm failed with.
 */
int temp_dir_remove(void **state)
{
	const char *const argv[] = { "rm", "-rf", temp_dir, NULL };

	(void)state;
	return lab_run(argv);
}

/**
 * temp_path - path of a file in the folder
 * @name:	of the file
 *
 * Return: the path, valid until the fourth call from now.
 */
const char *temp_path(const char *name)
{
	static char path[4][PATH_MAX];
	static int turn;

	turn = (turn + 1) % 4;
	snprintf(path[turn], PATH_MAX, "%s/%s", temp_dir, name);
	return path[turn];
}

/**
 * temp_file - make a file with bytes of the pattern
 * @name:	of the file; what is there is overwritten
 * @size:	in bytes
 * @seed:	of the pattern
 *
 * Return: a file descriptor, open for reading and writing, the caller's.
 */
int temp_file(const char *name, size_t size, uint64_t seed)
{
	int fd = open(temp_path(name), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	char *data = malloc(size + 1);

	assert_true(fd >= 0);
	assert_non_null(data);
	pattern_fill(data, size, seed, 0);
	assert_int_equal(pwrite(fd, data, size, 0), size);
	free(data);
	return fd;
}

/**
 * temp_file_check - a part of a file has the pattern
 * @fd:		of the file
 * @from:	first byte
 * @to:		first byte behind it
 * @seed:	of the pattern
 */
void temp_file_check(int fd, size_t from, size_t to, uint64_t seed)
{
	char *data = malloc(to - from + 1);
	struct mismatch bad;

	assert_non_null(data);
	assert_int_equal(pread(fd, data, to - from, (off_t)from), to - from);
	assert_true(pattern_check(data, to - from, seed, from, &bad));
	free(data);
}
