/* SPDX-License-Identifier: GPL-2.0 */
/* RPC transports, as sysfs and mountstats show them. */
#ifndef TESTS_XPRTS_H
#define TESTS_XPRTS_H

#include <stdint.h>

/**
 * struct xprt_stats - what a transport says about peer-to-peer DMA
 * @state:	0 not known yet, 1 no, 2 yes (enum xprt_p2pdma)
 * @read:	bytes into client memory
 * @write:	bytes out of client memory
 * @refused:	how often memory was refused
 */
struct xprt_stats {
	unsigned int state;
	uint64_t read, write, refused;
};

#define XPRT_NO	 1
#define XPRT_YES 2

uint64_t xprts_sum(const char *attribute);
unsigned int xprts_connected(void);
int xprts_of_mount(const char *mountpoint, struct xprt_stats *st, int max);

#endif
