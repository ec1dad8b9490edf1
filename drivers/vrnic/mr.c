// SPDX-License-Identifier: GPL-2.0
/*
 * Memory regions and the SGE lists that use them.
 *
 * Only fast registration is offered; plain DMA addresses need no region thanks
 * to the local DMA lkey.
 *
 * The page list of a registration changes hands: map_mr_sg() fills in the
 * staging list, posting REG_MR moves it into the work request, executing it
 * makes it the active list, and the next invalidation gives it back.  A
 * map_mr_sg() for the next use can thus never be seen through a registration
 * that is still in force.
 */
#include <linux/slab.h>

#include "vrnic.h"

static struct vr_pagelist *vr_pagelist_alloc(struct vr_mr *mr, gfp_t gfp)
{
	struct vr_pagelist *pl;

	return kmalloc(struct_size(pl, page, mr->max_pages), gfp);
}

static void vr_pagelist_recycle(struct vr_mr *mr, struct vr_pagelist *pl)
{
	unsigned long flags;

	if (!pl)
		return;
	spin_lock_irqsave(&mr->lock, flags);
	if (!mr->spare)
		swap(mr->spare, pl);
	spin_unlock_irqrestore(&mr->lock, flags);
	kfree(pl);
}

static void vr_mr_free(struct kref *kref)
{
	struct vr_mr *mr = container_of(kref, struct vr_mr, kref);

	kfree(mr->staging);
	kfree(mr->spare);
	kfree(mr->active);
	kfree(mr);
}

/**
 * vr_alloc_mr - ib_device_ops.alloc_mr
 * @pd: protection domain
 * @type: must be %IB_MR_TYPE_MEM_REG; there are no gaps and no integrity data
 * @max: pages it must be able to hold
 *
 * Return: the region or an ERR_PTR.
 */
struct ib_mr *vr_alloc_mr(struct ib_pd *pd, enum ib_mr_type type, u32 max)
{
	struct vr_dev *d = to_vdev(pd->device);
	struct vr_mr *mr;
	u32 id;
	int rc;

	if (type != IB_MR_TYPE_MEM_REG)
		return ERR_PTR(-EOPNOTSUPP);
	if (!max || max > vr_max_fr)
		return ERR_PTR(-EINVAL);
	mr = kzalloc_obj(*mr);
	if (!mr)
		return ERR_PTR(-ENOMEM);
	mr->dev = d;
	mr->max_pages = max;
	/* The core sets it too, but only after the region can be looked up. */
	mr->ibmr.pd = pd;
	kref_init(&mr->kref);
	spin_lock_init(&mr->lock);
	init_waitqueue_head(&mr->wait);
	mr->staging = vr_pagelist_alloc(mr, GFP_KERNEL);
	mr->spare = vr_pagelist_alloc(mr, GFP_KERNEL);
	rc = -ENOMEM;
	if (!mr->staging || !mr->spare)
		goto err;
	mr->staging->npages = 0;
	rc = xa_alloc(&d->mrs, &id, mr, XA_LIMIT(1, 0xffffff), GFP_KERNEL);
	if (rc)
		goto err;
	mr->stag = id << 8;
	mr->ibmr.lkey = mr->stag;
	mr->ibmr.rkey = mr->stag;
	return &mr->ibmr;
err:
	kref_put(&mr->kref, vr_mr_free);
	return ERR_PTR(rc);
}

/**
 * vr_get_dma_mr - ib_device_ops.get_dma_mr, refused
 * @pd: protection domain
 * @access: rights
 *
 * Nobody needs it, as IBK_LOCAL_DMA_LKEY is offered, but for a global rkey,
 * which would let a peer write anywhere.
 *
 * Return: ERR_PTR(-EOPNOTSUPP).
 */
struct ib_mr *vr_get_dma_mr(struct ib_pd *pd, int access)
{
	ibdev_warn_ratelimited(pd->device,
			       "all-memory regions (IB_PD_UNSAFE_GLOBAL_RKEY) are not supported; use fast registration\n");
	return ERR_PTR(-EOPNOTSUPP);
}

/**
 * vr_reg_user_mr - ib_device_ops.reg_user_mr, refused: there are no user verbs
 * @pd: unused
 * @start: unused
 * @len: unused
 * @va: unused
 * @access: unused
 * @dmah: unused
 * @udata: unused
 *
 * It exists because the core wants it from a provider of kernel verbs.
 *
 * Return: ERR_PTR(-EOPNOTSUPP).
 */
struct ib_mr *vr_reg_user_mr(struct ib_pd *pd, u64 start, u64 len, u64 va,
			     int access, VR_DMAH struct ib_udata *udata)
{
	return ERR_PTR(-EOPNOTSUPP);
}

/**
 * vr_dereg_mr - ib_device_ops.dereg_mr
 * @ibmr: the region
 * @udata: unused
 *
 * Returns when no data moves through the region any more.  REG_MR requests for
 * it that are still queued will fail.
 *
 * Return: 0.
 */
int vr_dereg_mr(struct ib_mr *ibmr, struct ib_udata *udata)
{
	struct vr_mr *mr = to_vmr(ibmr);
	struct vr_dev *d = mr->dev;

	xa_lock(&d->mrs);
	mr->valid = false;
	mr->dead = true;
	__xa_erase(&d->mrs, mr->stag >> 8);
	xa_unlock(&d->mrs);
	wait_event(mr->wait, !atomic_read(&mr->users));
	kref_put(&mr->kref, vr_mr_free);
	return 0;
}

static int vr_set_page(struct ib_mr *ibmr, u64 addr)
{
	struct vr_mr *mr = to_vmr(ibmr);

	if (mr->staging->npages == mr->max_pages)
		return -ENOMEM;
	mr->staging->page[mr->staging->npages++] = addr;
	return 0;
}

static bool vr_mr_refused(struct vr_mr *mr, struct scatterlist *sgl, int n)
{
	struct scatterlist *sg;
	int i;

	if (likely(!READ_ONCE(to_vdev(mr->ibmr.device)->refuse_p2p)))
		return false;
	for_each_sg(sgl, sg, n, i)
		if (sg_dma_is_bus_address(sg))
			return true;
	return false;
}

/**
 * vr_map_mr_sg - ib_device_ops.map_mr_sg
 * @ibmr: the region, which the caller owns until REG_MR is posted
 * @sg: DMA-mapped scatterlist
 * @n: its length
 * @off: offset into its first entry, or NULL
 *
 * Context: any.  Allocates, atomically, only if more than one registration of
 * this region is in flight.
 *
 * Return: number of entries taken, or a negative errno: -EINVAL for a page size
 * that is not supported, or while told to refuse_p2p, -ENOMEM.
 */
int vr_map_mr_sg(struct ib_mr *ibmr, struct scatterlist *sg, int n,
		 unsigned int *off)
{
	struct vr_mr *mr = to_vmr(ibmr);
	unsigned long flags;

	if (!is_power_of_2(ibmr->page_size) || ibmr->page_size < SZ_4K)
		return -EINVAL;
	if (vr_mr_refused(mr, sg, n))
		return -EINVAL;
	spin_lock_irqsave(&mr->lock, flags);
	if (!mr->staging)
		swap(mr->staging, mr->spare);
	spin_unlock_irqrestore(&mr->lock, flags);
	if (!mr->staging)
		mr->staging = vr_pagelist_alloc(mr, GFP_ATOMIC | __GFP_NOWARN);
	if (!mr->staging)
		return -ENOMEM;
	mr->staging->npages = 0;
	mr->staging->shift = ilog2(ibmr->page_size);
	return ib_sg_to_pages(ibmr, sg, n, off, vr_set_page);
}

/**
 * vr_mr_capture - take over a registration as it is being posted
 * @w: work request to fill in
 * @wr: what the caller posts
 *
 * The caller may change address and length of the region after map_mr_sg(), but
 * not the offset into the first page; what counts is what they are now.
 *
 * Context: any; the QP's lock is held.
 * Return: 0, or -EINVAL if there is nothing to register.
 */
int vr_mr_capture(struct vr_wqe *w, const struct ib_reg_wr *wr)
{
	struct vr_mr *mr = to_vmr(wr->mr);
	struct vr_pagelist *pl;
	u64 first;

	spin_lock(&mr->lock);
	pl = mr->staging;
	if (!pl || !pl->npages) {
		spin_unlock(&mr->lock);
		return -EINVAL;
	}
	first = mr->ibmr.iova & ((1ULL << pl->shift) - 1);
	if (first + mr->ibmr.length > (u64)pl->npages << pl->shift) {
		spin_unlock(&mr->lock);
		return -EINVAL;
	}
	mr->staging = NULL;
	spin_unlock(&mr->lock);

	kref_get(&mr->kref);
	w->mr = mr;
	w->pl = pl;
	w->rkey = wr->key;
	w->raddr = mr->ibmr.iova;
	w->len = mr->ibmr.length;
	w->access = wr->access;
	return 0;
}

/**
 * vr_mr_release - drop what a work request holds of a registration
 * @w: the work request; nothing happens if it holds nothing
 */
void vr_mr_release(struct vr_wqe *w)
{
	if (!w->mr)
		return;
	vr_pagelist_recycle(w->mr, w->pl);
	kref_put(&w->mr->kref, vr_mr_free);
	w->mr = NULL;
	w->pl = NULL;
}

/**
 * vr_mr_register - execute REG_MR
 * @w: the work request; its page list passes to the region
 * @pd: protection domain of the QP
 *
 * Return: false if the region is in use or dead, of another protection domain,
 * or the new key names another region.
 */
bool vr_mr_register(struct vr_wqe *w, struct ib_pd *pd)
{
	struct vr_mr *mr = w->mr;
	struct vr_dev *d = mr->dev;
	bool ok;

	xa_lock(&d->mrs);
	ok = !mr->valid && !mr->dead && !atomic_read(&mr->users) &&
	     mr->ibmr.pd == pd && !((w->rkey ^ mr->stag) >> 8);
	if (ok) {
		/* An active list stays until here if nobody invalidated it. */
		swap(mr->active, w->pl);
		mr->stag = w->rkey;
		mr->iova = w->raddr;
		mr->len = w->len;
		mr->access = w->access;
		mr->valid = true;
	}
	xa_unlock(&d->mrs);
	return ok;
}

/* A data mover enters @stag at @addr; NULL if it may not. */
static struct vr_mr *vr_mr_get(struct vr_dev *d, struct ib_pd *pd, u32 stag,
			       u64 addr, u64 len, int access)
{
	struct vr_mr *mr;

	xa_lock(&d->mrs);
	mr = xa_load(&d->mrs, stag >> 8);
	if (mr && mr->valid && mr->stag == stag && mr->ibmr.pd == pd &&
	    (mr->access & access) == access && addr >= mr->iova &&
	    len <= mr->len && addr - mr->iova <= mr->len - len) {
		kref_get(&mr->kref);
		atomic_inc(&mr->users);
	} else {
		mr = NULL;
	}
	xa_unlock(&d->mrs);
	return mr;
}

/*
 * The reference is kept past the wakeup: whoever waits for the last user may
 * be about to free the region.
 */
static void vr_mr_put(struct vr_mr *mr)
{
	if (atomic_dec_and_test(&mr->users) && wq_has_sleeper(&mr->wait))
		wake_up_all(&mr->wait);
	kref_put(&mr->kref, vr_mr_free);
}

/**
 * vr_mr_invalidate - execute the invalidation of an STag
 * @d: the device of the region
 * @pd: protection domain of the QP
 * @stag: the STag, which may be invalid already
 *
 * Returns when no data moves through the region any more.  The caller must not
 * be in it itself.
 *
 * Return: false if there is no such STag in this protection domain.
 */
bool vr_mr_invalidate(struct vr_dev *d, struct ib_pd *pd, u32 stag)
{
	struct vr_pagelist *pl = NULL;
	struct vr_mr *mr;

	xa_lock(&d->mrs);
	mr = xa_load(&d->mrs, stag >> 8);
	if (!mr || mr->stag != stag || mr->ibmr.pd != pd) {
		xa_unlock(&d->mrs);
		return false;
	}
	mr->valid = false;
	kref_get(&mr->kref);
	xa_unlock(&d->mrs);

	wait_event(mr->wait, !atomic_read(&mr->users));

	/* Another invalidation and a registration may have overtaken us. */
	xa_lock(&d->mrs);
	if (!mr->valid && !atomic_read(&mr->users))
		swap(mr->active, pl);
	xa_unlock(&d->mrs);
	vr_pagelist_recycle(mr, pl);
	kref_put(&mr->kref, vr_mr_free);
	return true;
}

/**
 * vr_sgl_get - validate a list of SGEs and enter its regions
 * @sgl: what to set up
 * @d: the device
 * @pd: protection domain of the QP
 * @sge: the SGEs, which must stay until vr_sgl_put()
 * @nsge: how many, at most %VR_MAX_SGE
 * @access: rights that are needed; if they are IB_ACCESS_REMOTE_*, then plain
 *	    DMA addresses are refused
 *
 * Return: 0, or -EACCES, and then nothing is held.
 */
int vr_sgl_get(struct vr_sgl *sgl, struct vr_dev *d, struct ib_pd *pd,
	       const struct ib_sge *sge, unsigned int nsge, int access)
{
	const bool local = !(access & (IB_ACCESS_REMOTE_READ |
				       IB_ACCESS_REMOTE_WRITE));

	sgl->dev = d;
	sgl->sge = sge;
	sgl->len = 0;
	sgl->cur = 0;
	sgl->off = 0;
	for (sgl->nsge = 0; sgl->nsge < nsge; sgl->nsge++, sge++) {
		struct vr_mr *mr = NULL;

		/* The keys of empty SGEs are not checked, says the verbs. */
		if (sge->length &&
		    !(local && sge->lkey == d->ibdev.local_dma_lkey)) {
			mr = vr_mr_get(d, pd, sge->lkey, sge->addr,
				       sge->length, access);
			if (!mr) {
				vr_sgl_put(sgl);
				return -EACCES;
			}
		}
		sgl->mr[sgl->nsge] = mr;
		sgl->len += sge->length;
	}
	return 0;
}

/**
 * vr_sgl_put - leave the regions of an SGE list
 * @sgl: the list; putting it twice is harmless
 */
void vr_sgl_put(struct vr_sgl *sgl)
{
	while (sgl->nsge) {
		struct vr_mr *mr = sgl->mr[--sgl->nsge];

		if (mr)
			vr_mr_put(mr);
	}
}

/**
 * vr_sgl_run - DMA address at the cursor
 * @sgl: the list
 * @addr: set to that address
 *
 * Return: number of bytes that are contiguous from there, 0 at the end.
 */
size_t vr_sgl_run(struct vr_sgl *sgl, dma_addr_t *addr)
{
	const struct vr_pagelist *pl;
	const struct ib_sge *sge;
	struct vr_mr *mr;
	size_t run, left;
	u64 pos, size;
	u32 i;

	while (sgl->cur < sgl->nsge &&
	       sgl->off == sgl->sge[sgl->cur].length) {
		sgl->cur++;
		sgl->off = 0;
	}
	if (sgl->cur == sgl->nsge)
		return 0;

	sge = &sgl->sge[sgl->cur];
	mr = sgl->mr[sgl->cur];
	left = sge->length - sgl->off;
	if (!mr) {
		*addr = sge->addr + sgl->off;
		return left;
	}
	pl = mr->active;
	size = 1ULL << pl->shift;
	pos = sge->addr + sgl->off - mr->iova + (mr->iova & (size - 1));
	i = pos >> pl->shift;
	*addr = pl->page[i] + (pos & (size - 1));
	for (run = size - (pos & (size - 1)); run < left; run += size, i++)
		if (pl->page[i + 1] != pl->page[i] + size)
			break;
	return min(run, left);
}

/**
 * vr_sgl_advance - move the cursor
 * @sgl: the list
 * @n: by how many bytes, not more than vr_sgl_run() returned
 */
void vr_sgl_advance(struct vr_sgl *sgl, size_t n)
{
	sgl->off += n;
}
