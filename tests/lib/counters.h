/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel and the virtual NIC say that they did.
 *
 * One reader a source; each is split from its parser, which takes any stream,
 * so that tests/unit can feed it.
 */
#ifndef TESTS_COUNTERS_H
#define TESTS_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/**
 * struct nic_stats - bytes that the virtual NIC moved, by route and direction
 * @ram_read:		out of memory (payload and RPC messages)
 * @ram_write:		into memory (payload and RPC messages)
 * @bus_read:		out of a peer's BAR, by PCI bus address
 * @bus_write:		into a peer's BAR, by PCI bus address
 * @iommu_read:		out of a peer's BAR, through the root complex
 * @iommu_write:	into a peer's BAR, through the root complex
 * @faults:		accesses to addresses that lead nowhere
 * @connects:		connections that were established
 * @kills:		connections that were dropped on demand
 * @sends:		messages that were sent
 * @rdma_reads:		RDMA READs that were executed
 * @rdma_writes:	RDMA WRITEs that were executed
 * @paused:		devices that are paused
 */
struct nic_stats {
	uint64_t ram_read, ram_write;
	uint64_t bus_read, bus_write;
	uint64_t iommu_read, iommu_write;
	uint64_t faults;
	uint64_t connects, kills;
	uint64_t sends, rdma_reads, rdma_writes;
	uint64_t paused;
};

/**
 * struct op_stats - one RPC procedure of a mount
 * @ops:	RPCs that ended, well or not
 * @sent:	bytes that were sent for them, RPC headers included
 */
struct op_stats {
	uint64_t ops;
	uint64_t sent;
};

/**
 * struct mount_stats - what /proc/self/mountstats has about one NFS mount
 * @caps:		NFS_CAP_* bits of the mount, all 64
 * @rdma:		its transport is RPC-over-RDMA
 * @pullup:		bytes that the CPU copied into Send buffers
 * @fixup:		bytes that the CPU copied out of Receive buffers
 * @failed_marshal:	requests that could not be built
 * @read:		READ
 * @write:		WRITE
 * @commit:		COMMIT
 * @layoutget:		LAYOUTGET
 * @pnfs:		layout driver, "" if the file system is no NFSv4
 * @pnfs_reads:		READs that went by a layout
 * @pnfs_writes:	WRITEs that did
 */
struct mount_stats {
	uint64_t caps;
	bool rdma;
	uint64_t pullup, fixup, failed_marshal;
	struct op_stats read, write, commit, layoutget;
	char pnfs[32];
	uint64_t pnfs_reads, pnfs_writes;
};

/**
 * struct pin_stats - pages pinned for DMA since boot, in the whole system
 * @acquired:	references taken
 * @released:	references dropped
 */
struct pin_stats {
	uint64_t acquired, released;
};

/**
 * struct server_stats - data operations that the NFS server executed
 * @reads:	READ, all protocol versions
 * @writes:	WRITE, all protocol versions
 * @commits:	COMMIT, all protocol versions
 * @v3_data:	READ and WRITE of NFSv3
 */
struct server_stats {
	uint64_t reads, writes, commits;
	uint64_t v3_data;
};

/* NFS_CAP_P2PDMA: the mount may carry peer-to-peer memory. */
#define CAP_P2PDMA (1ULL << 32)

int nic_stats_parse(FILE *f, struct nic_stats *sum);
int nic_stats_read(struct nic_stats *sum);
int nic_control(const char *command);

int mount_stats_parse(FILE *f, const char *mountpoint, struct mount_stats *st);
int mount_stats_read(const char *mountpoint, struct mount_stats *st);

int pin_stats_parse(FILE *f, struct pin_stats *st);
int pin_stats_read(struct pin_stats *st);

int server_stats_parse(FILE *f, struct server_stats *st);
int server_stats_read(struct server_stats *st);

#endif
