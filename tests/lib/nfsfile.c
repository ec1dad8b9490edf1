// SPDX-License-Identifier: GPL-2.0
/* A file seen from the NFS client and from the server: see nfsfile.h. */
#include "nfsfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lab.h"
#include "pattern.h"

#define GUARD_BYTE 0xa5

static unsigned char scratch[NFSFILE_MAX];

/* What nfsfile_leave() has to close. */
static struct nfsfile *last;

/**
 * nfsfile_open - create a file and open it at both ends
 * @file:	filled in; nfsfile_close() closes it
 * @name:	name below the export, without directories
 * @size:	in bytes
 *
 * Fails the running test if anything goes wrong.
 */
void nfsfile_open(struct nfsfile *file, const char *name, size_t size)
{
	char path[PATH_MAX];

	last = file;
	snprintf(path, sizeof(path), LAB_EXPORT "/%s", name);
	file->server = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (file->server < 0 || ftruncate(file->server, (off_t)size))
		fail_msg("cannot create %s: %s", path, strerror(errno));
	snprintf(path, sizeof(path), LAB_MOUNT "/%s", name);
	file->client = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (file->client < 0)
		fail_msg("cannot open %s: %s", path, strerror(errno));
}

/**
 * nfsfile_mount - have the export mounted in a certain way and a file open
 * @file:	open or NFSFILE_CLOSED
 * @version:	NFS version
 * @proto:	"rdma" or "tcp"
 * @name:	as for nfsfile_open()
 * @size:	as for nfsfile_open()
 *
 * Tests are sorted by version; only the first of each mounts anew.  Fails the
 * running test if anything goes wrong.
 */
void nfsfile_mount(struct nfsfile *file, const char *version, const char *proto, const char *name,
		   size_t size)
{
	if (file->client >= 0 && lab_is_mounted(version, proto))
		return;
	/* An open file would keep the old mount and the old export busy. */
	nfsfile_close(file);
	if (lab_mount(version, proto))
		fail_msg("lab-nfs up --vers %s --proto %s failed", version, proto);
	nfsfile_open(file, name, size);
}

/**
 * nfsfile_close - close both ends, if they are open
 * @file:	from nfsfile_open(), or NFSFILE_CLOSED
 */
void nfsfile_close(struct nfsfile *file)
{
	if (file->client >= 0)
		close(file->client);
	if (file->server >= 0)
		close(file->server);
	*file = (struct nfsfile)NFSFILE_CLOSED;
}

/**
 * nfsfile_leave - what most programs do after their last test
 * @state:	of cmocka, not used
 *
 * Closes the file that was opened last, which must still exist, and takes client
 * and server down.
 *
 * Return: 0, or what lab-nfs failed with.
 */
int nfsfile_leave(void **state)
{
	(void)state;
	if (last)
		nfsfile_close(last);
	return lab_unmount();
}

static void server_write(const struct nfsfile *file, const void *data, size_t len, uint64_t pos)
{
	ssize_t done = pwrite(file->server, data, len, (off_t)pos);

	if (done != (ssize_t)len)
		fail_msg("write on the server, offset %" PRIu64 ": %s", pos,
			 done < 0 ? strerror(errno) : "short");
}

static void server_read(const struct nfsfile *file, void *data, size_t len, uint64_t pos)
{
	ssize_t done = pread(file->server, data, len, (off_t)pos);

	if (done != (ssize_t)len)
		fail_msg("read on the server, offset %" PRIu64 ": %s", pos,
			 done < 0 ? strerror(errno) : "short");
}

/**
 * nfsfile_server_fill - put data into the file behind the client's back
 * @file:	open at both ends
 * @len:	bytes, at most NFSFILE_MAX
 * @seed:	see pattern_fill()
 * @pos:	position in the file, in bytes
 */
void nfsfile_server_fill(const struct nfsfile *file, size_t len, uint64_t seed, uint64_t pos)
{
	pattern_fill(scratch, len, seed, pos);
	server_write(file, scratch, len, pos);
}

/**
 * nfsfile_server_check - fail the running test unless the server has the data
 * @file:	open at both ends
 * @len:	bytes, at most NFSFILE_MAX
 * @seed:	as in pattern_fill()
 * @pos:	position in the file, in bytes
 */
void nfsfile_server_check(const struct nfsfile *file, size_t len, uint64_t seed, uint64_t pos)
{
	server_read(file, scratch, len, pos);
	nfsfile_buffer_check(scratch, len, seed, pos, "file on the server");
}

/**
 * nfsfile_buffer_check - fail the running test unless memory holds the data
 * @data:	the memory
 * @len:	bytes
 * @seed:	as in pattern_fill()
 * @pos:	position in the file that the data came from, in bytes
 * @what:	for the message, e.g. "CMB buffer"
 */
void nfsfile_buffer_check(const void *data, size_t len, uint64_t seed, uint64_t pos,
			  const char *what)
{
	struct mismatch bad;

	if (!pattern_check(data, len, seed, pos, &bad))
		fail_msg("%s: wrong data at file offset %" PRIu64 " (byte %" PRIu64
			 " of %zu): expected 0x%02x, got 0x%02x",
			 what, bad.pos, bad.pos - pos, len, bad.want, bad.got);
}

/**
 * nfsfile_guard - mark the bytes before and after a range on the server
 * @file:	open at both ends
 * @len:	bytes of the range
 * @pos:	its position in the file, at least NFSFILE_GUARD bytes, or 0 for
 *		no mark before it
 */
void nfsfile_guard(const struct nfsfile *file, size_t len, uint64_t pos)
{
	unsigned char guard[NFSFILE_GUARD];

	memset(guard, GUARD_BYTE, sizeof(guard));
	if (pos)
		server_write(file, guard, sizeof(guard), pos - sizeof(guard));
	server_write(file, guard, sizeof(guard), pos + len);
}

/**
 * nfsfile_guard_check - fail the running test if the marks were overwritten
 * @file:	open at both ends
 * @len:	as given to nfsfile_guard()
 * @pos:	as given to nfsfile_guard()
 */
void nfsfile_guard_check(const struct nfsfile *file, size_t len, uint64_t pos)
{
	unsigned char guard[NFSFILE_GUARD];
	struct mismatch bad;

	if (pos) {
		server_read(file, guard, sizeof(guard), pos - sizeof(guard));
		if (!pattern_is_byte(guard, sizeof(guard), GUARD_BYTE, &bad))
			fail_msg("the server wrote %" PRIu64 " bytes before the range",
				 sizeof(guard) - bad.pos);
	}
	server_read(file, guard, sizeof(guard), pos + len);
	if (!pattern_is_byte(guard, sizeof(guard), GUARD_BYTE, &bad))
		fail_msg("the server wrote %" PRIu64 " bytes after the range", bad.pos);
}
