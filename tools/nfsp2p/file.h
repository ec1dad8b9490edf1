/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One end of a copy: an open file, what it can do with O_DIRECT, and what tells
 * it from other files and from later versions of itself.
 */
#ifndef NFSP2P_FILE_H
#define NFSP2P_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

/**
 * enum file_kind - which way payload takes between a file and memory
 * @FILE_NFS:	on an NFS mount
 * @FILE_LOCAL:	by direct I/O of a local file system, which says so itself
 * @FILE_BLOCK:	a block device
 * @FILE_OTHER:	anything else: through the page cache, as far as we know
 */
enum file_kind {
	FILE_NFS,
	FILE_LOCAL,
	FILE_BLOCK,
	FILE_OTHER,
	FILE_KINDS,
};

/**
 * struct file_id - which file, and which version of it
 * @dev:	device number of the file system; of a device node, of that device
 * @ino:	inode number, 0 for a device node
 * @size:	in bytes
 * @mtime:	last change of the contents
 * @ctime:	last change of anything
 */
struct file_id {
	dev_t dev;
	uint64_t ino;
	uint64_t size;
	struct timespec mtime, ctime;
};

/**
 * struct file - one end of a copy
 * @path:	for messages; the caller's
 * @fd:		open file, or -1
 * @kind:	which way payload takes
 * @align:	O_DIRECT takes positions and lengths that are multiples of this;
 *		a power of two; 1 where O_DIRECT is off or takes any
 * @dense:	it has no holes, as far as its size on disk tells
 * @mode:	type and permissions
 * @uid:	owner
 * @gid:	group
 * @atime:	last read
 * @id:		as it was when the file was opened
 */
struct file {
	const char *path;
	int fd;
	enum file_kind kind;
	uint32_t align;
	bool dense;
	mode_t mode;
	uid_t uid;
	gid_t gid;
	struct timespec atime;
	struct file_id id;
};

int file_open(struct file *f, const char *path, int flags, mode_t mode);
int file_close(struct file *f);
int file_kind_of(const char *path, enum file_kind *kind, dev_t *dev);
int file_direct(const struct file *f, bool on);
int file_changed(const struct file *f, bool *changed);
mode_t file_own(int dir, const char *name, uid_t uid, gid_t gid, mode_t mode);
bool file_same(const struct file_id *a, const struct file_id *b);

#endif
