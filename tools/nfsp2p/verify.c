// SPDX-License-Identifier: GPL-2.0
/*
 * Checksum of a file as the device or server has it: read with O_DIRECT, past
 * the page cache.  The CPU has to see the payload for that, in host memory.
 */
#include "verify.h"

#include <endian.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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
static int add(EVP_MD_CTX *ctx, const unsigned char *data, size_t len, uint64_t pos)
{
	for (size_t at = 0; at < len; at += UNIT) {
		size_t n = len - at < UNIT ? len - at : UNIT;
		uint64_t where = htole64(pos + at);

		if (is_zero(data + at, n))
			continue;
		if (!EVP_DigestUpdate(ctx, &where, sizeof(where)) ||
		    !EVP_DigestUpdate(ctx, data + at, n))
			return -EIO;
	}
	return 0;
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

static int digest_ranges(const struct file *f, uint64_t size, EVP_MD_CTX *ctx, unsigned char *buf,
			 uint64_t *bytes)
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
				rc = add(ctx, buf, len, range.pos);
			*bytes += len;
		}
	}
	if (!rc && s.error)
		rc = message_error(f->path, s.error, "cannot find its data");
	return rc;
}

/**
 * digest_file - SHA-256 of the contents of a file
 * @f:		an open file, readable
 * @size:	so many bytes of it
 * @digest:	filled in; two files have the same if they read the same, wherever
 *		their holes are; it is not what sha256sum(1) prints
 * @bytes:	what was read is added to it
 *
 * Says what is wrong.
 *
 * Return: 0 or a negative errno; -EINTR if we were asked to end.
 */
int digest_file(const struct file *f, uint64_t size, unsigned char digest[DIGEST_SIZE],
		uint64_t *bytes)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char *buf =
		mmap(NULL, PIECE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int rc = -ENOMEM;

	if (buf == MAP_FAILED)
		message_error(f->path, rc, "cannot verify");
	else if (!ctx || !EVP_DigestInit_ex(ctx, EVP_sha256(), NULL))
		message_error(f->path, 0, "cannot verify: libcrypto has no SHA-256");
	else {
		rc = digest_ranges(f, size, ctx, buf, bytes);
		if (!rc && !EVP_DigestFinal_ex(ctx, digest, NULL))
			rc = -EIO;
	}
	if (buf != MAP_FAILED)
		munmap(buf, PIECE);
	EVP_MD_CTX_free(ctx);
	return rc;
}
