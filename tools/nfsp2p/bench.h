/* SPDX-License-Identifier: GPL-2.0 */
/* One measurement of bench, and how results are shown. */
#ifndef NFSP2P_BENCH_H
#define NFSP2P_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "payload.h"

/**
 * struct score - what one measurement gave
 * @valid:	it was made
 * @bytes:	payload moved
 * @ops:	I/Os
 * @seconds:	time on the clock
 * @cpu:	processor time of this process, in seconds; not that of kernel threads
 */
struct score {
	bool valid;
	uint64_t bytes, ops;
	double seconds, cpu;
};

/**
 * struct cell - one line of the table
 * @write:	direction
 * @geometry:	size and depth
 * @left_out:	why it was not measured, or NULL
 * @p2p:	with a provider's memory
 * @host:	with host memory
 */
struct cell {
	bool write;
	struct geometry geometry;
	const char *left_out;
	struct score p2p, host;
};

/**
 * struct bench_result - all of it
 * @file:	name of the file
 * @provider:	name of the PCI function, "" for host memory alone
 * @cells:	the lines
 * @n:		how many
 * @moved_read:	read into P2P memory, in bytes
 * @moved_write: written from P2P memory, in bytes
 * @nfs:	the file is on NFS, and the kernel has counted:
 * @counted_read: what it counted for @moved_read
 * @counted_write: what it counted for @moved_write
 */
struct bench_result {
	const char *file, *provider;
	struct cell *cells;
	size_t n;
	uint64_t moved_read, moved_write;
	bool nfs;
	uint64_t counted_read, counted_write;
};

int measure(struct ring *ring, int fd, uint32_t align, bool write, uint64_t size, double seconds,
	    struct score *score);
int measure_fill(struct ring *ring, int fd, uint64_t size);
int bench_table(const struct bench_result *r);
int bench_json(const struct bench_result *r);

#endif
