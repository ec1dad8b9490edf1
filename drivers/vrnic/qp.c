// SPDX-License-Identifier: GPL-2.0
/*
 * Queue pairs: creation, state, the worker.  Concurrency and lifetimes
 * are explained in vrnic.h.
 *
 * States
 * ------
 * RESET, INIT, RTR are left through modify_qp, as rdma_cm does it.  RTS is
 * entered only by setting up a connection (cm.c).  SQD, which iwcm asks for on
 * an orderly disconnect, executes what is in the send queue by then, as far as
 * the peer has receives for it, and goes on to ERR.  ERR is final.
 *
 * Whatever ends a connection goes through vr_qp_disconnect(): it sets the state
 * to ERR and takes peer and cm_id out, all under the lock, so that exactly one
 * caller finds them and raises the events of the connection manager, each at
 * most once and never before those of the set-up.  The peer follows suit.
 *
 * Receiver not ready
 * ------------------
 * A SEND that finds no receive posted stays where it is, and the worker
 * returns.  Posting a receive to an empty queue kicks the peer's work item.
 * That is infinite patience, as with an RNR retry count of 7; a peer that never
 * posts is a hung peer, and the user's timeout deals with it.
 *
 * The work queue has WQ_MEM_RECLAIM, since NFS writes back dirty pages through
 * it.  Workers allocate nothing but maps of the PCI fabric, with GFP_NOIO.
 */
#include <linux/slab.h>

#include "vrnic.h"

/* ------------------------------------------------------------ references */

/**
 * vr_qp_get - take a reference
 * @qp: a QP that is referenced already
 */
void vr_qp_get(struct vr_qp *qp)
{
	refcount_inc(&qp->ref);
}

/**
 * vr_qp_put - drop a reference
 * @qp: the QP; it may be gone on return
 */
void vr_qp_put(struct vr_qp *qp)
{
	if (refcount_dec_and_test(&qp->ref))
		complete(&qp->freed);
}

/**
 * vr_qp_find - look up a QP
 * @d: its device
 * @qpn: its number
 *
 * Return: the QP with a reference, or NULL.
 */
struct vr_qp *vr_qp_find(struct vr_dev *d, u32 qpn)
{
	struct vr_qp *qp;

	xa_lock(&d->qps);
	qp = xa_load(&d->qps, qpn);
	if (qp && !refcount_inc_not_zero(&qp->ref))
		qp = NULL;
	xa_unlock(&d->qps);
	return qp;
}

/**
 * vr_qp_peer - the other end of a connection
 * @qp: this end
 *
 * Return: the peer with a reference, or NULL if there is no connection.
 */
struct vr_qp *vr_qp_peer(struct vr_qp *qp)
{
	struct vr_qp *peer;
	unsigned long flags;

	spin_lock_irqsave(&qp->lock, flags);
	peer = qp->peer;
	if (peer)
		vr_qp_get(peer);
	spin_unlock_irqrestore(&qp->lock, flags);
	return peer;
}

/* ----------------------------------------------------------------- state */

/**
 * vr_qp_connected - may data still move to and from a QP?
 * @qp: the QP
 *
 * If the caller holds @qp->rx, the answer holds as long.
 *
 * Return: true if so.
 */
bool vr_qp_connected(struct vr_qp *qp)
{
	enum ib_qp_state state = READ_ONCE(qp->state);

	return state == IB_QPS_RTS || state == IB_QPS_SQD;
}

/**
 * vr_qp_event - raise an asynchronous event
 * @qp: the QP it is about
 * @type: IB_EVENT_QP_*
 *
 * Context: process context, no locks held.
 */
void vr_qp_event(struct vr_qp *qp, enum ib_event_type type)
{
	struct ib_event ev = {
		.device = qp->ibqp.device,
		.element.qp = &qp->ibqp,
		.event = type,
	};

	if (qp->ibqp.event_handler)
		qp->ibqp.event_handler(&ev, qp->ibqp.qp_context);
}

/*
 * Move @qp to ERR.  Returns whether it was not there yet, and its former peer,
 * referenced, in @peer.
 */
static bool vr_qp_to_err(struct vr_qp *qp, bool remote, struct vr_qp **peer)
{
	struct iw_cm_event ev = {};
	struct iw_cm_id *cm;
	unsigned long flags;
	bool changed;

	spin_lock_irqsave(&qp->lock, flags);
	changed = qp->state != IB_QPS_ERR;
	WRITE_ONCE(qp->state, IB_QPS_ERR);
	cm = qp->cm_id;
	qp->cm_id = NULL;
	*peer = qp->peer;
	qp->peer = NULL;
	spin_unlock_irqrestore(&qp->lock, flags);
	queue_work(vr_wq, &qp->work);

	if (cm) {
		ev.local_addr = cm->m_local_addr;
		ev.remote_addr = cm->m_remote_addr;
		if (remote) {
			ev.event = IW_CM_EVENT_DISCONNECT;
			cm->event_handler(cm, &ev);
		}
		ev.event = IW_CM_EVENT_CLOSE;
		cm->event_handler(cm, &ev);
		cm->rem_ref(cm);
	}
	return changed;
}

/**
 * vr_qp_disconnect - end a connection and move both ends to ERR
 * @qp: one end, or a QP without a connection
 * @remote: tell the user of @qp that the other end disconnected
 *
 * What is queued will be flushed by the workers.
 *
 * Context: any but hard interrupt; no vr_qp.lock held.
 * Return: false if @qp was in ERR already.
 */
bool vr_qp_disconnect(struct vr_qp *qp, bool remote)
{
	struct vr_qp *peer, *back;
	bool changed = vr_qp_to_err(qp, remote, &peer);

	if (!peer)
		return changed;
	vr_qp_to_err(peer, true, &back);
	/* Gone if the peer was quicker; then it drops our link by itself. */
	if (back)
		vr_qp_put(back);
	vr_qp_put(peer);
	return changed;
}

static int vr_qp_to_sqd(struct vr_qp *qp)
{
	switch (qp->state) {
	case IB_QPS_RTS:
		WRITE_ONCE(qp->state, IB_QPS_SQD);
		qp->sq_stop = qp->sq.head;
		fallthrough;
	case IB_QPS_SQD:
	case IB_QPS_ERR:
		return 0;
	default:
		return -EINVAL;
	}
}

/* Transitions below RTS; everything else is up to cm.c or an error. */
static int vr_qp_set_state(struct vr_qp *qp, enum ib_qp_state next)
{
	enum ib_qp_state cur = qp->state;
	bool ok;

	switch (next) {
	case IB_QPS_RESET:
		ok = cur == IB_QPS_RESET;
		break;
	case IB_QPS_INIT:
		ok = cur == IB_QPS_RESET || cur == IB_QPS_INIT;
		break;
	case IB_QPS_RTR:
		ok = cur == IB_QPS_INIT || cur == IB_QPS_RTR;
		break;
	case IB_QPS_SQD:
		return vr_qp_to_sqd(qp);
	default:
		ok = cur == next;
		break;
	}
	if (!ok)
		return -EINVAL;
	WRITE_ONCE(qp->state, next);
	return 0;
}

/**
 * vr_modify_qp - ib_device_ops.modify_qp
 * @ibqp: the QP
 * @attr: new attributes; state and access flags count, the rest is ignored
 * @mask: IB_QP_*
 * @udata: unused
 *
 * Return: 0, or -EINVAL for a transition that does not exist.
 */
int vr_modify_qp(struct ib_qp *ibqp, struct ib_qp_attr *attr, int mask,
		 struct ib_udata *udata)
{
	struct vr_qp *qp = to_vqp(ibqp);
	unsigned long flags;
	int rc = 0;

	if (mask & ~IB_QP_ATTR_STANDARD_BITS)
		return -EOPNOTSUPP;
	if ((mask & IB_QP_STATE) && attr->qp_state == IB_QPS_ERR) {
		vr_qp_disconnect(qp, false);
		vr_cm_abort(qp);
		return 0;
	}
	spin_lock_irqsave(&qp->lock, flags);
	if (mask & IB_QP_STATE)
		rc = vr_qp_set_state(qp, attr->qp_state);
	if (!rc && (mask & IB_QP_ACCESS_FLAGS))
		WRITE_ONCE(qp->access, attr->qp_access_flags);
	spin_unlock_irqrestore(&qp->lock, flags);
	if (rc)
		ibdev_dbg(ibqp->device, "QP %u: no transition %d -> %d\n",
			  ibqp->qp_num, qp->state, attr->qp_state);
	queue_work(vr_wq, &qp->work);
	return rc;
}

/**
 * vr_query_qp - ib_device_ops.query_qp
 * @ibqp: the QP
 * @attr: where to put its attributes
 * @mask: unused, everything is filled in
 * @init: where to put its initial attributes
 *
 * Return: 0.
 */
int vr_query_qp(struct ib_qp *ibqp, struct ib_qp_attr *attr, int mask,
		struct ib_qp_init_attr *init)
{
	struct vr_qp *qp = to_vqp(ibqp);

	attr->qp_state = READ_ONCE(qp->state);
	attr->cur_qp_state = attr->qp_state;
	attr->cap = qp->cap;
	attr->max_rd_atomic = VR_MAX_RD;
	attr->max_dest_rd_atomic = VR_MAX_RD;
	attr->qp_access_flags = READ_ONCE(qp->access);
	init->qp_type = IB_QPT_RC;
	init->send_cq = ibqp->send_cq;
	init->recv_cq = ibqp->recv_cq;
	init->cap = qp->cap;
	init->sq_sig_type = qp->sig_all ? IB_SIGNAL_ALL_WR : IB_SIGNAL_REQ_WR;
	return 0;
}

/* ---------------------------------------------------------------- worker */

/**
 * vr_recv_complete - finish the oldest receive
 * @qp: the receiving QP, whose rx the caller holds
 * @wc: its completion
 * @solicited: the sender asked for the receiver to be woken
 */
void vr_recv_complete(struct vr_qp *qp, struct ib_wc *wc, bool solicited)
{
	/* First make room: the user may post from its completion handler. */
	vr_ring_pop(qp, &qp->rq);
	if (!vr_complete(qp->ibqp.recv_cq, wc, solicited) &&
	    vr_qp_disconnect(qp, false))
		vr_qp_event(qp, IB_EVENT_QP_FATAL);
}

/* Finish the oldest send request. */
static void vr_send_complete(struct vr_qp *qp, struct vr_wqe *w,
			     enum ib_wc_status status, u32 bytes)
{
	bool wanted = status != IB_WC_SUCCESS || qp->sig_all ||
		      (w->flags & IB_SEND_SIGNALED);
	struct ib_wc wc = {
		.wr_id = w->wr_id,
		.status = status,
		.opcode = vr_wc_opcode(w->op),
		.byte_len = bytes,
		.qp = &qp->ibqp,
	};

	vr_mr_release(w);
	vr_ring_pop(qp, &qp->sq);
	if (wanted && !vr_complete(qp->ibqp.send_cq, &wc, false) &&
	    vr_qp_disconnect(qp, false))
		vr_qp_event(qp, IB_EVENT_QP_FATAL);
}

/*
 * Flush both queues in order.  With rx held nothing moves any more, neither
 * from this worker nor from the peer's, when the first completion is seen.
 */
static void vr_flush(struct vr_qp *qp)
{
	struct ib_wc wc = {
		.status = IB_WC_WR_FLUSH_ERR,
		.opcode = IB_WC_RECV,
		.qp = &qp->ibqp,
	};
	struct vr_wqe *w;

	mutex_lock(&qp->rx);
	while ((w = vr_ring_first(qp, &qp->sq))) {
		vr_count(qp->dev, VR_STAT_FLUSHED, 1);
		vr_send_complete(qp, w, IB_WC_WR_FLUSH_ERR, 0);
	}
	while ((w = vr_ring_first(qp, &qp->rq))) {
		vr_count(qp->dev, VR_STAT_FLUSHED, 1);
		wc.wr_id = w->wr_id;
		vr_recv_complete(qp, &wc, true);
	}
	mutex_unlock(&qp->rx);
}

/* Execute and finish the oldest request; false if it has to wait. */
static bool vr_step(struct vr_qp *qp, struct vr_wqe *w)
{
	struct vr_result res = {};
	bool injected;

	/* vr_resume() clears it before it queues the work again. */
	if (READ_ONCE(qp->dev->paused))
		return false;
	injected = vr_inject_hit(qp->dev, w->op, &res.status);
	if (injected && res.status == IB_WC_SUCCESS) {
		vr_pause(qp->dev);
		return false;
	}
	if (injected) {
		vr_count(qp->dev, VR_STAT_INJECTED, 1);
	} else {
		vr_exec(qp, w, vr_ring_sge(&qp->sq, qp->sq.tail), &res);
		if (res.rnr)
			return false;
	}
	if (res.status == IB_WC_SUCCESS) {
		WRITE_ONCE(qp->nr_wr, qp->nr_wr + 1);
		WRITE_ONCE(qp->nr_bytes, qp->nr_bytes + res.bytes);
		vr_send_complete(qp, w, res.status, res.bytes);
		return true;
	}
	if (res.status == IB_WC_WR_FLUSH_ERR) {
		vr_count(qp->dev, VR_STAT_FLUSHED, 1);
		vr_send_complete(qp, w, res.status, 0);
	} else {
		ibdev_warn_ratelimited(&qp->dev->ibdev,
				       "QP %u: work request \"%s\" failed: %s%s\n",
				       qp->ibqp.qp_num, vr_op_name(w->op),
				       ib_wc_status_msg(res.status),
				       injected ? " (injected)" : "");
		vr_send_complete(qp, w, res.status, 0);
		if (!res.peer_fault)
			vr_qp_event(qp, IB_EVENT_QP_FATAL);
	}
	/* After the completion: what the user sees first is the cause. */
	vr_qp_disconnect(qp, false);
	return true;
}

static void vr_qp_work(struct work_struct *work)
{
	struct vr_qp *qp = container_of(work, struct vr_qp, work);

	for (;;) {
		enum ib_qp_state state;
		struct vr_wqe *w = NULL;
		unsigned long flags;
		bool last;

		spin_lock_irqsave(&qp->lock, flags);
		state = qp->state;
		last = state == IB_QPS_SQD && qp->sq.tail == qp->sq_stop;
		if (qp->sq.head != qp->sq.tail)
			w = &qp->sq.wqe[qp->sq.tail & (qp->sq.size - 1)];
		spin_unlock_irqrestore(&qp->lock, flags);

		switch (state) {
		case IB_QPS_ERR:
			vr_flush(qp);
			return;
		case IB_QPS_RTS:
			if (!w || !vr_step(qp, w))
				return;
			break;
		case IB_QPS_SQD:
			if (last || !vr_step(qp, w))
				vr_qp_disconnect(qp, false);
			break;
		default:
			return;
		}
		cond_resched();
	}
}

/* --------------------------------------------------- creation, destruction */

/* Why a QP cannot be created, or NULL. */
static const char *vr_qp_refusal(const struct ib_qp_init_attr *attr)
{
	const struct ib_qp_cap *cap = &attr->cap;

	if (attr->qp_type != IB_QPT_RC)
		return "only reliable connections exist";
	if (attr->srq)
		return "shared receive queues are not supported";
	if (attr->create_flags)
		return "creation flags are not supported";
	if (cap->max_inline_data)
		return "inline data is not supported";
	if (cap->max_send_wr > VR_MAX_WR || cap->max_recv_wr > VR_MAX_WR)
		return "more than 16384 work requests";
	if (cap->max_send_sge > VR_MAX_SGE || cap->max_recv_sge > VR_MAX_SGE)
		return "more than 16 SGEs a work request";
	if (!attr->send_cq || !attr->recv_cq)
		return "a completion queue is missing";
	return NULL;
}

/**
 * vr_create_qp - ib_device_ops.create_qp
 * @ibqp: what to set up
 * @attr: what is wanted
 * @udata: must be NULL, there are no user verbs
 *
 * Return: 0 or a negative errno; what is refused is logged.
 */
int vr_create_qp(struct ib_qp *ibqp, struct ib_qp_init_attr *attr,
		 struct ib_udata *udata)
{
	const char *refusal = vr_qp_refusal(attr);
	struct vr_qp *qp = to_vqp(ibqp);
	struct vr_dev *d = to_vdev(ibqp->device);
	u32 id;
	int rc;

	if (udata)
		return -EOPNOTSUPP;
	if (refusal) {
		ibdev_warn_ratelimited(&d->ibdev, "cannot create QP: %s\n",
				       refusal);
		return -EINVAL;
	}
	qp->dev = d;
	refcount_set(&qp->ref, 1);
	init_completion(&qp->freed);
	spin_lock_init(&qp->lock);
	mutex_init(&qp->rx);
	INIT_WORK(&qp->work, vr_qp_work);
	qp->state = IB_QPS_RESET;
	qp->cap = attr->cap;
	qp->sig_all = attr->sq_sig_type == IB_SIGNAL_ALL_WR;

	rc = vr_ring_init(&qp->sq, attr->cap.max_send_wr,
			  attr->cap.max_send_sge);
	if (!rc)
		rc = vr_ring_init(&qp->rq, attr->cap.max_recv_wr,
				  attr->cap.max_recv_sge);
	if (!rc)
		rc = xa_alloc(&d->qps, &id, qp, XA_LIMIT(1, 0xffffff),
			      GFP_KERNEL);
	if (rc) {
		vr_ring_free(&qp->sq);
		vr_ring_free(&qp->rq);
		return rc;
	}
	ibqp->qp_num = id;
	return 0;
}

/**
 * vr_destroy_qp - ib_device_ops.destroy_qp
 * @ibqp: the QP
 * @udata: unused
 *
 * Waits for the peer's worker, the connection manager and the own worker to let
 * go of it.
 *
 * Return: 0.
 */
int vr_destroy_qp(struct ib_qp *ibqp, struct ib_udata *udata)
{
	struct vr_qp *qp = to_vqp(ibqp);

	xa_erase(&qp->dev->qps, ibqp->qp_num);
	vr_qp_disconnect(qp, false);
	vr_cm_abort(qp);
	vr_qp_put(qp);
	wait_for_completion(&qp->freed);
	cancel_work_sync(&qp->work);
	vr_cq_purge(ibqp->send_cq, ibqp);
	vr_cq_purge(ibqp->recv_cq, ibqp);
	vr_ring_free(&qp->sq);
	vr_ring_free(&qp->rq);
	mutex_destroy(&qp->rx);
	return 0;
}
