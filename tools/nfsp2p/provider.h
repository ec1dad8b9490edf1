/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Providers: PCI functions whose drivers offer memory for P2PDMA.
 * Source of the attributes: Documentation/ABI/testing/sysfs-bus-pci, p2pmem/.
 */
#ifndef NFSP2P_PROVIDER_H
#define NFSP2P_PROVIDER_H

#include <stdbool.h>
#include <stdint.h>

struct snapshot;

/**
 * enum access - may this process map a provider's memory?
 * @ACCESS_OK:		yes
 * @ACCESS_DENIED:	it may not open p2pmem/allocate for reading and writing
 * @ACCESS_ABSENT:	there is no p2pmem/allocate: the kernel is older than 6.2
 */
enum access {
	ACCESS_OK,
	ACCESS_DENIED,
	ACCESS_ABSENT,
};

/**
 * struct provider - P2P memory of one PCI function
 * @bdf:		name of the function
 * @pci:		index of the function in &struct snapshot.pci
 * @size:		all of its memory, in bytes
 * @available:		what is free, in bytes; may be in pieces
 * @published:		its driver lets others use the memory
 * @access:		may this process map it?
 */
struct provider {
	char bdf[20];
	int pci;
	uint64_t size, available;
	bool published;
	enum access access;
};

int provider_load(struct snapshot *s);
const struct provider *provider_find(const struct snapshot *s, const char *bdf);

#endif
