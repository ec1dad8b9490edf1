/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The file that is being made: a temporary name beside the final one, which
 * nobody sees before everything is in stable storage.
 */
#ifndef NFSP2P_DEST_H
#define NFSP2P_DEST_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "file.h"
#include "resume.h"

/**
 * struct dest - a destination while it is written
 * @path:	final name, behind any symbolic links
 * @temp:	temporary name, "" for a block device, which is written in place
 * @state:	file with the record for --resume, "" without
 * @file:	the open file
 * @state_fd:	open record, or -1; locked, as long as somebody is at it
 * @record:	what is written to it
 * @start:	bytes that are there already, from an earlier copy
 * @mode:	permissions it ends up with
 * @replaces:	@path existed
 * @linked:	it was reached by a symbolic link, and can be in another folder
 * @uid:	owner of what it replaces
 * @gid:	group of what it replaces
 */
struct dest {
	char path[PATH_MAX];
	char temp[PATH_MAX];
	char state[PATH_MAX];
	struct file file;
	int state_fd;
	struct resume record;
	uint64_t start;
	mode_t mode;
	bool replaces;
	bool linked;
	uid_t uid;
	gid_t gid;
};

int dest_open(struct dest *d, const char *path, const struct file *src, bool resume,
	      uint64_t block);
int dest_checkpoint(struct dest *d, uint64_t low);
int dest_commit(struct dest *d);
void dest_abandon(struct dest *d, bool keep);
int dest_keep_folder(const char *folder);
int dest_keep_name(const char *path);
int dest_path(char *path, const char *name, const char *suffix);

#endif
