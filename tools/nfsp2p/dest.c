// SPDX-License-Identifier: GPL-2.0
/* The file that is being made: see dest.h. */
#include "dest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "message.h"

/* So much of a name is kept in a temporary one, of the 255 bytes that it may have. */
#define NAME_KEPT 200

/**
 * dest_path - a hidden name beside a file
 * @path:	filled in, PATH_MAX bytes
 * @name:	path of the file
 * @suffix:	what is added
 *
 * Return: 0 or -ENAMETOOLONG.
 */
int dest_path(char *path, const char *name, const char *suffix)
{
	const char *slash = strrchr(name, '/');
	const char *base = slash ? slash + 1 : name;
	int n = snprintf(path, PATH_MAX, "%.*s.%.*s.nfsp2p-%s", (int)(base - name), name, NAME_KEPT,
			 base, suffix);

	return n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* What is at the final name now? */
static int look(struct dest *d, const struct file *src)
{
	struct file_id id;
	struct stat st;

	if (stat(d->path, &st)) {
		if (errno == ENOENT && lstat(d->path, &st))
			return 0;
		return message_error(d->path, -errno, "cannot write through this link");
	}
	id = (struct file_id){ .dev = st.st_dev, .ino = st.st_ino };
	if (S_ISBLK(st.st_mode))
		id = (struct file_id){ .dev = st.st_rdev };
	else if (!S_ISREG(st.st_mode))
		return message_error(d->path, 0, "is neither a file nor a block device");
	if (file_same(&id, &src->id))
		return message_error(d->path, 0, "is the same file as '%s'", src->path);
	d->replaces = true;
	d->mode = st.st_mode;
	d->uid = st.st_uid;
	d->gid = st.st_gid;
	return 0;
}

/* A block device has no temporary name; O_EXCL: not while it is mounted. */
static int open_device(struct dest *d, const struct file *src)
{
	int rc = file_open(&d->file, d->path, O_RDWR | O_EXCL, 0);

	if (rc)
		return message_error(d->path, rc, "cannot open for writing");
	if (src->id.size > d->file.id.size) {
		file_close(&d->file);
		return message_error(d->path, -ENOSPC, "the device has %llu bytes, '%s' has %llu",
				     (unsigned long long)d->file.id.size, src->path,
				     (unsigned long long)src->id.size);
	}
	return 0;
}

/* O_EXCL: nobody else's file, and no link that somebody put there. */
static int create(struct dest *d)
{
	return file_open(&d->file, d->temp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
}

static int create_unique(struct dest *d)
{
	static unsigned int count;
	char suffix[48];
	int rc;

	/* Names may be left behind by a process that had our number, or be on another machine. */
	for (int i = 0; i < 100; i++) {
		snprintf(suffix, sizeof(suffix), "%d-%u", (int)getpid(), ++count);
		if (dest_path(d->temp, d->path, suffix))
			return message_error(d->path, -ENAMETOOLONG,
					     "no room for a temporary name");
		rc = create(d);
		if (rc != -EEXIST)
			break;
	}
	return rc ? message_error(d->temp, rc, "cannot create") : 0;
}

/* Is this what a name stands for, or did somebody put something else there? */
static bool has_name(int fd, const char *path)
{
	struct stat open, named;

	return !fstat(fd, &open) && !lstat(path, &named) && open.st_dev == named.st_dev &&
	       open.st_ino == named.st_ino;
}

/* Without locks: is another process of this machine at it? */
static bool still_copied(const struct resume *r, const char *host)
{
	return !strcmp(r->host, host) && r->pid != getpid() && (!kill(r->pid, 0) || errno == EPERM);
}

/* Reads the record.  Returns 1 if there is one, 0 if not, or an error. */
static int read_record(const struct dest *d, struct resume *old)
{
	char record[RESUME_RECORD];
	ssize_t n = pread(d->state_fd, record, sizeof(record), 0);

	if (n < 0)
		return message_error(d->state, -errno, "cannot read");
	return n == sizeof(record) && !resume_parse(record, old);
}

static int busy(const struct dest *d, const struct resume *by)
{
	return message_error(d->path, -EBUSY,
			     "process %d of '%s' is copying to it, wait for it or stop it",
			     (int)by->pid, by->host);
}

/*
 * The lock of an open file: other machines see it (NFSv4), other containers, too,
 * and it ends with the process.  Returns 1 if locked, 0 if this file system has
 * none, or a negative errno.
 */
static int lock(int fd)
{
	const struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (!fcntl(fd, F_OFD_SETLK, &all))
		return 1;
	if (errno == EACCES)
		return -EAGAIN;
	return errno == ENOLCK || errno == EOPNOTSUPP || errno == EINVAL || errno == ENOSYS
		       ? 0
		       : -errno;
}

/* One attempt of open_record(); -ESTALE: who ended just now took the name away. */
static int open_locked(struct dest *d)
{
	int rc;

	d->state_fd = open(d->state, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (d->state_fd < 0)
		return -errno;
	rc = lock(d->state_fd);
	if (rc != -EAGAIN && !has_name(d->state_fd, d->state))
		rc = -ESTALE;
	if (rc == -ESTALE) {
		close(d->state_fd);
		d->state_fd = -1;
	}
	return rc;
}

/*
 * Opens the record, and reads what an earlier copy left in it.  Returns 1 if there
 * is something, 0 if not, or an error if somebody else is at it.
 */
static int open_record(struct dest *d, struct resume *old)
{
	int locked, rc, tries = 0;

	do
		locked = open_locked(d);
	while (locked == -ESTALE && ++tries < 100);
	if (d->state_fd < 0)
		return message_error(d->state, locked, "cannot create");
	rc = read_record(d, old);
	if (locked == -EAGAIN && rc == 1)
		return busy(d, old);
	if (locked == -EAGAIN)
		return message_error(d->path, -EBUSY, "another process is copying to it");
	if (locked < 0)
		return message_error(d->state, locked, "cannot lock");
	/* A process that has the lock is the only one, whatever the record says. */
	if (!locked && rc == 1 && still_copied(old, d->record.host))
		return busy(d, old);
	return rc;
}

static int write_record(struct dest *d)
{
	char record[RESUME_RECORD];
	ssize_t n;

	resume_format(&d->record, record);
	n = pwrite(d->state_fd, record, sizeof(record), 0);
	if (n != sizeof(record) || fdatasync(d->state_fd))
		return message_error(d->state,
				     n >= 0 && n < (ssize_t)sizeof(record) ? -ENOSPC : -errno,
				     "cannot record how far the copy is");
	return 0;
}

/*
 * Would a file that we make belong to the same user?  That need not be us: a server
 * takes root for somebody else (root_squash), or has other numbers for users.
 */
static bool like_ours(const struct dest *d, const struct stat *st)
{
	char suffix[32], path[PATH_MAX];
	struct stat ours;
	bool same;
	int fd;

	snprintf(suffix, sizeof(suffix), "%d-owner", (int)getpid());
	if (dest_path(path, d->path, suffix))
		return false;
	/* A process that had our number may have left it. */
	unlink(path);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	same = !fstat(fd, &ours) && ours.st_uid == st->st_uid;
	unlink(path);
	close(fd);
	return same;
}

/* Take over what an earlier copy left, as far as it can be trusted. */
static int take_over(struct dest *d, const struct resume *old, const struct file *src)
{
	enum resume_verdict verdict;
	struct stat st;
	int rc;

	rc = file_open(&d->file, d->temp, O_RDWR | O_NOFOLLOW, 0);
	if (rc == -ENOENT)
		return 0;
	if (rc)
		return message_error(d->temp, rc, "cannot go on with this");
	/* Who may write to the folder could have put anything there. */
	if (fstat(d->file.fd, &st) || !S_ISREG(st.st_mode) || st.st_nlink != 1 ||
	    !like_ours(d, &st))
		verdict = RESUME_FOREIGN;
	else
		verdict = resume_judge(old, &src->id, d->record.block, d->file.id.size);
	if (verdict != RESUME_OK) {
		message_note("%s: cannot be resumed, %s: starting again", d->path,
			     resume_reason(verdict));
		file_close(&d->file);
		return 0;
	}
	/* What is behind was in flight when the copy ended. */
	if (ftruncate(d->file.fd, (off_t)old->done))
		return message_error(d->temp, -errno, "cannot cut off its unfinished end");
	d->start = old->done;
	message_note("%s: resumed at %llu of %llu bytes", d->path, (unsigned long long)d->start,
		     (unsigned long long)src->id.size);
	return 0;
}

static int open_resumable(struct dest *d, const struct file *src)
{
	struct resume old = { 0 };
	int rc;

	if (dest_path(d->temp, d->path, "part") || dest_path(d->state, d->path, "state"))
		return message_error(d->path, -ENAMETOOLONG, "no room for a temporary name");
	rc = open_record(d, &old);
	if (rc == 1)
		rc = take_over(d, &old, src);
	if (rc)
		return rc;
	if (!d->start) {
		if (unlink(d->temp) && errno != ENOENT)
			return message_error(d->temp, -errno, "cannot remove");
		file_close(&d->file);
		rc = create(d);
		if (rc) {
			unlink(d->state);
			return message_error(d->temp, rc, "cannot create");
		}
	}
	d->record.done = d->start;
	return write_record(d);
}

/**
 * dest_open - begin to make a file
 * @d:		filled in; to be ended with dest_commit() or dest_abandon() if this
 *		succeeds
 * @path:	final name; what is there stays until dest_commit()
 * @src:	what it will be a copy of
 * @resume:	go on with an earlier copy, and leave something to go on with; not of a
 *		block device, as nothing tells whether it is what it was
 * @block:	bytes of one I/O
 *
 * Says what is wrong.
 *
 * Return: 0 or a negative errno.
 */
int dest_open(struct dest *d, const char *path, const struct file *src, bool resume, uint64_t block)
{
	mode_t mask = umask(0);
	char real[PATH_MAX];
	struct stat st;
	int rc;

	umask(mask);
	memset(d, 0, sizeof(*d));
	d->state_fd = -1;
	d->file.fd = -1;
	d->mode = src->mode & 0777 & ~mask;
	snprintf(d->path, sizeof(d->path), "%s", realpath(path, real) ? real : path);
	d->linked = !lstat(path, &st) && S_ISLNK(st.st_mode);
	rc = look(d, src);
	if (rc)
		return rc;
	if (d->replaces && S_ISBLK(d->mode))
		return open_device(d, src);
	d->record = (struct resume){ .ino = src->id.ino,
				     .size = src->id.size,
				     .mtime = src->id.mtime,
				     .block = block,
				     .pid = getpid() };
	gethostname(d->record.host, sizeof(d->record.host) - 1);
	if (!d->record.host[0])
		snprintf(d->record.host, sizeof(d->record.host), "localhost");
	if (resume && src->kind == FILE_BLOCK)
		message_note("%s: copied from the beginning, and cannot be resumed: nobody keeps "
			     "the time of writes to a block device, '%s'",
			     d->path, src->path);
	rc = resume && src->kind != FILE_BLOCK ? open_resumable(d, src) : create_unique(d);
	if (rc) {
		file_close(&d->file);
		if (d->state_fd >= 0)
			close(d->state_fd);
		return rc;
	}
	d->file.path = d->path;
	return 0;
}

/**
 * dest_checkpoint - remember how far the copy is
 * @d:		from dest_open()
 * @low:	everything below this position was written
 *
 * What was written is brought to stable storage first, then the record.  Does
 * nothing without --resume.
 *
 * Return: 0 or a negative errno, which was said.
 */
int dest_checkpoint(struct dest *d, uint64_t low)
{
	uint64_t done;

	/* Without a record there is no block either: a device has none. */
	if (d->state_fd < 0)
		return 0;
	done = low - low % d->record.block;
	if (done <= d->record.done)
		return 0;
	if (fdatasync(d->file.fd))
		return message_error(d->path, -errno,
				     "cannot bring what was copied to stable storage");
	d->record.done = done;
	return write_record(d);
}

static void end_record(struct dest *d, bool remove)
{
	if (d->state_fd < 0)
		return;
	/* While it is locked, it is ours; afterwards it may be somebody else's. */
	if (remove)
		unlink(d->state);
	close(d->state_fd);
	d->state_fd = -1;
}

/* The last look before a name is given or taken away. */
static int check_temp(const struct dest *d)
{
	if (!d->temp[0] || has_name(d->file.fd, d->temp))
		return 0;
	return message_error(d->path, -EBUSY,
			     "'%s', which was written, was removed or replaced meanwhile: see "
			     "who else copies to it",
			     d->temp);
}

/**
 * dest_keep_folder - bring the names in a folder to stable storage
 * @folder:	which
 *
 * Return: 0, also if its file system does not do that for folders, or a negative
 * errno.
 */
int dest_keep_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc;

	if (fd < 0)
		/* Who may only add to it cannot open it: that is no failed copy. */
		return errno == EACCES ? 0 : -errno;
	rc = fsync(fd) && errno != EINVAL ? -errno : 0;
	close(fd);
	return rc;
}

/**
 * dest_keep_name - bring a name to stable storage
 * @path:	what was made or renamed
 *
 * Return: as dest_keep_folder().
 */
int dest_keep_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];

	/* "/name" is in "/", "name" in ".". */
	snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) + (slash == path) : 1,
		 slash ? path : ".");
	return dest_keep_folder(folder);
}

/*
 * The file is there; if only in the memory of the machine is what can still be wrong.
 * That can wait for the other files of the folder, see items.c, unless a record is to
 * be removed afterwards, or this is another folder.
 */
static int keep_name(const struct dest *d)
{
	bool now = d->temp[0] && (d->linked || d->state_fd >= 0);
	int rc = now ? dest_keep_name(d->path) : 0;

	return rc ? message_error(d->path, rc,
				  "is complete, but its name cannot be brought to stable storage")
		  : 0;
}

/**
 * dest_commit - give the file its name
 * @d:		from dest_open(), complete; not to be used afterwards
 *
 * The data is in stable storage before the name is there, and the name before what
 * --resume needs is gone.  Without --resume, and if no link led to it, the name is up
 * to the caller: see dest_keep_name().  If it fails, that was said, and the temporary
 * file is gone, unless it is somebody else's.
 *
 * Return: 0 or a negative errno.
 */
int dest_commit(struct dest *d)
{
	int rc = fsync(d->file.fd) ? -errno : 0;
	int foreign = check_temp(d);
	int closed = file_close(&d->file);

	if (foreign) {
		end_record(d, false);
		return foreign;
	}
	if (rc || closed)
		message_error(d->path, rc ? rc : closed, "cannot bring the file to stable storage");
	else if (d->temp[0] && rename(d->temp, d->path)) {
		rc = -errno;
		message_error(d->path, rc, "cannot give '%s' this name", d->temp);
	}
	rc = rc ? rc : closed;
	if (rc && d->temp[0])
		unlink(d->temp);
	if (!rc)
		rc = keep_name(d);
	end_record(d, true);
	return rc;
}

/**
 * dest_abandon - end an unfinished copy
 * @d:		from dest_open(); not to be used afterwards
 * @keep:	leave what --resume can go on with, if it has a record
 *
 * Says what became of the temporary file.
 */
void dest_abandon(struct dest *d, bool keep)
{
	bool foreign = check_temp(d);
	bool kept = keep && d->state_fd >= 0 && d->record.done && !foreign;

	file_close(&d->file);
	if (foreign) {
		end_record(d, false);
		return;
	}
	if (kept)
		message_note("%s: not there; its first %llu bytes are kept for --resume in %s",
			     d->path, (unsigned long long)d->record.done, d->temp);
	else if (!d->temp[0])
		message_note("%s: part of it was overwritten", d->path);
	else if (unlink(d->temp))
		message_error(d->temp, -errno, "cannot remove the unfinished copy");
	else
		message_note("%s: %s; the unfinished copy was removed", d->path,
			     d->replaces ? "is what it was" : "not there");
	end_record(d, !kept);
}
