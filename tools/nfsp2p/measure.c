// SPDX-License-Identifier: GPL-2.0
/* One measurement of bench: see bench.h. */
#include <errno.h>
#include <sys/resource.h>

#include "bench.h"
#include "seconds.h"
#include "stop.h"

/* Goes round and round in the file until the time is over, or once. */
struct laps {
	uint64_t pos, size, block, ops;
	double until;
	bool once;
};

static double cpu(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static bool next_lap(void *arg, struct ring_range *range)
{
	struct laps *laps = arg;

	if (stop_signal())
		return false;
	if (laps->once ? laps->pos >= laps->size : laps->ops && seconds_now() >= laps->until)
		return false;
	if (laps->pos + laps->block > laps->size && !laps->once)
		laps->pos = 0;
	*range = (struct ring_range){ laps->pos, laps->pos + laps->block };
	if (range->end > laps->size)
		range->end = laps->size;
	laps->pos += laps->block;
	laps->ops++;
	return true;
}

/**
 * measure - keep a file busy for a while
 * @ring:	memory, size and depth
 * @fd:		the file, at least one block long
 * @align:	what its O_DIRECT wants
 * @write:	overwrite it with what the memory holds, or read it
 * @size:	of the file, in bytes
 * @seconds:	how long
 * @score:	filled in
 *
 * Return: 0 or a negative errno, -EINTR if we were asked to end.
 */
int measure(struct ring *ring, int fd, uint32_t align, bool write, uint64_t size, double seconds,
	    struct score *score)
{
	double start = seconds_now(), busy = cpu();
	struct laps laps = { .size = size, .block = ring->block, .until = start + seconds };
	const struct ring_job job = {
		.in = write ? -1 : fd,
		.out = write ? fd : -1,
		.in_align = align,
		.next = next_lap,
		.next_arg = &laps,
	};
	struct ring_result res;
	int rc = ring_run(ring, &job, &res);

	if (rc)
		return rc;
	*score = (struct score){
		.valid = true,
		.bytes = write ? res.written : res.read,
		.ops = laps.ops,
		.seconds = seconds_now() - start,
		.cpu = cpu() - busy,
	};
	return stop_signal() ? -EINTR : 0;
}

/**
 * measure_fill - write a file from its beginning to its end
 * @ring:	memory with anything in it
 * @fd:		the file
 * @size:	in bytes, a multiple of what its O_DIRECT wants
 *
 * Return: 0 or a negative errno, -EINTR if we were asked to end.
 */
int measure_fill(struct ring *ring, int fd, uint64_t size)
{
	struct laps laps = { .size = size, .block = ring->block, .once = true };
	const struct ring_job job = {
		.in = -1, .out = fd, .in_align = 1, .next = next_lap, .next_arg = &laps
	};
	struct ring_result res;
	int rc = ring_run(ring, &job, &res);

	return rc ? rc : stop_signal() ? -EINTR : 0;
}
