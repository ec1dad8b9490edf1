/* SPDX-License-Identifier: GPL-2.0 */
/* What is to be copied: every file below the sources, and its new name. */
#ifndef NFSP2P_WALK_H
#define NFSP2P_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/**
 * struct item - one thing to copy
 * @from:	its name
 * @to:		name of its copy
 * @link:	target, of a symbolic link, else NULL
 * @st:		what lstat(2) says; of what was named on the command line, stat(2)
 * @named:	it was named on the command line: links are followed
 * @made:	its copy is a folder that was not there before
 */
struct item {
	char *from, *to, *link;
	struct stat st;
	bool named;
	bool made;
};

/**
 * struct walk - all of them; a folder stands in front of what is in it
 * @items:	the items
 * @n:		how many
 * @bytes:	sizes of all files
 */
struct walk {
	struct item *items;
	size_t n;
	uint64_t bytes;
};

int walk_add(struct walk *w, const char *from, const char *to, bool recursive);
void walk_free(struct walk *w);
int walk_target(char *to, size_t n, const char *from, const char *dst, bool into);
bool walk_inside(const char *dir, const char *path);

#endif
