/* SPDX-License-Identifier: GPL-2.0 */
/* One read or write through one of the kernel's interfaces for it. */
#ifndef TESTS_IO_H
#define TESTS_IO_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/uio.h>

/**
 * enum io_engine - the interface that an I/O is submitted through
 * @IO_SYNC:	preadv(2), pwritev(2); pread and pwrite for a single segment
 * @IO_AIO:	Linux native asynchronous I/O (libaio)
 * @IO_URING:	io_uring (liburing)
 * @IO_ENGINES:	how many there are
 */
enum io_engine {
	IO_SYNC,
	IO_AIO,
	IO_URING,
	IO_ENGINES,
};

const char *io_engine_name(enum io_engine engine);
ssize_t io_vec(enum io_engine engine, bool write, int fd, const struct iovec *iov, int segments,
	       off_t pos);
ssize_t io_one(enum io_engine engine, bool write, int fd, void *buf, size_t len, off_t pos);

#endif
