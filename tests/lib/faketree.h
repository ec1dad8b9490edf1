/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Recorded trees that nobody had to record: /proc and /sys of made-up machines, for
 * tests of tools/nfsp2p.
 */
#ifndef TESTS_FAKETREE_H
#define TESTS_FAKETREE_H

#include <stdbool.h>
#include <stdint.h>

#define NO_ACS (-1)

/**
 * struct faketree - a tree in a folder of its own
 * @root:	the folder
 * @mounts:	how many mounts it has
 */
struct faketree {
	char root[32];
	unsigned int mounts;
};

/**
 * enum fake_port - what a PCI function is
 * @FAKE_ENDPOINT:	a device
 * @FAKE_ROOT_PORT:	a PCIe root port
 * @FAKE_SWITCH_PORT:	a port of a PCIe switch
 * @FAKE_OLD_PCI:	something without PCIe, such as a host bridge
 */
enum fake_port {
	FAKE_ENDPOINT,
	FAKE_ROOT_PORT,
	FAKE_SWITCH_PORT,
	FAKE_OLD_PCI,
};

/**
 * struct fake_pci - a PCI function
 * @path:	below sys/devices: "pci0000:00/0000:00:01.0/0000:01:00.0"
 * @vendor:	vendor id
 * @device:	device id
 * @driver:	driver, NULL for none
 * @port:	what it is
 * @acs:	ACS control register, NO_ACS without the capability
 * @user:	show only what the kernel shows to users: 64 bytes
 * @iommu:	type of its domain, NULL without an IOMMU
 */
struct fake_pci {
	const char *path;
	unsigned int vendor, device;
	const char *driver;
	enum fake_port port;
	int acs;
	bool user;
	const char *iommu;
};

/**
 * struct fake_mount - an NFS mount
 * @target:	where it is mounted, as mountinfo writes it
 * @proto:	"rdma" or "tcp"
 * @sec:	security flavour, NULL for sys
 * @pnfs:	layout driver, NULL without pNFS
 * @caps:	capabilities
 * @p2pdma:	state of its transport: the number, -1 on a kernel without the series
 * @read:	bytes counted
 * @localio:	the server is local
 */
struct fake_mount {
	const char *target, *proto, *sec, *pnfs;
	uint64_t caps;
	int p2pdma;
	uint64_t read;
	bool localio;
};

void fake_open(struct faketree *t);
void fake_close(struct faketree *t);
void fake_file(const struct faketree *t, const char *path, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void fake_bytes(const struct faketree *t, const char *path, const void *data, unsigned long n);
void fake_append(const struct faketree *t, const char *path, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void fake_link(const struct faketree *t, const char *path, const char *target);

void fake_kernel(const struct faketree *t, const char *release, bool series);
void fake_cpu(const struct faketree *t, const char *vendor, unsigned int family, const char *model);
void fake_pci(const struct faketree *t, const struct fake_pci *f);
void fake_p2pmem(const struct faketree *t, const char *path, uint64_t size, bool published);
void fake_rnic(const struct faketree *t, const char *name, const char *path);
void fake_mount(struct faketree *t, const struct fake_mount *m);

#endif
