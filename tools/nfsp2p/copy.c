// SPDX-License-Identifier: GPL-2.0
/* Copies one file: see copy.h. */
#include "copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "dest.h"
#include "message.h"
#include "progress.h"
#include "sparse.h"
#include "stop.h"
#include "verify.h"

/* How often a resumable copy is brought to stable storage. */
#define CHECKPOINT_SECONDS 2

/* One copy while it runs. */
struct copy {
	struct copier *c;
	struct file src;
	struct dest dest;
	uint64_t reported;	 /* to the progress line */
	struct timespec checked; /* time of the last checkpoint */
};

static uint64_t down(uint64_t n, uint32_t align)
{
	return n & ~((uint64_t)align - 1);
}

static int checkpoint(struct copy *copy, uint64_t low)
{
	uint64_t before = copy->dest.record.done;
	int rc = dest_checkpoint(&copy->dest, low);

	if (copy->dest.record.done != before)
		copy->c->tally.records += RESUME_RECORD;
	return rc;
}

/* Between completions: show where we are, look for signals, make checkpoints. */
static int tick(void *arg, uint64_t low, uint64_t bytes)
{
	struct copy *copy = arg;
	struct timespec now;

	progress_add(bytes - copy->reported);
	copy->reported = bytes;
	if (stop_signal())
		return -EINTR;
	if (!copy->c->resume)
		return 0;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	if (now.tv_sec - copy->checked.tv_sec < CHECKPOINT_SECONDS)
		return 0;
	copy->checked = now;
	return checkpoint(copy, low);
}

static void count(struct copy *copy, const struct ring_result *res)
{
	struct tally *tally = &copy->c->tally;

	if (payload_is_p2p(&copy->c->payload)) {
		tally->p2p_read[copy->src.kind] += res->read;
		tally->p2p_written[copy->dest.file.kind] += res->written;
	} else
		tally->host += res->written;
}

/* Say what failed, where; what a stop or a checkpoint has said is enough. */
static int explain(struct copy *copy, const struct ring_result *res)
{
	const struct copier *c = copy->c;
	unsigned long long pos = res->pos;

	switch (res->step) {
	case RING_TICK:
		return res->error;
	case RING_EOF:
		return message_error(copy->src.path, 0, "ends at %llu, it became shorter meanwhile",
				     pos);
	case RING_QUEUE:
		return message_error(copy->src.path, res->error,
				     "cannot copy from %llu on, io_uring does not do I/O", pos);
	default:
		break;
	}
	if (payload_refused(&c->payload, res->error))
		return message_error(res->step == RING_READ ? copy->src.path : copy->dest.path,
				     res->error,
				     "cannot %s at %llu with memory of %s%s%s; nothing was bounced",
				     res->step == RING_READ ? "read" : "write", pos,
				     c->payload.provider, c->why[0] ? ": " : "", c->why);
	if (res->step == RING_READ)
		return message_error(copy->src.path, res->error, "cannot read at %llu", pos);
	return message_error(copy->dest.path, res->error, "cannot write at %llu", pos);
}

/* The provider's memory cannot be used: go on with host memory, if allowed. */
static bool bounce(struct copier *c)
{
	int rc;

	if (c->explain)
		c->explain(c);
	if (!c->allow_bounce)
		return false;
	payload_close(&c->payload);
	rc = payload_open(&c->payload, NULL, &c->want);
	if (rc) {
		message_error("host memory", rc, "cannot be used instead");
		return false;
	}
	c->bounced = true;
	message_note("bounces through host memory from here on: %s",
		     c->why[0] ? c->why : "the kernel refuses peer-to-peer memory");
	return true;
}

/* What O_DIRECT can do of it. */
static int move_blocks(struct copy *copy, uint64_t end)
{
	uint32_t align =
		copy->src.align > copy->dest.file.align ? copy->src.align : copy->dest.file.align;
	struct sparse sparse = {
		.fd = copy->src.fd,
		.align = align,
		.pos = down(copy->dest.start, align),
		.end = end,
		/* Only a new file reads as zeros where nothing is written. */
		.dense = copy->src.dense || copy->dest.file.kind == FILE_BLOCK,
	};
	struct ring_job job = {
		.in = copy->src.fd,
		.out = copy->dest.file.fd,
		.in_align = copy->src.align,
		.next = sparse_next,
		.next_arg = &sparse,
		.tick = tick,
		.tick_arg = copy,
	};
	struct ring_result res;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &copy->checked);
	for (;;) {
		copy->reported = 0;
		ring_run(&copy->c->payload.ring, &job, &res);
		count(copy, &res);
		if (!payload_refused(&copy->c->payload, res.error) || !bounce(copy->c))
			break;
		sparse.pos = down(res.low, align);
	}
	/* What was done may be of use to --resume, unless this is what failed. */
	if (res.error && (res.step != RING_TICK || res.error == -EINTR))
		checkpoint(copy, res.low);
	if (res.error)
		return explain(copy, &res);
	return sparse.error ? message_error(copy->src.path, sparse.error, "cannot find its data")
			    : 0;
}

/* The end, which O_DIRECT does not take: less than one unit of alignment. */
static int move_tail(struct copy *copy, uint64_t pos)
{
	_Alignas(4096) static char buf[128 << 10];
	/* The source may have larger units; the file ends in this one. */
	uint64_t from = down(pos, copy->src.align);
	size_t skip = pos - from, len = copy->src.id.size - pos;
	ssize_t n;

	if (!len)
		return 0;
	n = pread(copy->src.fd, buf, sizeof(buf), (off_t)from);
	if (n < 0)
		return message_error(copy->src.path, -errno, "cannot read at %llu",
				     (unsigned long long)from);
	if ((size_t)n < skip + len)
		return message_error(copy->src.path, 0, "became shorter meanwhile");
	if (file_direct(&copy->dest.file, false))
		return message_error(copy->dest.path, -errno, "cannot switch O_DIRECT off");
	n = pwrite(copy->dest.file.fd, buf + skip, len, (off_t)pos);
	if (n != (ssize_t)len)
		return message_error(copy->dest.path, n < 0 ? -errno : -ENOSPC,
				     "cannot write the last %zu bytes", len);
	copy->c->tally.tail += len;
	progress_add(len);
	return 0;
}

static int move(struct copy *copy)
{
	uint64_t size = copy->src.id.size;
	uint64_t end = down(size, copy->dest.file.align);
	int rc = 0;

	if (copy->dest.start)
		progress_add(copy->dest.start);
	/*
	 * Writes that make a file longer are done one at a time, by kernel threads, and
	 * wait for each other: ext4 (fs/ext4/file.c, ext4_dio_write_checks()), XFS.
	 */
	if (copy->dest.file.kind == FILE_LOCAL && ftruncate(copy->dest.file.fd, (off_t)size))
		rc = message_error(copy->dest.path, -errno, "cannot set its size");
	if (!rc)
		rc = move_blocks(copy, end);
	if (!rc)
		rc = move_tail(copy, end);
	if (!rc && copy->dest.file.kind != FILE_BLOCK && ftruncate(copy->dest.file.fd, (off_t)size))
		rc = message_error(copy->dest.path, -errno, "cannot set its size");
	return rc;
}

/* A file that is being changed has no contents that could be copied. */
static int check_source(const struct copy *copy)
{
	bool changed;
	int rc = file_changed(&copy->src, &changed);

	if (rc)
		return message_error(copy->src.path, rc, "cannot look at it again");
	return changed ? message_error(copy->src.path, 0, "was changed while it was copied") : 0;
}

static int verify(struct copy *copy)
{
	unsigned char want[DIGEST_SIZE], got[DIGEST_SIZE];
	uint64_t *bytes = &copy->c->tally.verified;
	uint64_t size = copy->src.id.size;
	int rc;

	/* What went through the page cache must be read from the device, too. */
	if (fsync(copy->dest.file.fd))
		return message_error(copy->dest.path, -errno, "cannot bring it to stable storage");
	if (copy->dest.file.kind != FILE_OTHER)
		file_direct(&copy->dest.file, true);
	rc = digest_file(&copy->src, size, want, bytes);
	if (!rc)
		rc = digest_file(&copy->dest.file, size, got, bytes);
	if (rc)
		return rc;
	return memcmp(want, got, sizeof(want))
		       ? message_error(copy->dest.path, 0,
				       "what landed is not what '%s' has: do "
				       "not trust this path to the storage",
				       copy->src.path)
		       : 0;
}

/* Like cp: what is replaced keeps its mode, unless that of the source is wanted. */
static int attributes(const struct copy *copy)
{
	const struct dest *d = &copy->dest;
	const struct file *src = &copy->src;
	const struct timespec times[2] = { src->atime, src->id.mtime };
	bool preserve = copy->c->preserve;
	/* The time of a device node says nothing about what was copied. */
	bool times_of_source = preserve || (copy->c->resume && src->kind != FILE_BLOCK);
	mode_t mode = d->mode & 07777;
	int fd = d->file.fd;

	if (d->file.kind == FILE_BLOCK)
		return 0;
	if (preserve)
		mode = file_own(fd, "", src->uid, src->gid, src->mode);
	else if (d->replaces)
		mode = file_own(fd, "", d->uid, d->gid, d->mode);
	if (fchmod(fd, mode))
		return message_error(d->path, -errno, "cannot set its mode");
	if (times_of_source && futimens(fd, times))
		return message_error(d->path, -errno, "cannot set its times");
	return 0;
}

/* Is there nothing left to do for --resume? */
static bool complete_already(const struct copy *copy, const char *to)
{
	struct stat st;

	return copy->c->resume && !stat(to, &st) && S_ISREG(st.st_mode) &&
	       resume_complete(&copy->src, &st);
}

/* Memory of a provider is of no use for a file that the CPU reads or writes. */
static int check_direct(struct copier *c, const struct file *f)
{
	if (f->kind != FILE_OTHER || !payload_is_p2p(&c->payload))
		return 0;
	snprintf(c->why, sizeof(c->why),
		 "its file system does not do direct I/O, as far as it says (statx)");
	if (!c->allow_bounce)
		return message_error(f->path, 0,
				     "cannot be copied peer to peer: %s; "
				     "--allow-bounce copies through host memory",
				     c->why);
	return bounce(c) ? 0 : message_error(f->path, -ENOMEM, "no host memory");
}

static int check_ends(struct copy *copy)
{
	const struct geometry *g = &copy->c->payload.geometry;
	const struct file *ends[] = { &copy->src, &copy->dest.file };

	for (int i = 0; i < 2 && copy->src.id.size; i++) {
		int rc = check_direct(copy->c, ends[i]);

		if (rc)
			return rc;
		if (g->block % ends[i]->align)
			return message_error(ends[i]->path, -EINVAL,
					     "its device wants multiples of %u bytes: use another "
					     "--block than %zu",
					     ends[i]->align, g->block);
	}
	return 0;
}

static int copy_open(struct copy *copy, const char *to)
{
	struct copier *c = copy->c;
	bool keep = false;
	int rc;

	rc = dest_open(&copy->dest, to, &copy->src, c->resume, c->payload.geometry.block);
	if (rc)
		return rc;
	rc = check_ends(copy);
	if (!rc) {
		rc = move(copy);
		keep = rc;
	}
	if (!rc)
		rc = attributes(copy);
	if (!rc && c->verify)
		rc = verify(copy);
	if (!rc)
		rc = check_source(copy);
	if (rc) {
		dest_abandon(&copy->dest, c->resume && keep);
		return rc;
	}
	return dest_commit(&copy->dest);
}

/*
 * Files of /proc, and of some FUSE file systems, say that they are empty, and have
 * data all the same.  How much, only reading all of it would tell.
 */
static int check_size(const struct file *src)
{
	char byte;
	ssize_t n;

	if (src->id.size || src->kind != FILE_OTHER)
		return 0;
	n = pread(src->fd, &byte, 1, 0);
	if (n < 0)
		return message_error(src->path, -errno, "cannot read");
	return n ? message_error(src->path, 0,
				 "its size is not known: it says that it is empty, and has data; "
				 "cp copies it")
		 : 0;
}

/**
 * copy_file - make a copy of a file
 * @c:		how
 * @from:	a file or a block device
 * @to:		name of the copy, or a block device
 * @open_flags:	O_NOFOLLOW, or 0
 *
 * @to appears, or is replaced, when everything is in stable storage; a block
 * device is overwritten in place.  What is wrong is said.
 *
 * Return: 0 or a negative errno, -EINTR if we were asked to end.
 */
int copy_file(struct copier *c, const char *from, const char *to, int open_flags)
{
	struct copy copy = { .c = c };
	int rc;

	rc = file_open(&copy.src, from, O_RDONLY | open_flags, 0);
	if (rc == -EISDIR)
		return message_error(from, 0, "is a directory: -r copies it");
	if (rc == -EINVAL)
		return message_error(from, 0, "is neither a file nor a block device");
	if (rc)
		return message_error(from, rc, "cannot open");
	progress_name(from);
	rc = check_size(&copy.src);
	if (rc) {
		file_close(&copy.src);
		return rc;
	}
	if (complete_already(&copy, to)) {
		c->tally.skipped++;
		progress_add(copy.src.id.size);
	} else {
		rc = copy_open(&copy, to);
		if (!rc) {
			c->tally.files++;
			c->tally.bytes += copy.src.id.size;
		}
	}
	file_close(&copy.src);
	return rc;
}
