// SPDX-License-Identifier: GPL-2.0
/*
 * Routing of DMA addresses.  See dma.h for what is decided where.
 */
#include <linux/dma-direct.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/sched/mm.h>
#include <linux/seq_file.h>

#include "map.h"

static struct vr_window *vr_window_find(struct vr_map *map, u64 addr, bool bus)
{
	unsigned int i, n, hint = READ_ONCE(map->last_win);

	for (i = 0; i < map->nr_win; i++) {
		struct vr_window *w;
		u64 start;

		n = hint + i < map->nr_win ? hint + i : hint + i - map->nr_win;
		w = &map->win[n];
		start = bus ? w->bus : w->cpu;
		if ((bus && !w->direct) || addr < start ||
		    addr - start >= w->size)
			continue;
		if (i)
			WRITE_ONCE(map->last_win, n);
		return w;
	}
	return NULL;
}

static const struct vr_ram *vr_ram_find(struct vr_map *map, u64 addr)
{
	unsigned int i, n, hint = READ_ONCE(map->last_ram);

	for (i = 0; i < map->nr_ram; i++) {
		n = hint + i < map->nr_ram ? hint + i : hint + i - map->nr_ram;
		if (addr < map->ram[n].start || addr > map->ram[n].end)
			continue;
		if (i)
			WRITE_ONCE(map->last_ram, n);
		return &map->ram[n];
	}
	return NULL;
}

static void __iomem *vr_window_map(struct vr_fabric *f, struct vr_window *w)
{
	void __iomem *io;
	unsigned int noio;

	/* Pairs with the release below: the page tables come first. */
	io = smp_load_acquire(&w->io);
	if (io)
		return io;
	mutex_lock(&f->lock);
	io = w->io;
	if (!io) {
		noio = memalloc_noio_save();
		io = ioremap(w->cpu, w->size);
		memalloc_noio_restore(noio);
		/* Pairs with the acquire above. */
		smp_store_release(&w->io, io);
	}
	mutex_unlock(&f->lock);
	return io;
}

static int vr_span_window(struct vr_fabric *f, struct vr_window *w, u64 off,
			  size_t len, enum vr_route route, struct vr_span *span)
{
	void __iomem *io = vr_window_map(f, w);

	if (!io) {
		dev_warn_ratelimited(&f->pdev->dev,
				     "DMA fault: cannot map BAR %u of %04x:%02x:%02x.%u; another driver may map it with a different memory type\n",
				     w->bar, w->segment, PCI_BUS_NUM(w->devid),
				     PCI_SLOT(w->devid), PCI_FUNC(w->devid));
		return -EFAULT;
	}
	span->mem = NULL;
	span->io = io + off;
	span->len = min_t(u64, len, w->size - off);
	span->route = route;
	return 0;
}

/*
 * What the root complex makes of @addr.  On success *len is cut to the bytes
 * that are contiguous behind the translation.
 */
static int vr_translate(struct vr_fabric *f, dma_addr_t addr, size_t *len,
			phys_addr_t *phys)
{
	size_t run;

	if (!f->domain) {
		/* We play the inbound side of the host bridge here. */
		*phys = dma_to_phys(&f->pdev->dev, addr);
		return *phys == ~(phys_addr_t)0 ? -EFAULT : 0;
	}
	*phys = iommu_iova_to_phys(f->domain, addr);
	if (!*phys)
		return -EFAULT;
	run = PAGE_SIZE - offset_in_page(addr);
	while (run < *len &&
	       iommu_iova_to_phys(f->domain, addr + run) == *phys + run)
		run += PAGE_SIZE;
	*len = min(*len, run);
	return 0;
}

static int vr_span_phys(struct vr_fabric *f, struct vr_map *map,
			phys_addr_t phys, size_t len, struct vr_span *span)
{
	const struct vr_ram *ram = vr_ram_find(map, phys);
	struct vr_window *w;

	if (ram) {
		span->mem = phys_to_virt(phys);
		span->io = NULL;
		span->len = min_t(u64, len, ram->end - phys + 1);
		span->route = VR_ROUTE_RAM;
		return 0;
	}
	w = vr_window_find(map, phys, false);
	if (w)
		return vr_span_window(f, w, phys - w->cpu, len,
				      VR_ROUTE_P2P_IOMMU, span);
	return -ENXIO;
}

/**
 * vr_fabric_resolve - find what a DMA address of a function leads to
 * @f: the function's fabric
 * @addr: DMA address, as the DMA API returned it for the function
 * @len: number of bytes that are wanted, at least 1
 * @span: filled in with the longest run from @addr that one route leads to, at
 *	  least one byte and at most @len
 *
 * Context: process context, between vr_fabric_enter() and vr_fabric_leave();
 * may sleep to rebuild the map or to map a BAR.
 *
 * Return: 0, or -EFAULT if the address leads nowhere (logged, rate limited) or
 * no memory was left to find out.
 */
int vr_fabric_resolve(struct vr_fabric *f, dma_addr_t addr, size_t len,
		      struct vr_span *span)
{
	struct vr_map *map = srcu_dereference(f->map, &vr_srcu);
	struct vr_window *w;
	phys_addr_t phys;
	size_t run = len;
	int rc;

	if (unlikely(!map || map->generation != atomic_read(&vr_generation)))
		map = vr_map_rebuild(f, false);
	if (unlikely(!map)) {
		dev_warn_ratelimited(&f->pdev->dev,
				     "DMA fault: no memory for the map of PCI windows\n");
		return -EFAULT;
	}

	if (addr >= map->direct_lo && addr <= map->direct_hi) {
		w = vr_window_find(map, addr, true);
		if (w)
			return vr_span_window(f, w, addr - w->bus, len,
					      VR_ROUTE_P2P_BUS, span);
	}

	rc = vr_translate(f, addr, &run, &phys);
	if (rc) {
		dev_warn_ratelimited(&f->pdev->dev,
				     "DMA fault: the IOMMU has no mapping for address %pad\n",
				     &addr);
		return rc;
	}
	rc = vr_span_phys(f, map, phys, run, span);
	if (rc == -ENXIO && page_is_ram(PHYS_PFN(phys))) {
		/* Memory was plugged in since the map was built. */
		map = vr_map_rebuild(f, true);
		rc = map ? vr_span_phys(f, map, phys, run, span) : -EFAULT;
	}
	if (rc == -ENXIO) {
		dev_warn_ratelimited(&f->pdev->dev,
				     "DMA fault: address %pad (physical %pap) is neither memory nor a PCI BAR\n",
				     &addr, &phys);
		rc = -EFAULT;
	}
	return rc;
}

/**
 * vr_fabric_enter - begin to use DMA addresses
 *
 * What vr_fabric_resolve() returns stays mapped until the matching
 * vr_fabric_leave(), whatever happens to the PCI devices behind it.
 *
 * Context: any that may sleep.  Nests.
 * Return: a cookie for vr_fabric_leave().
 */
int vr_fabric_enter(void)
	__acquires(&vr_srcu)
{
	return srcu_read_lock(&vr_srcu);
}

/**
 * vr_fabric_leave - end what vr_fabric_enter() began
 * @idx: the cookie that it returned
 */
void vr_fabric_leave(int idx)
	__releases(&vr_srcu)
{
	srcu_read_unlock(&vr_srcu, idx);
}

/**
 * vr_fabric_show - print where a function can reach to
 * @f: the function's fabric
 * @m: where to print
 *
 * One line a BAR in the machine: how it is reached, its bus and CPU address,
 * size, and function.
 */
void vr_fabric_show(struct vr_fabric *f, struct seq_file *m)
{
	int idx = vr_fabric_enter();
	struct vr_map *map = vr_map_rebuild(f, false);
	unsigned int i;

	for (i = 0; map && i < map->nr_win; i++) {
		struct vr_window *w = &map->win[i];

		seq_printf(m, "window %s bus %#llx cpu %#llx size %#llx %04x:%02x:%02x.%u bar %u%s\n",
			   w->direct ? "p2p_bus" : "p2p_iommu", w->bus, w->cpu,
			   w->size, w->segment, PCI_BUS_NUM(w->devid),
			   PCI_SLOT(w->devid), PCI_FUNC(w->devid), w->bar,
			   w->io ? " used" : "");
	}
	vr_fabric_leave(idx);
}
