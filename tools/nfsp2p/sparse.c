// SPDX-License-Identifier: GPL-2.0
/* Where a file has data: see sparse.h. */
#include "sparse.h"

#include <errno.h>
#include <unistd.h>

static uint64_t down(uint64_t n, uint32_t align)
{
	return n & ~((uint64_t)align - 1);
}

/* The next data at or behind a position, without regard to alignment. */
static int find(int fd, uint64_t pos, struct ring_range *range)
{
	off_t data = lseek(fd, (off_t)pos, SEEK_DATA);
	off_t hole;

	if (data < 0)
		return -errno;
	hole = lseek(fd, data, SEEK_HOLE);
	if (hole < 0)
		return -errno;
	*range = (struct ring_range){ (uint64_t)data, (uint64_t)hole };
	return 0;
}

/**
 * sparse_next - the next range of a file that has data
 * @arg:	a &struct sparse; what its user fills in is @fd, @align, @pos, @end and
 *		@dense
 * @range:	filled in
 *
 * A file system that does not know holes says that there is none (lseek(2)); so
 * does NFS before 4.2.  A range is widened to whole units of @align, as holes
 * read as zeros.
 *
 * Return: true, or false at the end or after an error, see @error.
 */
bool sparse_next(void *arg, struct ring_range *range)
{
	struct sparse *s = arg;
	uint64_t pos, end;
	int rc;

	if (s->error || s->pos >= s->end)
		return false;
	*range = (struct ring_range){ s->pos, s->end };
	rc = s->dense ? 0 : find(s->fd, s->pos, range);
	/* ENXIO: only a hole is left.  EINVAL: a file that cannot be asked. */
	if (rc == -EINVAL || rc == -EOPNOTSUPP)
		*range = (struct ring_range){ s->pos, s->end };
	else if (rc) {
		s->error = rc == -ENXIO ? 0 : rc;
		s->pos = s->end;
		return false;
	}
	pos = down(range->pos, s->align);
	end = down(range->end + s->align - 1, s->align);
	if (pos < s->pos)
		pos = s->pos;
	if (end > s->end)
		end = s->end;
	s->pos = end;
	*range = (struct ring_range){ pos, end };
	/* Data that begins behind the end is the caller's own affair. */
	return pos < end;
}
