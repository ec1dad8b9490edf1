/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Test data that knows where it belongs.
 *
 * Every aligned 8-byte word is a mix of a seed and of its own position in the
 * file.  Data that arrives at the wrong place, or that is left over from an
 * earlier test (another seed), therefore never looks right.
 */
#ifndef TESTS_PATTERN_H
#define TESTS_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct mismatch - the first byte that is not what it should be
 * @pos:	its position in the file, in bytes
 * @want:	the byte that belongs there
 * @got:	the byte that was found
 */
struct mismatch {
	uint64_t pos;
	unsigned char want;
	unsigned char got;
};

void pattern_fill(void *buf, size_t len, uint64_t seed, uint64_t pos);
bool pattern_check(const void *buf, size_t len, uint64_t seed, uint64_t pos, struct mismatch *bad);
bool pattern_is_byte(const void *buf, size_t len, unsigned char byte, struct mismatch *bad);

#endif
