/* SPDX-License-Identifier: GPL-2.0 */
/* Time that has passed. */
#ifndef NFSP2P_SECONDS_H
#define NFSP2P_SECONDS_H

#include <time.h>

/**
 * seconds_now - the monotonic clock
 *
 * Return: seconds since some fixed moment.
 */
static inline double seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

#endif
