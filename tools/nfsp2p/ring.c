// SPDX-License-Identifier: GPL-2.0
/* The io_uring pipeline: see ring.h. */
#include "ring.h"

#include <errno.h>
#include <stdlib.h>

/* A completion that says "again" this often without any progress is an error. */
#define RETRIES 1000

/*
 * A block of memory and what it is used for.  A slot is read as a whole, then
 * written as a whole; a short transfer is continued where it ended.
 */
struct ring_slot {
	char *mem;
	uint64_t pos;	    /* of its first byte in the file */
	uint32_t len;	    /* bytes to be moved */
	uint32_t done;	    /* of them, in this direction */
	unsigned int again; /* completions without progress */
	bool busy, writing;
};

/* One run of ring_run(). */
struct run {
	struct ring *ring;
	const struct ring_job *job;
	struct ring_result *res;
	struct ring_range range; /* what is left of the current range */
	bool last;		 /* there is no further one */
};

/**
 * ring_open - set up a pipeline
 * @ring:	filled in; to be closed with ring_close() if this succeeds
 * @mem:	@block * @depth bytes, page-aligned; the caller's, until ring_close()
 * @block:	bytes of one I/O
 * @depth:	how many of them at once, at least 1
 *
 * The memory is not registered: io_uring's registered buffers take no
 * peer-to-peer memory (io_uring/rsrc.c pins without FOLL_PCI_P2PDMA).
 *
 * Return: 0, or a negative errno; -ENOSYS and -EPERM mean that this kernel or
 * its io_uring_disabled forbids io_uring.
 */
int ring_open(struct ring *ring, void *mem, size_t block, unsigned int depth)
{
	/* All of it is done by one thread, which waits in the kernel (6.1 or newer). */
	const unsigned int flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
	int rc;

	*ring = (struct ring){ .depth = depth, .block = block };
	ring->slots = calloc(depth, sizeof(*ring->slots));
	if (!ring->slots)
		return -ENOMEM;
	for (unsigned int i = 0; i < depth; i++)
		ring->slots[i].mem = (char *)mem + i * block;
	rc = io_uring_queue_init(depth, &ring->uring, flags);
	if (rc == -EINVAL)
		rc = io_uring_queue_init(depth, &ring->uring, 0);
	if (rc) {
		free(ring->slots);
		*ring = (struct ring){ 0 };
	}
	return rc;
}

/**
 * ring_close - give back what ring_open() took
 * @ring:	idle, as ring_run() leaves it
 */
void ring_close(struct ring *ring)
{
	io_uring_queue_exit(&ring->uring);
	free(ring->slots);
	ring->slots = NULL;
}

static uint32_t round_up_to(uint32_t n, uint32_t align)
{
	return (n + align - 1) & ~(align - 1);
}

static void fail(struct run *run, int error, enum ring_step step, uint64_t pos)
{
	if (run->res->error)
		return;
	run->res->error = error;
	run->res->step = step;
	run->res->pos = pos;
}

/* Queue what is left of a slot in its direction. */
static void queue(struct run *run, struct ring_slot *slot)
{
	/* There is an entry for each slot, and a slot has one I/O at a time. */
	struct io_uring_sqe *sqe = io_uring_get_sqe(&run->ring->uring);
	const struct ring_job *job = run->job;
	uint32_t left = slot->len - slot->done;

	if (slot->writing)
		io_uring_prep_write(sqe, job->out, slot->mem + slot->done, left,
				    slot->pos + slot->done);
	else
		io_uring_prep_read(sqe, job->in, slot->mem + slot->done,
				   round_up_to(left, job->in_align), slot->pos + slot->done);
	io_uring_sqe_set_data(sqe, slot);
}

static void release(struct run *run, struct ring_slot *slot)
{
	slot->busy = false;
	run->ring->busy--;
}

/* Is anything left to be begun?  It is in the current range then. */
static bool more(struct run *run)
{
	const struct ring_job *job = run->job;

	while (!run->last && run->range.pos >= run->range.end)
		run->last = !job->next(job->next_arg, &run->range);
	return !run->last;
}

/* Cut the next block off the ranges; false if there is none. */
static bool next_block(struct run *run, struct ring_slot *slot)
{
	const struct ring_job *job = run->job;
	uint64_t len;

	if (!more(run))
		return false;
	len = run->range.end - run->range.pos;
	if (len > run->ring->block)
		len = run->ring->block;
	*slot = (struct ring_slot){
		.mem = slot->mem,
		.pos = run->range.pos,
		.len = len,
		.busy = true,
		.writing = job->in < 0,
	};
	run->range.pos += len;
	return true;
}

/* Put every idle block to work, unless the job has failed. */
static void fill(struct run *run)
{
	struct ring *ring = run->ring;

	/* A late completion would be taken for one of this job. */
	if (ring->lost)
		return;
	for (unsigned int i = 0; i < ring->depth && !run->res->error; i++) {
		struct ring_slot *slot = &ring->slots[i];

		if (slot->busy)
			continue;
		if (!next_block(run, slot))
			return;
		ring->busy++;
		queue(run, slot);
	}
}

/* All of a slot went in its direction: turn it round, or let it go. */
static void turn(struct run *run, struct ring_slot *slot)
{
	if (slot->writing || run->job->out < 0) {
		release(run, slot);
		return;
	}
	slot->writing = true;
	slot->done = 0;
	slot->again = 0;
	queue(run, slot);
}

static void complete(struct run *run, struct ring_slot *slot, int res)
{
	enum ring_step step = slot->writing ? RING_WRITE : RING_READ;
	uint64_t pos = slot->pos + slot->done;
	uint32_t left = slot->len - slot->done;

	/* After a failure what is in flight is waited for, and not continued. */
	if (run->res->error) {
		release(run, slot);
		return;
	}
	if ((res == -EAGAIN || res == -EINTR) && ++slot->again < RETRIES) {
		queue(run, slot);
		return;
	}
	if (res <= 0) {
		if (!res && step == RING_READ)
			step = RING_EOF;
		fail(run, res ? res : -EIO, step, pos);
		release(run, slot);
		return;
	}
	/* A read that was rounded up may have found more than was asked for. */
	if ((uint32_t)res > left)
		res = (int)left;
	slot->done += res;
	slot->again = 0;
	*(slot->writing ? &run->res->written : &run->res->read) += res;
	if (slot->done == slot->len)
		turn(run, slot);
	else if (!slot->writing && res % run->job->in_align) {
		/* Only its end makes a file give less than an aligned piece. */
		fail(run, -EIO, RING_EOF, pos + res);
		release(run, slot);
	} else
		queue(run, slot);
}

/* Everything below the first block in flight, or below what comes next, is done. */
static uint64_t low_water(const struct run *run)
{
	uint64_t low = run->range.pos;

	for (unsigned int i = 0; i < run->ring->depth; i++) {
		const struct ring_slot *slot = &run->ring->slots[i];

		if (slot->busy && slot->pos < low)
			low = slot->pos;
	}
	return low;
}

static void reap(struct run *run)
{
	struct io_uring_cqe *cqe;
	unsigned int head, n = 0;

	io_uring_for_each_cqe(&run->ring->uring, head, cqe)
	{
		complete(run, io_uring_cqe_get_data(cqe), cqe->res);
		n++;
	}
	io_uring_cq_advance(&run->ring->uring, n);
}

static void tick(struct run *run)
{
	const struct ring_job *job = run->job;
	struct ring_result *res = run->res;
	int rc;

	/* After a failure, blocks that were given up look as if they had been moved. */
	if (res->error)
		return;
	res->low = low_water(run);
	if (!job->tick)
		return;
	rc = job->tick(job->tick_arg, res->low, job->out < 0 ? res->read : res->written);
	if (rc)
		fail(run, rc, RING_TICK, res->low);
}

/**
 * ring_run - move the ranges of a job
 * @ring:	from ring_open(), idle; idle again afterwards, also after a failure
 * @job:	what is to be moved
 * @res:	filled in
 *
 * Runs until everything is done, or until what was in flight at the first
 * failure has ended.  A signal makes it call @job->tick.  After RING_QUEUE, no job
 * that has something to move succeeds.
 *
 * Return: @res->error.
 */
int ring_run(struct ring *ring, const struct ring_job *job, struct ring_result *res)
{
	struct run run = { .ring = ring, .job = job, .res = res };
	int rc;

	*res = (struct ring_result){ 0 };
	for (;;) {
		fill(&run);
		if (!ring->busy)
			break;
		rc = io_uring_submit_and_wait(&ring->uring, 1);
		if (rc < 0 && rc != -EINTR && rc != -EAGAIN && rc != -EBUSY) {
			/* Not even waiting works. The kernel has pinned what it uses. */
			fail(&run, rc, RING_QUEUE, low_water(&run));
			ring->busy = 0;
			ring->lost = true;
			break;
		}
		reap(&run);
		tick(&run);
	}
	/* Without a usable block, nothing was in flight and nothing will be. */
	if (!res->error && more(&run))
		fail(&run, -EIO, RING_QUEUE, run.range.pos);
	if (!res->error)
		res->low = run.range.pos;
	return res->error;
}
