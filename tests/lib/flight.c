// SPDX-License-Identifier: GPL-2.0
/* One I/O that takes its time: see flight.h. */
#include "flight.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "counters.h"

#define PATIENCE 60 /* s, for the NIC to get to a certain request */

/**
 * flight_start - submit one I/O at the start of a file
 * @flight:	filled in; flight_end() has to follow
 * @write:	true to write to the file, false to read from it
 * @fd:		an open file
 * @iov:	pieces of memory
 * @segments:	how many of them, at least 1
 *
 * Through io_uring, without waiting.  Fails the running test if that is refused.
 */
void flight_start(struct flight *flight, bool write, int fd, const struct iovec *iov,
		  unsigned int segments)
{
	struct io_uring_sqe *sqe;

	assert_int_equal(io_uring_queue_init(1, &flight->ring, 0), 0);
	flight->up = true;
	sqe = io_uring_get_sqe(&flight->ring);
	/* A single piece is another kind of iterator. */
	if (segments == 1 && write)
		io_uring_prep_write(sqe, fd, iov->iov_base, iov->iov_len, 0);
	else if (segments == 1)
		io_uring_prep_read(sqe, fd, iov->iov_base, iov->iov_len, 0);
	else if (write)
		io_uring_prep_writev(sqe, fd, iov, segments, 0);
	else
		io_uring_prep_readv(sqe, fd, iov, segments, 0);
	assert_int_equal(io_uring_submit(&flight->ring), 1);
}

/**
 * flight_is_over - has the I/O ended?
 * @flight:	from flight_start()
 *
 * Return: true if flight_end() would not have to wait.
 */
bool flight_is_over(struct flight *flight)
{
	struct io_uring_cqe *cqe;

	return !io_uring_peek_cqe(&flight->ring, &cqe);
}

/**
 * flight_end - wait for the end of the I/O
 * @flight:	from flight_start(), or none; none afterwards
 *
 * Return: bytes transferred, or a negative errno; 0 if there was none.
 */
ssize_t flight_end(struct flight *flight)
{
	struct io_uring_cqe *cqe;
	ssize_t done;

	if (!flight->up)
		return 0;
	flight->up = false;
	done = io_uring_wait_cqe(&flight->ring, &cqe);
	if (!done) {
		done = cqe->res;
		io_uring_cqe_seen(&flight->ring, cqe);
	}
	io_uring_queue_exit(&flight->ring);
	return done;
}

/**
 * flight_pause - wait until the virtual NIC has paused
 * @command:	what makes it do so, as its "ctl" file takes it, or NULL if it was
 *		told before
 *
 * Fails the running test if it does not.
 */
void flight_pause(const char *command)
{
	const struct timespec nap = { .tv_nsec = 10000000 };
	const time_t start = time(NULL);
	struct nic_stats now;

	if (command)
		assert_return_code(nic_control(command), 0);
	for (;;) {
		assert_return_code(nic_stats_read(&now), 0);
		if (now.paused)
			return;
		if (time(NULL) - start > PATIENCE)
			fail_msg("the NIC has not paused for %d s", PATIENCE);
		nanosleep(&nap, NULL);
	}
}
