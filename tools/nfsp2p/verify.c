// SPDX-License-Identifier: GPL-2.0
/*
 * Checksum of a file as the device or server has it: read with O_DIRECT, past
 * the page cache.  The CPU has to see the payload for that, in host memory.
 */
#include "verify.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* All of it is in the header: no library to be loaded by copies without --verify. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "message.h"
#include "sparse.h"
#include "stop.h"

#define PIECE (1U << 20)
/* Zeros are found in units of this; a multiple of any alignment. */
#define UNIT (64U << 10)

/* Is it all zeros, however it is stored? */
static bool is_zero(const unsigned char *data, size_t len)
{
	return !data[0] && !memcmp(data, data + 1, len - 1);
}

/*
 * A hole is as good as zeros, and the copy may have them elsewhere: so zeros are
 * left out, and everything else is hashed together with its position.
 */
static void add(XXH3_state_t *state, const unsigned char *data, size_t len, uint64_t pos)
{
	for (size_t at = 0; at < len; at += UNIT) {
		size_t n = len - at < UNIT ? len - at : UNIT;
		uint64_t where = htole64(pos + at);

		if (is_zero(data + at, n))
			continue;
		XXH3_128bits_update(state, &where, sizeof(where));
		XXH3_128bits_update(state, data + at, n);
	}
}

/* All of one piece; only the end of the file makes it shorter. */
static int read_piece(const struct file *f, unsigned char *buf, size_t len, uint64_t pos)
{
	size_t done = 0;

	while (done < len) {
		size_t left = (len - done + f->align - 1) & ~((size_t)f->align - 1);
		ssize_t n = pread(f->fd, buf + done, left, (off_t)(pos + done));

		if (stop_signal())
			return -EINTR;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return message_error(f->path, -errno, "cannot read at %llu to verify",
					     (unsigned long long)pos + done);
		done += (size_t)n;
		if (!n || (done < len && done % f->align))
			return message_error(f->path, 0, "ends at %llu, not where it should",
					     (unsigned long long)pos + done);
	}
	return 0;
}

static int digest_ranges(const struct file *f, uint64_t size, XXH3_state_t *state,
			 unsigned char *buf, uint64_t *bytes)
{
	struct sparse s = { .fd = f->fd, .align = UNIT, .end = size };
	struct ring_range range;
	int rc = 0;

	while (!rc && sparse_next(&s, &range)) {
		for (; !rc && range.pos < range.end; range.pos += PIECE) {
			uint64_t len = range.end - range.pos;

			len = len < PIECE ? len : PIECE;
			rc = read_piece(f, buf, len, range.pos);
			if (!rc)
				add(state, buf, len, range.pos);
			*bytes += len;
		}
	}
	if (!rc && s.error)
		rc = message_error(f->path, s.error, "cannot find its data");
	return rc;
}

/**
 * digest_file - checksum of the contents of a file
 * @f:		an open file, readable
 * @size:	so many bytes of it
 * @digest:	filled in, XXH3-128: two files have the same if they read the same,
 *		wherever their holes are; it is not what xxhsum(1) prints.  It tells
 *		damage from no damage, and is no defence against an attacker.
 * @bytes:	what was read is added to it
 *
 * Says what is wrong.
 *
 * Return: 0 or a negative errno; -EINTR if we were asked to end.
 */
int digest_file(const struct file *f, uint64_t size, unsigned char digest[DIGEST_SIZE],
		uint64_t *bytes)
{
	XXH3_state_t *state = XXH3_createState();
	unsigned char *buf =
		mmap(NULL, PIECE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	XXH128_canonical_t sum;
	int rc = -ENOMEM;

	if (buf == MAP_FAILED || !state)
		message_error(f->path, rc, "cannot verify");
	else {
		XXH3_128bits_reset(state);
		rc = digest_ranges(f, size, state, buf, bytes);
		XXH128_canonicalFromHash(&sum, XXH3_128bits_digest(state));
		memcpy(digest, sum.digest, DIGEST_SIZE);
	}
	if (buf != MAP_FAILED)
		munmap(buf, PIECE);
	XXH3_freeState(state);
	return rc;
}
