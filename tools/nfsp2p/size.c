// SPDX-License-Identifier: GPL-2.0
/* Sizes as people write them: see size.h. */
#include "size.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/**
 * size_parse - read a size
 * @text:	digits, then nothing, or one of K, M, G, T (powers of 1024), either case
 * @bytes:	filled in
 *
 * Return: 0, or -EINVAL.
 */
int size_parse(const char *text, uint64_t *bytes)
{
	static const char units[] = "kKmMgGtT";
	unsigned long long value;
	const char *unit;
	unsigned int shift;
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno)
		return -EINVAL;
	*bytes = value;
	if (!*end)
		return 0;
	unit = strchr(units, *end);
	if (!unit || end[1])
		return -EINVAL;
	shift = 10 * ((unsigned int)(unit - units) / 2 + 1);
	if (value > UINT64_MAX >> shift)
		return -EINVAL;
	*bytes = (uint64_t)value << shift;
	return 0;
}
