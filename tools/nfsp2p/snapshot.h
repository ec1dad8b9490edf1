/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All that a verdict depends on, read once from /proc and /sys.
 *
 * Everything is plain data: after snapshot_load() nothing looks at the machine
 * any more, so verdicts can be computed, tested and repeated on a recorded tree.
 */
#ifndef NFSP2P_SNAPSHOT_H
#define NFSP2P_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>

#include "mount.h"
#include "provider.h"
#include "rdma.h"
#include "topology.h"

/**
 * enum tri - what is known about a fact
 * @TRI_UNKNOWN:	it could not be read
 * @TRI_NO:		it is not so
 * @TRI_YES:		it is so
 */
enum tri {
	TRI_UNKNOWN,
	TRI_NO,
	TRI_YES,
};

/**
 * struct kernel - the running kernel and its NFS modules
 * @release:		as uname -r has it, "" if unknown
 * @major:		first number of @release, 0 if unknown
 * @minor:		second number
 * @nfs:		module nfs is there
 * @rpcrdma:		module rpcrdma is there
 * @series:		nfs is one that can do P2PDMA: it has the parameter p2pdma
 * @enabled:		that parameter, the switch that turns it off
 * @version:		version of module nfs, or its srcversion, or its build id, or ""
 * @series_id:		which series that module has, "" if its version does not say
 * @rpcrdma_version:	version of module rpcrdma, or ""
 * @out_of_tree:	nfs was built outside of the kernel's tree (taint O)
 * @installed:		depmod knows of a module nfs that replaces the kernel's own; only
 *			looked for if the one that is loaded is without @series
 * @bounces:		all DMA through the host bridge is bounced: swiotlb=force
 * @p2pdma:		the kernel is built with CONFIG_PCI_P2PDMA
 * @p2pdma_source:	where that was found
 * @amd_zen:		the CPU is AMD's, of family 0x17 or newer
 * @cpu:		what it is called in messages
 *
 * Sources: Documentation/ABI/testing/sysfs-module, depmod.d(5) for updates/; drivers/pci/p2pdma.c,
 * cpu_supports_p2pdma(); series/7.3/0035 for the parameter.
 */
struct kernel {
	char release[65];
	unsigned int major, minor;
	enum tri nfs, rpcrdma;
	enum tri series, enabled;
	char version[64], series_id[16], rpcrdma_version[64];
	bool out_of_tree, installed, bounces;
	enum tri p2pdma;
	char p2pdma_source[128];
	enum tri amd_zen;
	char cpu[64];
};

/**
 * struct snapshot - one machine at one time
 * @root:		where it was read: "" for this machine, else a folder
 * @kernel:		kernel and CPU
 * @pci:		PCI functions, in order of their names
 * @npci:		how many
 * @providers:		functions that have P2P memory, in order of their names
 * @nproviders:		how many
 * @rnics:		RDMA devices, in order of their names
 * @nrnics:		how many
 * @mounts:		NFS mounts, in the order of mountinfo
 * @nmounts:		how many
 */
struct snapshot {
	char *root;
	struct kernel kernel;
	struct pci_function *pci;
	size_t npci;
	struct provider *providers;
	size_t nproviders;
	struct rnic *rnics;
	size_t nrnics;
	struct nfs_mount *mounts;
	size_t nmounts;
};

int snapshot_load(struct snapshot *s, const char *root);
int snapshot_load_for(struct snapshot *s, const char *root, char *const *paths, size_t n);
void snapshot_free(struct snapshot *s);
const char *snapshot_default_root(void);

#endif
