/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The pipeline: moves ranges of one file to the same place in another through
 * a few blocks of memory, reads and writes in flight at once.  It knows file
 * descriptors and memory, and nothing else; it never touches the payload.
 */
#ifndef NFSP2P_RING_H
#define NFSP2P_RING_H

#include <liburing.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring_slot;

/**
 * struct ring - an io_uring and the memory that carries the payload
 * @uring:	submission and completion queue
 * @slots:	one a block
 * @depth:	how many blocks
 * @block:	size of each, in bytes
 * @busy:	blocks that are in use now
 * @lost:	it cannot be waited for any more, and what was in flight may still be
 */
struct ring {
	struct io_uring uring;
	struct ring_slot *slots;
	unsigned int depth;
	size_t block;
	unsigned int busy;
	bool lost;
};

/**
 * struct ring_range - a part of a file
 * @pos:	first byte
 * @end:	first byte behind it
 */
struct ring_range {
	uint64_t pos;
	uint64_t end;
};

/**
 * struct ring_job - what is to be moved
 * @in:		file to read, or -1: write whatever the memory holds
 * @out:	file to write, or -1: throw away what was read
 * @in_align:	O_DIRECT reads of @in take multiples of this, a power of two, 1 if any;
 *		the length of a read is rounded up to it, within a block
 * @next:	gives the next range, in ascending order, false at the end; a range
 *		begins at a multiple of @in_align and of what @out wants
 * @next_arg:	for @next
 * @tick:	called after each batch of completions, with the position below which
 *		everything was moved, and the bytes that were written (read, without
 *		@out) so far; not 0 stops the job.  May be NULL
 * @tick_arg:	for @tick
 */
struct ring_job {
	int in, out;
	uint32_t in_align;
	bool (*next)(void *arg, struct ring_range *range);
	void *next_arg;
	int (*tick)(void *arg, uint64_t low, uint64_t bytes);
	void *tick_arg;
};

/**
 * enum ring_step - where a job failed
 * @RING_READ:	reading @in
 * @RING_EOF:	@in ended before the range did
 * @RING_WRITE:	writing @out
 * @RING_TICK:	stopped by @tick
 * @RING_QUEUE:	the io_uring itself: it is of no use for other jobs either
 */
enum ring_step {
	RING_READ,
	RING_EOF,
	RING_WRITE,
	RING_TICK,
	RING_QUEUE,
};

/**
 * struct ring_result - how a job ended
 * @error:	0, or a negative errno: what went wrong first
 * @step:	where, if @error
 * @pos:	position in the file, if @error
 * @read:	bytes that were read
 * @written:	bytes that were written
 * @low:	everything below this position was moved
 */
struct ring_result {
	int error;
	enum ring_step step;
	uint64_t pos;
	uint64_t read, written;
	uint64_t low;
};

int ring_open(struct ring *ring, void *mem, size_t block, unsigned int depth);
void ring_close(struct ring *ring);
int ring_run(struct ring *ring, const struct ring_job *job, struct ring_result *res);

#endif
