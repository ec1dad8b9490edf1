/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Small files of /proc and /sys, of this machine or of a recorded one.
 *
 * A recorded tree is a folder that has proc/ and sys/ with the files that
 * matter.  Whoever made it may have made mistakes, or mischief: sizes are
 * bounded, only regular files are read, and text is never trusted.
 */
#ifndef NFSP2P_TREE_H
#define NFSP2P_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int tree_path(char *path, size_t n, const char *root, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
int tree_read(char **data, size_t *len, size_t limit, const char *root, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
int tree_line(char *line, size_t n, const char *root, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
int tree_link(char *name, size_t n, const char *root, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
int tree_u64(uint64_t *value, const char *root, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
bool tree_exists(const char *root, const char *format, ...) __attribute__((format(printf, 2, 3)));
int tree_names(const char *path, char ***names, size_t *n);
void tree_names_free(char **names, size_t n);

#endif
