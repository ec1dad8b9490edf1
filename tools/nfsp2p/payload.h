/* SPDX-License-Identifier: GPL-2.0 */
/* The memory that carries the payload, and the pipeline through it. */
#ifndef NFSP2P_PAYLOAD_H
#define NFSP2P_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "p2pmem.h"
#include "ring.h"

/**
 * struct geometry - how the memory is used
 * @block:	bytes of one I/O
 * @depth:	how many at once
 */
struct geometry {
	size_t block;
	unsigned int depth;
};

/**
 * struct demand - what is known before a geometry is chosen
 * @block:	what the user wants, 0 if anything
 * @depth:	what the user wants, 0 if anything
 * @transfer:	largest rsize and wsize, 0 if there is no NFS
 * @memory:	what the provider has, 0 for no limit
 * @total:	bytes to be moved in all, 0 if that is not known
 */
struct demand {
	size_t block;
	unsigned int depth;
	size_t transfer;
	uint64_t memory;
	uint64_t total;
};

/**
 * struct payload - mapped memory and its pipeline
 * @ring:	the pipeline
 * @geometry:	how the memory is used
 * @provider:	name of the PCI function, "" for host memory
 * @no_ring:	there was memory, but no pipeline
 * @mem:	the memory
 */
struct payload {
	struct ring ring;
	struct geometry geometry;
	char provider[20];
	bool no_ring;
	struct p2pmem mem;
};

int payload_error(const struct payload *p, int error);
int geometry_choose(struct geometry *g, const struct demand *want);
bool geometry_shrink(struct geometry *g, const struct demand *want);
int payload_open(struct payload *p, const char *provider, const struct demand *want);
void payload_close(struct payload *p);
bool payload_is_p2p(const struct payload *p);
bool payload_lost(const struct payload *p);
bool payload_refused(const struct payload *p, int error);

#endif
