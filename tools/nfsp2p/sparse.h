/* SPDX-License-Identifier: GPL-2.0 */
/* Where a file has data, and where it has holes. */
#ifndef NFSP2P_SPARSE_H
#define NFSP2P_SPARSE_H

#include <stdbool.h>
#include <stdint.h>

#include "ring.h"

/**
 * struct sparse - goes through the data of a file, in ascending order
 * @fd:		the file; its position is moved
 * @align:	ranges begin and end at multiples of this, a power of two
 * @pos:	everything in front of this was given out
 * @end:	nothing from here on will be; the last range ends here at most
 * @dense:	holes count as data
 * @error:	0, or a negative errno: the ranges are not complete
 */
struct sparse {
	int fd;
	uint32_t align;
	uint64_t pos, end;
	bool dense;
	int error;
};

bool sparse_next(void *sparse, struct ring_range *range);

#endif
