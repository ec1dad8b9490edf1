// SPDX-License-Identifier: GPL-2.0
/*
 * Routing of DMA addresses and the copy engine.  See dma.h for what is decided
 * where.
 *
 * Every fabric owns a map: the BARs of all PCI functions with their bus and
 * CPU addresses and whether they can be reached without the root complex, and
 * the ranges of system memory.  A map never changes, except that the mapping
 * of a BAR is filled in at its first use.  Anything that may move a BAR (a PCI
 * function or its driver coming or going) raises vr_generation; a map of an
 * older generation is replaced before it is used again.
 *
 * Readers are the data movers, which sleep (they copy megabytes and reschedule
 * in between), hence SRCU and not RCU.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/dma-direct.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/sched/mm.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/unaligned.h>

#include "dma.h"

/*
 * @direct: reachable by bus address, below the root complex
 * @io:	    mapping of the whole BAR; written once, under the fabric's lock
 */
struct vr_window {
	u64 bus;
	u64 cpu;
	u64 size;
	bool direct;
	void __iomem *io;
	unsigned int segment;
	u16 devid;
	u8 bar;
};

struct vr_ram {
	u64 start;
	u64 end;
};

/*
 * @direct_lo, @direct_hi: hull of all direct windows, so that an address in
 *			   memory costs two compares and no search
 * @last_win, @last_ram:   where the previous search ended; only hints, so
 *			   racing writers do no harm
 */
struct vr_map {
	unsigned int generation;
	unsigned int nr_win;
	unsigned int nr_ram;
	unsigned int max_ram;
	unsigned int last_win;
	unsigned int last_ram;
	u64 direct_lo;
	u64 direct_hi;
	struct vr_window *win;
	struct vr_ram *ram;
	struct rcu_head rcu;
	struct work_struct free;
};

DEFINE_STATIC_SRCU(vr_srcu);
static struct workqueue_struct *vr_fabric_wq;
static atomic_t vr_generation = ATOMIC_INIT(0);
/* Protects vr_fabrics.  Leaf lock. */
static DEFINE_MUTEX(vr_fabrics_lock);
static LIST_HEAD(vr_fabrics);

/* ------------------------------------------------- building and freeing */

static void vr_map_free(struct vr_map *map)
{
	unsigned int i;

	if (!map)
		return;
	for (i = 0; map->win && i < map->nr_win; i++)
		if (map->win[i].io)
			iounmap(map->win[i].io);
	kvfree(map->win);
	kvfree(map->ram);
	kfree(map);
}

static void vr_map_free_work(struct work_struct *work)
{
	vr_map_free(container_of(work, struct vr_map, free));
}

/* iounmap() sleeps and SRCU callbacks may not, so it takes a second step. */
static void vr_map_free_rcu(struct rcu_head *rcu)
{
	struct vr_map *map = container_of(rcu, struct vr_map, rcu);

	INIT_WORK(&map->free, vr_map_free_work);
	queue_work(vr_fabric_wq, &map->free);
}

static bool vr_acs_redirects(struct pci_dev *pdev)
{
	u16 ctrl;

	if (!pdev->acs_cap)
		return false;
	if (pci_read_config_word(pdev, pdev->acs_cap + PCI_ACS_CTRL, &ctrl))
		return true;
	return ctrl & (PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_EC);
}

static bool vr_is_upstream_of(struct pci_dev *bridge, struct pci_dev *pdev)
{
	for (; pdev; pdev = pci_upstream_bridge(pdev))
		if (pdev == bridge)
			return true;
	return false;
}

/*
 * Do requests of @client get to @target without passing the root complex?
 * Both hold their upstream bridges, so the walk needs no references.
 */
static bool vr_reaches_directly(struct pci_dev *client, struct pci_dev *target)
{
	struct pci_dev *meet, *p;

	for (meet = target; meet; meet = pci_upstream_bridge(meet)) {
		if (vr_is_upstream_of(meet, client))
			break;
		if (vr_acs_redirects(meet))
			return false;
	}
	if (!meet)
		return false;
	for (p = client; p != meet; p = pci_upstream_bridge(p))
		if (vr_acs_redirects(p))
			return false;
	return true;
}

static bool vr_bar_is_window(struct pci_dev *pdev, int bar)
{
	unsigned long flags = pci_resource_flags(pdev, bar);

	return (flags & IORESOURCE_MEM) && !(flags & IORESOURCE_UNSET) &&
	       pci_resource_len(pdev, bar);
}

/* Fill in the BARs of @pdev, at most up to @max windows in total. */
static void vr_map_add_bars(struct vr_map *map, struct vr_fabric *f,
			    struct pci_dev *pdev, unsigned int max)
{
	bool direct = vr_reaches_directly(f->pdev, pdev);
	int bar;

	for (bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
		struct vr_window *w = &map->win[map->nr_win];

		if (!vr_bar_is_window(pdev, bar) || map->nr_win == max)
			continue;
		w->bus = pci_bus_address(pdev, bar);
		w->cpu = pci_resource_start(pdev, bar);
		w->size = pci_resource_len(pdev, bar);
		w->direct = direct;
		w->segment = pci_domain_nr(pdev->bus);
		w->devid = pci_dev_id(pdev);
		w->bar = bar;
		map->nr_win++;
		if (direct) {
			map->direct_lo = min(map->direct_lo, w->bus);
			map->direct_hi = max(map->direct_hi,
					     w->bus + w->size - 1);
		}
	}
}

static int vr_ram_count(struct resource *res, void *arg)
{
	struct vr_map *map = arg;

	map->max_ram++;
	return 0;
}

static int vr_ram_add(struct resource *res, void *arg)
{
	struct vr_map *map = arg;

	/* More memory than was counted: the miss will have the map rebuilt. */
	if (map->nr_ram == map->max_ram)
		return 1;
	map->ram[map->nr_ram].start = res->start;
	map->ram[map->nr_ram].end = res->end;
	map->nr_ram++;
	return 0;
}

static int vr_map_add_ram(struct vr_map *map)
{
	const unsigned long flags = IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY;

	walk_iomem_res_desc(IORES_DESC_NONE, flags, 0, U64_MAX, map,
			    vr_ram_count);
	map->ram = kvcalloc(map->max_ram, sizeof(*map->ram), GFP_KERNEL);
	if (!map->ram)
		return -ENOMEM;
	walk_iomem_res_desc(IORES_DESC_NONE, flags, 0, U64_MAX, map,
			    vr_ram_add);
	return 0;
}

static struct vr_map *vr_map_build(struct vr_fabric *f)
{
	struct pci_dev *pdev = NULL;
	unsigned int max = 0;
	struct vr_map *map;
	int bar;

	map = kzalloc_obj(*map);
	if (!map)
		return NULL;
	/* Read first: a change during the scan makes this map stale at once. */
	map->generation = atomic_read(&vr_generation);
	map->direct_lo = U64_MAX;

	for_each_pci_dev(pdev)
		for (bar = 0; bar < PCI_STD_NUM_BARS; bar++)
			max += vr_bar_is_window(pdev, bar);
	map->win = kvcalloc(max + 1, sizeof(*map->win), GFP_KERNEL);
	if (!map->win || vr_map_add_ram(map)) {
		vr_map_free(map);
		return NULL;
	}
	for_each_pci_dev(pdev)
		vr_map_add_bars(map, f, pdev, max);
	return map;
}

/* Replace the map of @f if it is stale; NULL if memory ran out. */
static struct vr_map *vr_map_rebuild(struct vr_fabric *f, bool force)
{
	struct vr_map *old, *new;
	unsigned int noio;

	mutex_lock(&f->lock);
	old = rcu_dereference_protected(f->map, lockdep_is_held(&f->lock));
	new = old;
	if (force || !old ||
	    old->generation != atomic_read(&vr_generation)) {
		/* Swap-out may wait for the very request that we route. */
		noio = memalloc_noio_save();
		new = vr_map_build(f);
		memalloc_noio_restore(noio);
		rcu_assign_pointer(f->map, new);
		if (old)
			call_srcu(&vr_srcu, &old->rcu, vr_map_free_rcu);
	}
	mutex_unlock(&f->lock);
	return new;
}

static void vr_refresh_work(struct work_struct *work)
{
	struct vr_fabric *f = container_of(work, struct vr_fabric, refresh);
	int idx = vr_fabric_enter();

	vr_map_rebuild(f, false);
	vr_fabric_leave(idx);
}

/* --------------------------------------------------------------- routing */

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

/* ------------------------------------------------------------ life cycle */

static int vr_pci_event(struct notifier_block *nb, unsigned long event,
			void *data)
{
	struct vr_fabric *f;

	switch (event) {
	case BUS_NOTIFY_ADD_DEVICE:
	case BUS_NOTIFY_REMOVED_DEVICE:
	case BUS_NOTIFY_BOUND_DRIVER:
	case BUS_NOTIFY_UNBOUND_DRIVER:
		break;
	default:
		return NOTIFY_DONE;
	}
	atomic_inc(&vr_generation);
	mutex_lock(&vr_fabrics_lock);
	list_for_each_entry(f, &vr_fabrics, node)
		queue_work(vr_fabric_wq, &f->refresh);
	mutex_unlock(&vr_fabrics_lock);
	return NOTIFY_OK;
}

static struct notifier_block vr_pci_nb = {
	.notifier_call = vr_pci_event,
};

/**
 * vr_fabric_init - set up the view of a function
 * @f: what to set up, owned by the caller
 * @pdev: the function; a driver must be bound to it until vr_fabric_exit(),
 *	  which is what keeps its IOMMU domain in place
 *
 * Context: process context.
 */
void vr_fabric_init(struct vr_fabric *f, struct pci_dev *pdev)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(&pdev->dev);

	f->pdev = pdev;
	/* An identity domain is as good as none; a blocking one is not. */
	f->domain = domain && domain->type != IOMMU_DOMAIN_IDENTITY ?
		    domain : NULL;
	RCU_INIT_POINTER(f->map, NULL);
	mutex_init(&f->lock);
	INIT_WORK(&f->refresh, vr_refresh_work);
	mutex_lock(&vr_fabrics_lock);
	list_add_tail(&f->node, &vr_fabrics);
	mutex_unlock(&vr_fabrics_lock);
}

/**
 * vr_fabric_exit - tear down the view of a function
 * @f: what to tear down; no caller of vr_fabric_resolve() may be left
 *
 * Context: process context, sleeps.
 */
void vr_fabric_exit(struct vr_fabric *f)
{
	mutex_lock(&vr_fabrics_lock);
	list_del(&f->node);
	mutex_unlock(&vr_fabrics_lock);
	cancel_work_sync(&f->refresh);
	vr_map_free(rcu_replace_pointer(f->map, NULL, true));
	mutex_destroy(&f->lock);
}

/**
 * vr_fabric_module_init - prepare this file for use
 *
 * Return: 0 or a negative errno.
 */
int vr_fabric_module_init(void)
{
	int rc;

	vr_fabric_wq = alloc_workqueue("vrnic_fabric", WQ_UNBOUND, 0);
	if (!vr_fabric_wq)
		return -ENOMEM;
	rc = bus_register_notifier(&pci_bus_type, &vr_pci_nb);
	if (rc)
		destroy_workqueue(vr_fabric_wq);
	return rc;
}

/**
 * vr_fabric_module_exit - the reverse, after the last vr_fabric_exit()
 */
void vr_fabric_module_exit(void)
{
	bus_unregister_notifier(&pci_bus_type, &vr_pci_nb);
	/* Callbacks queue work; the queue is drained as it is destroyed. */
	srcu_barrier(&vr_srcu);
	destroy_workqueue(vr_fabric_wq);
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
