// SPDX-License-Identifier: GPL-2.0
/* One end of a copy: see file.h. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Without STATX_DIOALIGN (before Linux 6.1): no disk in use wants more. */
#define SAFE_ALIGN 4096

static struct timespec to_timespec(struct statx_timestamp t)
{
	return (struct timespec){ .tv_sec = t.tv_sec, .tv_nsec = t.tv_nsec };
}

/* Ask the server, not the attribute cache: statx(2), AT_STATX_FORCE_SYNC. */
static int stat_now(int fd, struct statx *stx)
{
	const unsigned int mask = STATX_BASIC_STATS | STATX_DIOALIGN;

	return statx(fd, "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC, mask, stx) ? -errno : 0;
}

static void take_id(const struct statx *stx, struct file_id *id)
{
	*id = (struct file_id){
		.dev = makedev(stx->stx_dev_major, stx->stx_dev_minor),
		.ino = stx->stx_ino,
		.size = stx->stx_size,
		.mtime = to_timespec(stx->stx_mtime),
		.ctime = to_timespec(stx->stx_ctime),
	};
	if (!S_ISBLK(stx->stx_mode))
		return;
	id->dev = makedev(stx->stx_rdev_major, stx->stx_rdev_minor);
	id->ino = 0;
}

/*
 * Only who says that direct I/O is what it does with this file is believed:
 * tmpfs and others take O_DIRECT and copy.  Source: statx(2), stx_dio_*_align:
 * 0 if direct I/O is not supported on this file.
 */
static enum file_kind kind_of(const struct statx *stx, const struct statfs *fs)
{
	if (S_ISBLK(stx->stx_mode))
		return FILE_BLOCK;
	if (!S_ISREG(stx->stx_mode) && !S_ISDIR(stx->stx_mode))
		return FILE_OTHER;
	if (fs->f_type == NFS_SUPER_MAGIC)
		return FILE_NFS;
	if (stx->stx_mask & STATX_DIOALIGN)
		return stx->stx_dio_offset_align ? FILE_LOCAL : FILE_OTHER;
	/* Of a directory it cannot be told, and of a file before Linux 6.1. */
	return FILE_OTHER;
}

static int block_device(struct file *f)
{
	unsigned int sector;

	if (ioctl(f->fd, BLKGETSIZE64, &f->id.size) || ioctl(f->fd, BLKSSZGET, &sector))
		return -errno;
	f->align = sector;
	return 0;
}

static int examine(struct file *f)
{
	struct statfs fs;
	struct statx stx;
	int rc;

	rc = stat_now(f->fd, &stx);
	if (rc)
		return rc;
	if (fstatfs(f->fd, &fs))
		return -errno;
	f->kind = kind_of(&stx, &fs);
	/* As cp(1) does; units of 512 bytes: statx(2). */
	f->dense = stx.stx_blocks >= (stx.stx_size + 511) / 512;
	f->mode = stx.stx_mode;
	f->uid = stx.stx_uid;
	f->gid = stx.stx_gid;
	f->atime = to_timespec(stx.stx_atime);
	take_id(&stx, &f->id);
	if (f->kind == FILE_BLOCK)
		return block_device(f);
	f->align = 1;
	if (f->kind == FILE_LOCAL) {
		f->align = stx.stx_dio_offset_align;
		/* Both are asked of us at once, so memory counts as well. */
		if (stx.stx_dio_mem_align > SAFE_ALIGN)
			f->kind = FILE_OTHER;
	}
	return 0;
}

/*
 * With O_DIRECT from the beginning, an NFSv4 server is asked not to bother with a
 * delegation, which we would only have to return.
 */
static int open_direct(const char *path, int flags, mode_t mode)
{
	int fd = open(path, flags | O_DIRECT, mode);

	if (fd >= 0 || errno != EINVAL)
		return fd;
	/* The file was made before its file system refused. */
	if (flags & O_EXCL && flags & O_CREAT)
		unlink(path);
	return open(path, flags, mode);
}

/*
 * Without O_NONBLOCK, a FIFO would hold us up; with it, a file that somebody has a
 * lease of is refused instead of waited for: nfsd, if it delegated the file.
 */
static int open_patiently(const char *path, int flags, mode_t mode)
{
	int fd = open_direct(path, flags | O_NONBLOCK, mode);
	struct stat st;

	if (fd >= 0 || errno != EWOULDBLOCK)
		return fd;
	if (!stat(path, &st) && S_ISREG(st.st_mode))
		return open_direct(path, flags, mode);
	errno = EWOULDBLOCK;
	return -1;
}

/**
 * file_open - open one end of a copy, with O_DIRECT where that is possible
 * @f:		filled in; to be closed with file_close()
 * @path:	kept, not copied
 * @flags:	as for open(2), without O_DIRECT
 * @mode:	as for open(2)
 *
 * FIFOs and the like do not hold us up, but cannot be copied either.
 *
 * Return: 0 or a negative errno; -EISDIR for a directory, -EINVAL for what is
 * neither a file nor a block device.
 */
int file_open(struct file *f, const char *path, int flags, mode_t mode)
{
	int rc;

	*f = (struct file){ .path = path };
	f->fd = open_patiently(path, flags | O_CLOEXEC, mode);
	if (f->fd < 0)
		return -errno;
	rc = examine(f);
	if (!rc && S_ISDIR(f->mode))
		rc = -EISDIR;
	if (!rc && !S_ISREG(f->mode) && !S_ISBLK(f->mode))
		rc = -EINVAL;
	if (!rc)
		rc = file_direct(f, f->kind != FILE_OTHER);
	if (rc)
		file_close(f);
	return rc;
}

/**
 * file_close - close it
 * @f:		from file_open(), or closed already
 *
 * Return: 0, or what close(2) says of data that was written.
 */
int file_close(struct file *f)
{
	int fd = f->fd;

	f->fd = -1;
	return fd >= 0 && close(fd) ? -errno : 0;
}

/**
 * file_direct - switch O_DIRECT
 * @f:		an open file, without I/O in flight
 * @on:		on or off
 *
 * O_NONBLOCK goes: io_uring would say -EAGAIN instead of waiting.
 *
 * Return: 0 or a negative errno.
 */
int file_direct(const struct file *f, bool on)
{
	int flags = fcntl(f->fd, F_GETFL);

	if (flags < 0)
		return -errno;
	flags &= ~(O_DIRECT | O_NONBLOCK);
	if (on)
		flags |= O_DIRECT;
	return fcntl(f->fd, F_SETFL, flags) ? -errno : 0;
}

/**
 * file_kind_of - which way payload would take to and from a path
 * @path:	a file; or a directory, for files that are yet to be made in it:
 *		FILE_LOCAL then means a file system on a block device
 * @kind:	filled in
 * @dev:	filled in: device number of the file system or block device
 *
 * Return: 0 or a negative errno.
 */
int file_kind_of(const char *path, enum file_kind *kind, dev_t *dev)
{
	const unsigned int mask = STATX_BASIC_STATS | STATX_DIOALIGN;
	struct file_id id;
	struct statfs fs;
	struct statx stx;

	if (statx(AT_FDCWD, path, 0, mask, &stx) || statfs(path, &fs))
		return -errno;
	take_id(&stx, &id);
	*dev = id.dev;
	*kind = kind_of(&stx, &fs);
	if (S_ISDIR(stx.stx_mode) && *kind == FILE_OTHER && major(id.dev))
		*kind = FILE_LOCAL;
	return 0;
}

/**
 * file_changed - is it another version than when it was opened?
 * @f:		an open file
 * @changed:	filled in
 *
 * Return: 0 or a negative errno.
 */
int file_changed(const struct file *f, bool *changed)
{
	struct file_id now;
	struct statx stx;
	int rc;

	*changed = false;
	rc = stat_now(f->fd, &stx);
	/* Nobody keeps times of writes to a block device. */
	if (rc || f->kind == FILE_BLOCK)
		return rc;
	take_id(&stx, &now);
	*changed = now.size != f->id.size || now.mtime.tv_sec != f->id.mtime.tv_sec ||
		   now.mtime.tv_nsec != f->id.mtime.tv_nsec;
	return 0;
}

/**
 * file_own - give a file its owner and group, as far as permitted
 * @dir:	folder that @name is in, AT_FDCWD; or the open file itself, with "" as @name
 * @name:	of the file; of a link it is the link
 * @uid:	owner
 * @gid:	group
 * @mode:	what is wanted
 *
 * To be called before the mode is set: a change of the owner takes set-user-ID away.
 *
 * Return: what of @mode may be given to whom the file belongs now: nothing runs as
 * somebody else, and nobody gets what was meant for another group.
 */
mode_t file_own(int dir, const char *name, uid_t uid, gid_t gid, mode_t mode)
{
	const int flags = AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW;

	if (!fchownat(dir, name, uid, gid, flags))
		return mode & 07777;
	/* Only root gives files away, but any member gives them to a group. */
	if (!fchownat(dir, name, -1, gid, flags))
		return mode & 0777;
	return mode & 0707;
}

/**
 * file_same - are these the same file?
 * @a:		one
 * @b:		another
 *
 * Return: true if so; one file under two mounts of NFS may look like two.
 */
bool file_same(const struct file_id *a, const struct file_id *b)
{
	return a->dev == b->dev && a->ino == b->ino;
}
