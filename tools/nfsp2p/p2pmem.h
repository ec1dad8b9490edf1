/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Buffers in a provider's memory: mmap() of p2pmem/allocate.
 */
#ifndef NFSP2P_P2PMEM_H
#define NFSP2P_P2PMEM_H

#include <stddef.h>

/**
 * struct p2pmem - one mapped piece of a provider's memory
 * @data:		its first byte, page aligned
 * @size:		its size in bytes, a multiple of the page size
 */
struct p2pmem {
	void *data;
	size_t size;
};

int p2pmem_map(struct p2pmem *mem, const char *bdf, size_t size);
void p2pmem_unmap(struct p2pmem *mem);

#endif
