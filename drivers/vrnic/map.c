// SPDX-License-Identifier: GPL-2.0
/*
 * Building and replacing the map of a fabric, see map.h.
 */
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "map.h"

DEFINE_SRCU(vr_srcu);
atomic_t vr_generation = ATOMIC_INIT(0);
static struct workqueue_struct *vr_fabric_wq;
/* Protects vr_fabrics.  Leaf lock. */
static DEFINE_MUTEX(vr_fabrics_lock);
static LIST_HEAD(vr_fabrics);

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

/**
 * vr_map_rebuild - get the current map of a fabric
 * @f: the fabric
 * @force: build a new one even if it is not stale
 *
 * Context: process context, between vr_fabric_enter() and vr_fabric_leave().
 * Return: the map, or NULL if memory ran out.
 */
struct vr_map *vr_map_rebuild(struct vr_fabric *f, bool force)
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
