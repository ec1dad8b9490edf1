// SPDX-License-Identifier: GPL-2.0
/*
 * Rings of work requests, and posting to them.
 */
#include <linux/slab.h>

#include "vrnic.h"

/**
 * vr_ring_init - allocate a ring
 * @ring: what to set up, zeroed
 * @max_wr: how many requests it must take
 * @max_sge: SGEs of each
 *
 * Return: 0 or -ENOMEM; either way vr_ring_free() is due.
 */
int vr_ring_init(struct vr_ring *ring, u32 max_wr, u32 max_sge)
{
	ring->size = roundup_pow_of_two(max(max_wr, 1U));
	ring->max_wr = max_wr;
	ring->max_sge = max_sge;
	ring->wqe = kvcalloc(ring->size, sizeof(*ring->wqe), GFP_KERNEL);
	ring->sge = kvcalloc((size_t)ring->size * max(max_sge, 1U),
			     sizeof(*ring->sge), GFP_KERNEL);
	return ring->wqe && ring->sge ? 0 : -ENOMEM;
}

/**
 * vr_ring_free - free a ring that nobody uses any more
 * @ring: the ring
 *
 * Requests that were not flushed, as the QP was destroyed before, just go.
 */
void vr_ring_free(struct vr_ring *ring)
{
	for (; ring->tail != ring->head; ring->tail++)
		vr_mr_release(&ring->wqe[ring->tail & (ring->size - 1)]);
	kvfree(ring->wqe);
	kvfree(ring->sge);
}

/**
 * vr_ring_sge - SGEs of an entry
 * @ring: the ring
 * @index: its index, free running
 *
 * Return: the first of them.
 */
struct ib_sge *vr_ring_sge(const struct vr_ring *ring, u32 index)
{
	return &ring->sge[(size_t)(index & (ring->size - 1)) * ring->max_sge];
}

/* The slot to fill in next, or an ERR_PTR.  Under vr_qp.lock. */
static struct vr_wqe *vr_ring_slot(struct vr_ring *ring, u64 wr_id, int nsge,
				   const struct ib_sge *sge)
{
	struct vr_wqe *w = &ring->wqe[ring->head & (ring->size - 1)];

	if (ring->head - ring->tail >= ring->max_wr)
		return ERR_PTR(-ENOMEM);
	if (nsge < 0 || nsge > ring->max_sge)
		return ERR_PTR(-EINVAL);
	w->wr_id = wr_id;
	w->nsge = nsge;
	memcpy(vr_ring_sge(ring, ring->head), sge, nsge * sizeof(*sge));
	return w;
}

/**
 * vr_ring_pop - remove the oldest entry
 * @qp: the QP
 * @ring: a ring of it that the caller is the consumer of
 */
void vr_ring_pop(struct vr_qp *qp, struct vr_ring *ring)
{
	unsigned long flags;

	spin_lock_irqsave(&qp->lock, flags);
	ring->tail++;
	spin_unlock_irqrestore(&qp->lock, flags);
}

/**
 * vr_ring_first - look at the oldest entry
 * @qp: the QP
 * @ring: a ring of it that the caller is the consumer of
 *
 * Return: the entry, which stays the oldest until vr_ring_pop(), or NULL.
 */
struct vr_wqe *vr_ring_first(struct vr_qp *qp, struct vr_ring *ring)
{
	struct vr_wqe *w = NULL;
	unsigned long flags;

	spin_lock_irqsave(&qp->lock, flags);
	if (ring->head != ring->tail)
		w = &ring->wqe[ring->tail & (ring->size - 1)];
	spin_unlock_irqrestore(&qp->lock, flags);
	return w;
}

/**
 * vr_rq_first - the receive that the next message goes to
 * @qp: the receiving QP, whose rx the caller holds
 * @sge: set to its SGEs
 *
 * Return: the receive, to be finished with vr_recv_complete(), or NULL.
 */
struct vr_wqe *vr_rq_first(struct vr_qp *qp, const struct ib_sge **sge)
{
	struct vr_wqe *w = vr_ring_first(qp, &qp->rq);

	if (w)
		*sge = vr_ring_sge(&qp->rq, qp->rq.tail);
	return w;
}

/* --------------------------------------------------------------- posting */

static int vr_send_wqe(struct vr_wqe *w, const struct ib_send_wr *wr)
{
	if (wr->send_flags & IB_SEND_INLINE)
		return -EINVAL;
	w->op = wr->opcode;
	w->flags = wr->send_flags;
	switch (wr->opcode) {
	case IB_WR_RDMA_WRITE:
	case IB_WR_RDMA_READ:
	case IB_WR_RDMA_READ_WITH_INV:
		w->raddr = rdma_wr(wr)->remote_addr;
		w->rkey = rdma_wr(wr)->rkey;
		return 0;
	case IB_WR_SEND:
		return 0;
	case IB_WR_SEND_WITH_INV:
	case IB_WR_LOCAL_INV:
		w->rkey = wr->ex.invalidate_rkey;
		return 0;
	case IB_WR_REG_MR:
		return vr_mr_capture(w, reg_wr(wr));
	default:
		return -EOPNOTSUPP;
	}
}

/**
 * vr_post_send - ib_device_ops.post_send
 * @ibqp: the QP
 * @wr: list of work requests; SEND, SEND_WITH_INV, RDMA_WRITE, RDMA_READ,
 *	RDMA_READ_WITH_INV, REG_MR, LOCAL_INV; no inline data
 * @bad: set to the first request that was not posted, if any
 *
 * In ERR, requests are accepted and flushed.
 *
 * Context: any.
 * Return: 0; -EINVAL for a QP that is not connected or a malformed request,
 * -EOPNOTSUPP for an opcode that does not exist here, -ENOMEM if the queue is
 * full.
 */
int vr_post_send(struct ib_qp *ibqp, const struct ib_send_wr *wr,
		 const struct ib_send_wr **bad)
{
	struct vr_qp *qp = to_vqp(ibqp);
	unsigned long flags;
	int rc = 0;

	spin_lock_irqsave(&qp->lock, flags);
	if (!vr_qp_connected(qp) && qp->state != IB_QPS_ERR)
		rc = -EINVAL;
	for (; wr && !rc; wr = wr->next) {
		struct vr_wqe *w = vr_ring_slot(&qp->sq, wr->wr_id,
						wr->num_sge, wr->sg_list);

		rc = PTR_ERR_OR_ZERO(w);
		if (!rc)
			rc = vr_send_wqe(w, wr);
		if (rc)
			break;
		qp->sq.head++;
	}
	spin_unlock_irqrestore(&qp->lock, flags);
	if (rc)
		*bad = wr;
	queue_work(vr_wq, &qp->work);
	return rc;
}

/**
 * vr_post_recv - ib_device_ops.post_recv
 * @ibqp: the QP
 * @wr: list of receives
 * @bad: set to the first one that was not posted, if any
 *
 * Context: any.
 * Return: 0; -EINVAL in RESET or for too many SGEs; -ENOMEM if the queue is
 * full.
 */
int vr_post_recv(struct ib_qp *ibqp, const struct ib_recv_wr *wr,
		 const struct ib_recv_wr **bad)
{
	struct vr_qp *qp = to_vqp(ibqp);
	struct vr_qp *peer = NULL;
	unsigned long flags;
	bool flush;
	int rc = 0;

	spin_lock_irqsave(&qp->lock, flags);
	if (qp->state == IB_QPS_RESET)
		rc = -EINVAL;
	else if (qp->rq.head == qp->rq.tail && qp->peer)
		peer = qp->peer;
	for (; wr && !rc; wr = wr->next) {
		struct vr_wqe *w = vr_ring_slot(&qp->rq, wr->wr_id,
						wr->num_sge, wr->sg_list);

		rc = PTR_ERR_OR_ZERO(w);
		if (rc)
			break;
		qp->rq.head++;
	}
	/* The link keeps the peer for as long as the lock is held. */
	if (peer)
		queue_work(vr_wq, &peer->work);
	flush = qp->state == IB_QPS_ERR;
	spin_unlock_irqrestore(&qp->lock, flags);
	if (rc)
		*bad = wr;
	if (flush)
		queue_work(vr_wq, &qp->work);
	return rc;
}

