// SPDX-License-Identifier: GPL-2.0
/*
 * Completion queues.
 */
#include <linux/bottom_half.h>
#include <linux/slab.h>

#include "vrnic.h"

/**
 * vr_create_cq - ib_device_ops.create_cq
 * @ibcq: what to set up
 * @attr: number of entries wanted; no flags are supported
 * @attrs: must be NULL, there are no user verbs
 *
 * Return: 0 or a negative errno.
 */
int vr_create_cq(struct ib_cq *ibcq, const struct ib_cq_init_attr *attr,
		 struct uverbs_attr_bundle *attrs)
{
	struct vr_cq *cq = to_vcq(ibcq);

	if (attrs || attr->flags)
		return -EOPNOTSUPP;
	if (attr->cqe < 1 || attr->cqe > VR_MAX_CQE)
		return -EINVAL;
	spin_lock_init(&cq->lock);
	cq->size = roundup_pow_of_two(attr->cqe);
	cq->q = kvcalloc(cq->size, sizeof(*cq->q), GFP_KERNEL);
	if (!cq->q)
		return -ENOMEM;
	/* Not more than asked for: a miscounting user is to be found here. */
	ibcq->cqe = attr->cqe;
	return 0;
}

/**
 * vr_destroy_cq - ib_device_ops.destroy_cq
 * @ibcq: the queue; the core has seen to it that no QP uses it any more
 * @udata: unused
 *
 * Return: 0.
 */
int vr_destroy_cq(struct ib_cq *ibcq, struct ib_udata *udata)
{
	kvfree(to_vcq(ibcq)->q);
	return 0;
}

/**
 * vr_poll_cq - ib_device_ops.poll_cq
 * @ibcq: the queue
 * @n: how many completions to return at most
 * @wc: where to
 *
 * Context: any.
 * Return: how many there were.
 */
int vr_poll_cq(struct ib_cq *ibcq, int n, struct ib_wc *wc)
{
	struct vr_cq *cq = to_vcq(ibcq);
	unsigned long flags;
	int i;

	spin_lock_irqsave(&cq->lock, flags);
	for (i = 0; i < n && cq->head != cq->tail; i++)
		wc[i] = cq->q[cq->tail++ & (cq->size - 1)];
	spin_unlock_irqrestore(&cq->lock, flags);
	return i;
}

/**
 * vr_req_notify_cq - ib_device_ops.req_notify_cq
 * @ibcq: the queue
 * @flags: IB_CQ_*
 *
 * Context: any.
 * Return: 1 if completions are waiting and the caller wants to know, else 0.
 */
int vr_req_notify_cq(struct ib_cq *ibcq, enum ib_cq_notify_flags flags)
{
	struct vr_cq *cq = to_vcq(ibcq);
	unsigned long irq;
	int rc = 0;

	spin_lock_irqsave(&cq->lock, irq);
	/* Being armed for all includes being armed for solicited ones. */
	if (cq->arm != IB_CQ_NEXT_COMP)
		cq->arm = flags & IB_CQ_SOLICITED_MASK;
	if ((flags & IB_CQ_REPORT_MISSED_EVENTS) && cq->head != cq->tail)
		rc = 1;
	spin_unlock_irqrestore(&cq->lock, irq);
	return rc;
}

static void vr_cq_overflow(struct ib_cq *ibcq)
{
	struct ib_event ev = {
		.device = ibcq->device,
		.element.cq = ibcq,
		.event = IB_EVENT_CQ_ERR,
	};

	ibdev_err(ibcq->device,
		  "completion queue of %d entries overflowed; its user posts more than it makes room for\n",
		  ibcq->cqe);
	if (ibcq->event_handler)
		ibcq->event_handler(&ev, ibcq->cq_context);
}

/**
 * vr_complete - deliver a completion
 * @ibcq: the queue
 * @wc: the completion
 * @solicited: whether an owner that wants solicited ones only is to be told
 *
 * Context: process context, no spinlock held, as the owner's handler is called.
 * It is called with bottom halves off, so that a handler that raises a softirq
 * has it run at once, as after a hardware interrupt, and not in ksoftirqd.
 *
 * Return: false if the queue overflowed: the completion is lost, and the caller
 * has to stop the QP.
 */
bool vr_complete(struct ib_cq *ibcq, const struct ib_wc *wc, bool solicited)
{
	struct vr_cq *cq = to_vcq(ibcq);
	bool kick = false, lost, first = false;
	unsigned long flags;

	spin_lock_irqsave(&cq->lock, flags);
	lost = cq->head - cq->tail == ibcq->cqe;
	if (lost) {
		first = !cq->overflow;
		cq->overflow = true;
	} else {
		cq->q[cq->head++ & (cq->size - 1)] = *wc;
	}
	if (cq->arm == IB_CQ_NEXT_COMP ||
	    (cq->arm == IB_CQ_SOLICITED &&
	     (solicited || wc->status != IB_WC_SUCCESS))) {
		cq->arm = 0;
		kick = true;
	}
	spin_unlock_irqrestore(&cq->lock, flags);

	if (first)
		vr_cq_overflow(ibcq);
	if (kick && ibcq->comp_handler) {
		local_bh_disable();
		ibcq->comp_handler(ibcq, ibcq->cq_context);
		local_bh_enable();
	}
	return !lost;
}

/**
 * vr_cq_purge - remove the completions of a QP that is being destroyed
 * @ibcq: the queue
 * @ibqp: the QP, which adds no more
 *
 * What the user has not polled by now points to a QP, and most likely to work
 * requests, that are about to be freed.
 */
void vr_cq_purge(struct ib_cq *ibcq, const struct ib_qp *ibqp)
{
	struct vr_cq *cq = to_vcq(ibcq);
	unsigned long flags;
	u32 from, to;

	spin_lock_irqsave(&cq->lock, flags);
	for (from = to = cq->tail; from != cq->head; from++) {
		const struct ib_wc *wc = &cq->q[from & (cq->size - 1)];

		if (wc->qp != ibqp)
			cq->q[to++ & (cq->size - 1)] = *wc;
	}
	cq->head = to;
	spin_unlock_irqrestore(&cq->lock, flags);
}
