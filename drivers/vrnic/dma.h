/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The PCIe fabric as one function sees it: where does a DMA address lead?
 *
 * This part knows nothing of RDMA.  It turns a dma_addr_t, as the kernel's DMA
 * API handed it out for a PCI function, into memory that the CPU can copy from
 * or to, taking the decisions in the order in which hardware takes them:
 *
 *  1. A switch between the function and the root complex compares the address
 *     with the windows of its downstream ports.  A match goes straight to the
 *     peer's BAR, unless an Access Control Services (ACS) redirect on the way
 *     sends peer-to-peer requests up (PCIe base specification 6.0, 6.12.1.1).
 *     Which ports and which bits count is decided as in the kernel's
 *     drivers/pci/p2pdma.c, because that is who programmed the address.
 *  2. What reaches the root complex is translated by the IOMMU domain of the
 *     function, if there is a translating one.
 *  3. The result is memory, or the BAR of a device below the host bridge, or
 *     nothing at all: a fault.
 *
 * Bus addresses and CPU physical addresses are two address spaces; step 1
 * works on the former, step 3 on the latter.
 *
 * BARs are accessed through mappings that this code makes itself, not through
 * the ZONE_DEVICE pages of a p2pmem provider.  A real DMA engine knows only
 * addresses too, and it makes the life of a provider's driver independent of
 * ours: while the provider is being unbound, its dying page map can no longer
 * be pinned, although the pages that wait for our DMA to end keep it alive.
 */
#ifndef VRNIC_DMA_H
#define VRNIC_DMA_H

#include <linux/iommu.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/srcu.h>
#include <linux/workqueue.h>

struct seq_file;
struct vr_map;

/**
 * enum vr_route - by which way a DMA address reached its target
 * @VR_ROUTE_RAM:	memory, with or without address translation
 * @VR_ROUTE_P2P_BUS:	a BAR, without leaving the switch
 * @VR_ROUTE_P2P_IOMMU:	a BAR, through the root complex: translated by the
 *			IOMMU or forwarded by the host bridge
 * @VR_ROUTES:		how many there are
 */
enum vr_route {
	VR_ROUTE_RAM,
	VR_ROUTE_P2P_BUS,
	VR_ROUTE_P2P_IOMMU,
	VR_ROUTES,
};

/**
 * struct vr_span - a run of bytes that one route leads to
 * @mem:	the bytes, if @route is %VR_ROUTE_RAM
 * @io:		the bytes, for the other routes
 * @len:	how many
 * @route:	how they were reached
 *
 * Valid until vr_fabric_leave().
 */
struct vr_span {
	void *mem;
	void __iomem *io;
	size_t len;
	enum vr_route route;
};

/**
 * struct vr_fabric - one PCI function's view of the fabric
 * @pdev:	the function
 * @domain:	IOMMU domain that translates its requests, or NULL
 * @map:	windows and memory ranges, rebuilt when stale; RCU (vr_srcu)
 * @lock:	serialises rebuilds of @map and the mapping of its BARs
 * @refresh:	rebuilds @map soon after a change on the PCI bus, so that no
 *		mapping of a removed BAR lingers
 * @node:	member of the list of all fabrics
 */
struct vr_fabric {
	struct pci_dev *pdev;
	struct iommu_domain *domain;
	struct vr_map __rcu *map;
	struct mutex lock; /* see above */
	struct work_struct refresh;
	struct list_head node;
};

/* map.c */
int vr_fabric_module_init(void);
void vr_fabric_module_exit(void);
void vr_fabric_init(struct vr_fabric *f, struct pci_dev *pdev);
void vr_fabric_exit(struct vr_fabric *f);

/* dma.c */
int vr_fabric_enter(void);
void vr_fabric_leave(int idx);
int vr_fabric_resolve(struct vr_fabric *f, dma_addr_t addr, size_t len,
		      struct vr_span *span);
void vr_fabric_show(struct vr_fabric *f, struct seq_file *m);

/* copy.c */
void vr_span_copy(const struct vr_span *dst, const struct vr_span *src,
		  size_t len);
void vr_span_advance(struct vr_span *span, size_t n);

#endif
