/* SPDX-License-Identifier: GPL-2.0 */
/* How much memory the slab allocator has. */
#ifndef BENCH_SLAB_H
#define BENCH_SLAB_H

#include <stdint.h>

uint64_t slab_bytes(void);
void slab_shrink(void);

#endif
