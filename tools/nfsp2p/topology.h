/* SPDX-License-Identifier: GPL-2.0 */
/*
 * PCI functions, what is above them, and which way a transfer between two of
 * them goes.  The rules are those of drivers/pci/p2pdma.c.
 */
#ifndef NFSP2P_TOPOLOGY_H
#define NFSP2P_TOPOLOGY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct snapshot;

/* Not an index of &struct snapshot.pci: none, or not known. */
#define NO_PCI (-1)

/* Bits of the ACS control register, PCIe r6.0, 7.7.11.3, that redirect P2P requests. */
#define ACS_REQUEST_REDIRECT	0x0004
#define ACS_COMPLETION_REDIRECT 0x0008
#define ACS_EGRESS_CONTROL	0x0020
#define ACS_REDIRECTS		(ACS_REQUEST_REDIRECT | ACS_COMPLETION_REDIRECT | ACS_EGRESS_CONTROL)

/**
 * enum acs - what is known about a function's Access Control Services
 * @ACS_UNKNOWN:	its configuration space could not be read beyond 256 bytes,
 *			which only root may
 * @ACS_NONE:		it has no such capability
 * @ACS_THERE:		it has, see &struct pci_function.acs_control
 */
enum acs {
	ACS_UNKNOWN,
	ACS_NONE,
	ACS_THERE,
};

/**
 * struct pci_function - one PCI function
 * @bdf:		its name, "0000:03:00.0"
 * @vendor:		vendor id
 * @device:		device id
 * @driver:		name of the driver that is bound, or ""
 * @numa_node:		its node, or -1
 * @parent:		index of the bridge above it, NO_PCI on a root bus
 * @host:		its host bridge, as sysfs calls it: "pci0000:00"
 * @acs:		what is known about ACS
 * @acs_control:	ACS control register, if @acs is ACS_THERE
 * @root_port:		a PCIe root port: 1; something else: 0; not known: -1
 * @iommu:		type of its IOMMU group's domain ("DMA", "DMA-FQ", "identity"),
 *			"" without an IOMMU
 */
struct pci_function {
	char bdf[20];
	uint16_t vendor, device;
	char driver[32];
	int numa_node;
	int parent;
	char host[24];
	enum acs acs;
	uint16_t acs_control;
	int root_port;
	char iommu[16];
};

/**
 * enum route - the way a transfer between two functions goes
 * @ROUTE_UNKNOWN:	not known
 * @ROUTE_NONE:		not at all, the kernel refuses to map it
 * @ROUTE_BUS:		by PCI bus address, through a switch that both are below
 * @ROUTE_HOST_BRIDGE:	through the host bridge, and the IOMMU if there is one
 * @ROUTE_EITHER:	one of these two; ACS decides, and it could not be read
 */
enum route {
	ROUTE_UNKNOWN,
	ROUTE_NONE,
	ROUTE_BUS,
	ROUTE_HOST_BRIDGE,
	ROUTE_EITHER,
};

#define MAX_REDIRECTS 16

/**
 * struct path - how two functions reach each other
 * @route:		the way
 * @common:		index of the bridge (or function) that both are below, NO_PCI if none
 * @distance:		how many links are between them, as the kernel counts them
 * @redirects:		indices of the functions on the way that redirect by ACS
 * @nredirects:		how many, not more than MAX_REDIRECTS
 * @acs_unknown:	a function on the way whose ACS could not be read, or NO_PCI
 * @bridge:		index of the function that stands for the host bridge that is not on
 *			the kernel's list, NO_PCI if there is none, or it is not known
 * @other_host:		the two are below different host bridges
 */
struct path {
	enum route route;
	int common;
	unsigned int distance;
	int redirects[MAX_REDIRECTS];
	size_t nredirects;
	int acs_unknown;
	int bridge;
	bool other_host;
};

int topology_load(struct snapshot *s);
bool pci_is_name(const char *text);
int pci_find(const struct snapshot *s, const char *bdf);
int pci_of_path(const struct snapshot *s, const char *path);
int pci_of_block(const struct snapshot *s, unsigned int major, unsigned int minor);
void topology_path(const struct snapshot *s, int provider, int client, struct path *path);

#endif
