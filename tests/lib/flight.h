/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One I/O that is submitted now and waited for later, so that things can happen
 * to it meanwhile; and the virtual NIC, stopped at a known point of it.
 */
#ifndef TESTS_FLIGHT_H
#define TESTS_FLIGHT_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <liburing.h>

/**
 * struct flight - one I/O; all zeros is none
 * @ring:	it was submitted through
 * @up:		it has not been waited for
 */
struct flight {
	struct io_uring ring;
	bool up;
};

void flight_start(struct flight *flight, bool write, int fd, const struct iovec *iov,
		  unsigned int segments);
bool flight_is_over(struct flight *flight);
ssize_t flight_end(struct flight *flight);
void flight_pause(const char *command);

#endif
