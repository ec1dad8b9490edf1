// SPDX-License-Identifier: GPL-2.0
/* Position-dependent test data: see pattern.h. */
#include "pattern.h"

#include <string.h>

/* Device memory is slow to read byte by byte, so it is compared by blocks. */
#define BLOCK 16384

/* A bijective mixer of 64 bits: xor-shifts and odd multipliers. */
static uint64_t mix(uint64_t x)
{
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ULL;
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ULL;
	return x ^ (x >> 32);
}

/**
 * pattern_fill - write the data that belongs to a range of a file
 * @buf:	destination, any alignment
 * @len:	bytes to write
 * @seed:	distinguishes one test's data from another's
 * @pos:	position of the first byte in the file, in bytes
 */
void pattern_fill(void *buf, size_t len, uint64_t seed, uint64_t pos)
{
	uint64_t index = pos / sizeof(uint64_t);
	size_t skip = pos % sizeof(uint64_t);
	unsigned char *to = buf;
	uint64_t word;

	seed = mix(seed + 1);
	if (skip && len) {
		size_t n = sizeof(word) - skip;

		if (n > len)
			n = len;
		word = mix(seed ^ index++);
		memcpy(to, (unsigned char *)&word + skip, n);
		to += n;
		len -= n;
	}
	for (; len >= sizeof(word); len -= sizeof(word)) {
		word = mix(seed ^ index++);
		memcpy(to, &word, sizeof(word));
		to += sizeof(word);
	}
	word = mix(seed ^ index);
	memcpy(to, &word, len);
}

/**
 * pattern_check - compare memory with the data that belongs to a file range
 * @buf:	what was found, any alignment
 * @len:	bytes to compare
 * @seed:	as given to pattern_fill()
 * @pos:	position of the first byte in the file, in bytes
 * @bad:	filled in with the first difference, if there is one
 *
 * Return: true if every byte is right.
 */
bool pattern_check(const void *buf, size_t len, uint64_t seed, uint64_t pos, struct mismatch *bad)
{
	static unsigned char want[BLOCK];
	const unsigned char *got = buf;

	while (len) {
		size_t n = len < BLOCK ? len : BLOCK;

		pattern_fill(want, n, seed, pos);
		if (memcmp(got, want, n)) {
			size_t i = 0;

			/* Device memory may answer otherwise the second time. */
			while (i < n - 1 && got[i] == want[i])
				i++;
			*bad = (struct mismatch){ pos + i, want[i], got[i] };
			return false;
		}
		got += n;
		pos += n;
		len -= n;
	}
	return true;
}

/**
 * pattern_is_byte - check that a range still holds one repeated byte
 * @buf:	what was found
 * @len:	bytes to compare
 * @byte:	the value that each of them must have
 * @bad:	filled in with the first difference (@pos counts from @buf)
 *
 * Return: true if every byte is right.
 */
bool pattern_is_byte(const void *buf, size_t len, unsigned char byte, struct mismatch *bad)
{
	const unsigned char *got = buf;

	for (size_t i = 0; i < len; i++) {
		if (got[i] != byte) {
			*bad = (struct mismatch){ i, byte, got[i] };
			return false;
		}
	}
	return true;
}
