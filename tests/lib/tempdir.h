/* SPDX-License-Identifier: GPL-2.0 */
/* A folder for the files of one test program. */
#ifndef TESTS_TEMPDIR_H
#define TESTS_TEMPDIR_H

#include <stddef.h>
#include <stdint.h>

extern char temp_dir[];

int temp_dir_make(void **state);
int temp_dir_remove(void **state);
const char *temp_path(const char *name);
int temp_file(const char *name, size_t size, uint64_t seed);
void temp_file_check(int fd, size_t from, size_t to, uint64_t seed);

#endif
