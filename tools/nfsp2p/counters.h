/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which way payload went, from the kernel's own counters: series/7.3/0037, and
 * the columns of net/sunrpc/xprtrdma/transport.c, xprt_rdma_print_stats().
 */
#ifndef NFSP2P_COUNTERS_H
#define NFSP2P_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "mount.h"

/**
 * struct counters - of all transports of a mount together
 *
 * Where a mount has pNFS layouts, its payload goes by the transports of data servers,
 * which mountstats does not show: the first three are then those of all transports of
 * this machine, see counters_of_machine().
 *
 * @p2p_read:		payload moved to P2P memory of this machine, in bytes
 * @p2p_write:		payload moved from P2P memory of this machine, in bytes
 * @refused:		how often a transport refused P2P memory
 * @copied:		bytes that the CPU copied (pull-up and fix-up), of any memory
 * @counted:		the kernel counts P2P payload; without, the first three are 0
 * @of_machine:		the first three are those of all transports of this machine
 */
struct counters {
	uint64_t p2p_read, p2p_write;
	uint64_t refused;
	uint64_t copied;
	bool counted;
	bool of_machine;
};

int counters_read(const struct nfs_mount *m, struct counters *c);
void counters_of_machine(const char *root, struct counters *c);
void counters_sum(const struct snapshot *s, const struct nfs_mount *m, struct counters *c);
struct counters counters_since(const struct counters *before, const struct counters *now);

#endif
