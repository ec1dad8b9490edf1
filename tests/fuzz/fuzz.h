/* SPDX-License-Identifier: GPL-2.0 */
/* What the fuzz targets of nfsp2p have in common. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/**
 * fuzz_text - the input as text of its own, of exactly its size
 * @data:	input
 * @size:	its size, bytes
 *
 * Return: to be freed; ends with a NUL byte.
 */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

/* Keep the compiler from dropping what a value is computed from. */
static inline void fuzz_use(uint64_t value)
{
	static volatile uint64_t sink;

	sink = value;
	(void)sink;
}

/* A string must end in its place. */
static inline void fuzz_string(const char *text, size_t size)
{
	if (strnlen(text, size) == size)
		abort();
}

#endif
