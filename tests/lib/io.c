// SPDX-License-Identifier: GPL-2.0
/* Three ways to submit one I/O and wait for it: see io.h. */
#include "io.h"

#include <errno.h>
#include <libaio.h>
#include <liburing.h>
#include <unistd.h>

/**
 * io_engine_name - what an interface is called in names of tests
 * @engine:	any
 *
 * Return: a constant string.
 */
const char *io_engine_name(enum io_engine engine)
{
	static const char *const names[IO_ENGINES] = {
		[IO_SYNC] = "sync",
		[IO_AIO] = "libaio",
		[IO_URING] = "io_uring",
	};

	return names[engine];
}

static ssize_t io_sync(bool write, int fd, const struct iovec *iov, int segments, off_t pos)
{
	ssize_t done;

	if (segments > 1)
		done = write ? pwritev(fd, iov, segments, pos) : preadv(fd, iov, segments, pos);
	else
		done = write ? pwrite(fd, iov->iov_base, iov->iov_len, pos)
			     : pread(fd, iov->iov_base, iov->iov_len, pos);
	return done < 0 ? -errno : done;
}

static ssize_t io_aio(bool write, int fd, const struct iovec *iov, int segments, off_t pos)
{
	io_context_t ctx = NULL;
	struct iocb cb, *list = &cb;
	struct io_event event;
	ssize_t done;

	done = io_setup(1, &ctx);
	if (done < 0)
		return done;
	if (segments > 1 && write)
		io_prep_pwritev(&cb, fd, iov, segments, pos);
	else if (segments > 1)
		io_prep_preadv(&cb, fd, iov, segments, pos);
	else if (write)
		io_prep_pwrite(&cb, fd, iov->iov_base, iov->iov_len, pos);
	else
		io_prep_pread(&cb, fd, iov->iov_base, iov->iov_len, pos);
	done = io_submit(ctx, 1, &list);
	if (done == 1) {
		done = io_getevents(ctx, 1, 1, &event, NULL);
		if (done == 1)
			done = (ssize_t)event.res;
	}
	io_destroy(ctx);
	return done;
}

static ssize_t io_uring(bool write, int fd, const struct iovec *iov, int segments, off_t pos)
{
	struct io_uring_cqe *cqe;
	struct io_uring_sqe *sqe;
	struct io_uring ring;
	ssize_t done;

	done = io_uring_queue_init(1, &ring, 0);
	if (done < 0)
		return done;
	sqe = io_uring_get_sqe(&ring);
	if (segments > 1 && write)
		io_uring_prep_writev(sqe, fd, iov, segments, pos);
	else if (segments > 1)
		io_uring_prep_readv(sqe, fd, iov, segments, pos);
	else if (write)
		io_uring_prep_write(sqe, fd, iov->iov_base, iov->iov_len, pos);
	else
		io_uring_prep_read(sqe, fd, iov->iov_base, iov->iov_len, pos);
	done = io_uring_submit(&ring);
	if (done == 1) {
		done = io_uring_wait_cqe(&ring, &cqe);
		if (!done)
			done = cqe->res;
	}
	io_uring_queue_exit(&ring);
	return done;
}

/**
 * io_vec - read or write several pieces of memory and wait for the result
 * @engine:	interface to use
 * @write:	true to write to the file, false to read from it
 * @fd:		an open file
 * @iov:	pieces of memory
 * @segments:	how many of them, at least 1
 * @pos:	position in the file, in bytes
 *
 * Return: bytes transferred, which may be fewer than asked for, or a negative
 * errno.
 */
ssize_t io_vec(enum io_engine engine, bool write, int fd, const struct iovec *iov, int segments,
	       off_t pos)
{
	switch (engine) {
	case IO_SYNC:
		return io_sync(write, fd, iov, segments, pos);
	case IO_AIO:
		return io_aio(write, fd, iov, segments, pos);
	case IO_URING:
		return io_uring(write, fd, iov, segments, pos);
	default:
		return -EINVAL;
	}
}

/**
 * io_one - read or write one piece of memory and wait for the result
 * @engine:	interface to use
 * @write:	true to write to the file, false to read from it
 * @fd:		an open file
 * @buf:	first byte of the memory
 * @len:	bytes
 * @pos:	position in the file, in bytes
 *
 * Return: as io_vec().
 */
ssize_t io_one(enum io_engine engine, bool write, int fd, void *buf, size_t len, off_t pos)
{
	struct iovec iov = { .iov_base = buf, .iov_len = len };

	return io_vec(engine, write, fd, &iov, 1, pos);
}
