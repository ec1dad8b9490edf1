// SPDX-License-Identifier: GPL-2.0
/*
 * Execution of send work requests.
 *
 * All keys, ranges and rights of a request are checked before its first byte
 * moves.  A DMA address that leads nowhere is only found on the way, as in
 * hardware, so such a request may have moved its first bytes.
 *
 * Errors are reported as an RNIC pair would: what is wrong with the requester's
 * own buffers as a local protection error; what is wrong with the peer's as a
 * remote one, with an asynchronous event for the peer.
 */
#include <linux/sched.h>

#include "vrnic.h"

/* Which end of a move failed. */
enum vr_fault {
	VR_FAULT_NONE,
	VR_FAULT_SRC,
	VR_FAULT_DST,
};

/*
 * With nocopy, shorter transfers are copied all the same: users put parts of
 * their protocol there, such as RPC replies that are too long for a SEND.
 */
#define VR_NOCOPY_MIN	4096

struct vr_bytes {
	u64 by_route[VR_ROUTES];
};

static void vr_count_bytes(struct vr_dev *d, const struct vr_bytes *b,
			   bool write)
{
	enum vr_route r;

	for (r = 0; r < VR_ROUTES; r++)
		if (b->by_route[r])
			vr_count(d, vr_stat_bytes(r, write), b->by_route[r]);
}

static bool vr_next_span(struct vr_sgl *sgl, struct vr_span *span)
{
	dma_addr_t addr;
	size_t run;

	if (span->len)
		return true;
	run = vr_sgl_run(sgl, &addr);
	if (WARN_ON_ONCE(!run) ||
	    vr_fabric_resolve(&sgl->dev->func->fabric, addr, run, span)) {
		span->len = 0;
		vr_count(sgl->dev, VR_STAT_DMA_FAULTS, 1);
		return false;
	}
	return true;
}

/*
 * Move @len bytes, which both lists have.  With @copy false all addresses are
 * routed, but the bytes stay where they are.
 */
static enum vr_fault vr_move(struct vr_sgl *dst, struct vr_sgl *src, u64 len,
			     bool copy)
{
	struct vr_bytes from = {}, to = {};
	struct vr_span s = {}, t = {};
	enum vr_fault fault = VR_FAULT_NONE;
	u64 left = len;
	int idx;

	idx = vr_fabric_enter();
	while (left) {
		size_t n;

		if (!vr_next_span(src, &s)) {
			fault = VR_FAULT_SRC;
			break;
		}
		if (!vr_next_span(dst, &t)) {
			fault = VR_FAULT_DST;
			break;
		}
		n = min(min(s.len, t.len), left);
		if (copy) {
			vr_span_copy(&t, &s, n);
			from.by_route[s.route] += n;
			to.by_route[t.route] += n;
		}
		vr_span_advance(&s, n);
		vr_span_advance(&t, n);
		vr_sgl_advance(src, n);
		vr_sgl_advance(dst, n);
		left -= n;
		cond_resched();
	}
	vr_fabric_leave(idx);

	vr_count_bytes(src->dev, &from, false);
	vr_count_bytes(dst->dev, &to, true);
	if (!copy)
		vr_count(src->dev, VR_STAT_SKIPPED, len - left);
	return fault;
}

static void vr_peer_fault(struct vr_result *res, enum ib_wc_status status,
			  enum ib_event_type event)
{
	res->status = status;
	res->peer_fault = true;
	res->peer_event = event;
}

/*
 * The receiver's half of a SEND: a receive is there, as is the payload.
 * Returns the status of the receive completion.
 */
static enum ib_wc_status vr_send_to(struct vr_qp *peer, struct vr_wqe *w,
				    struct vr_sgl *src, struct vr_sgl *dst,
				    struct vr_result *res)
{
	if (src->len > dst->len) {
		vr_peer_fault(res, IB_WC_REM_INV_REQ_ERR, IB_EVENT_QP_REQ_ERR);
		return IB_WC_LOC_LEN_ERR;
	}
	switch (vr_move(dst, src, src->len, true)) {
	case VR_FAULT_SRC:
		res->status = IB_WC_LOC_PROT_ERR;
		return IB_WC_REM_OP_ERR;
	case VR_FAULT_DST:
		vr_peer_fault(res, IB_WC_REM_OP_ERR, IB_EVENT_QP_FATAL);
		return IB_WC_LOC_PROT_ERR;
	case VR_FAULT_NONE:
		break;
	}
	/* The region to invalidate may be one that the message arrived in. */
	vr_sgl_put(dst);
	vr_sgl_put(src);
	if (w->op == IB_WR_SEND_WITH_INV &&
	    !vr_mr_invalidate(peer->dev, peer->ibqp.pd, w->rkey)) {
		vr_peer_fault(res, IB_WC_REM_OP_ERR, IB_EVENT_QP_ACCESS_ERR);
		return IB_WC_LOC_PROT_ERR;
	}
	return IB_WC_SUCCESS;
}

/* Called with peer->rx held. */
static void vr_do_send(struct vr_qp *qp, struct vr_qp *peer, struct vr_wqe *w,
		       const struct ib_sge *sge, struct vr_result *res)
{
	struct ib_wc wc = {
		.opcode = IB_WC_RECV,
		.qp = &peer->ibqp,
		.src_qp = qp->ibqp.qp_num,
	};
	struct vr_sgl src, dst;
	const struct ib_sge *rsge;
	struct vr_wqe *r = vr_rq_first(peer, &rsge);

	if (!r) {
		res->rnr = true;
		return;
	}
	if (vr_sgl_get(&src, qp->dev, qp->ibqp.pd, sge, w->nsge, 0)) {
		/* The receive stays queued and will be flushed. */
		res->status = IB_WC_LOC_PROT_ERR;
		return;
	}
	if (vr_sgl_get(&dst, peer->dev, peer->ibqp.pd, rsge, r->nsge,
		       IB_ACCESS_LOCAL_WRITE)) {
		vr_peer_fault(res, IB_WC_REM_OP_ERR, IB_EVENT_QP_FATAL);
		wc.status = IB_WC_LOC_PROT_ERR;
	} else {
		wc.byte_len = src.len;
		res->bytes = src.len;
		wc.status = vr_send_to(peer, w, &src, &dst, res);
		vr_sgl_put(&dst);
	}
	vr_sgl_put(&src);

	if (wc.status == IB_WC_SUCCESS) {
		vr_count(peer->dev, VR_STAT_RECV, 1);
		if (w->op == IB_WR_SEND_WITH_INV) {
			wc.wc_flags = IB_WC_WITH_INVALIDATE;
			wc.ex.invalidate_rkey = w->rkey;
		}
	}
	wc.wr_id = r->wr_id;
	vr_recv_complete(peer, &wc, w->flags & IB_SEND_SOLICITED);
}

/* Called with peer->rx held. */
static void vr_do_rdma(struct vr_qp *qp, struct vr_qp *peer, struct vr_wqe *w,
		       const struct ib_sge *sge, struct vr_result *res)
{
	const bool write = w->op == IB_WR_RDMA_WRITE;
	const int raccess = write ? IB_ACCESS_REMOTE_WRITE :
				    IB_ACCESS_REMOTE_READ;
	struct ib_sge rsge = { .addr = w->raddr, .lkey = w->rkey };
	struct vr_sgl loc, rem;
	enum vr_fault fault;
	bool copy;

	if (vr_sgl_get(&loc, qp->dev, qp->ibqp.pd, sge, w->nsge,
		       write ? 0 : IB_ACCESS_LOCAL_WRITE)) {
		res->status = IB_WC_LOC_PROT_ERR;
		return;
	}
	if (loc.len > U32_MAX) {
		res->status = IB_WC_LOC_LEN_ERR;
		goto put_local;
	}
	rsge.length = loc.len;
	if (!(READ_ONCE(peer->access) & raccess) ||
	    vr_sgl_get(&rem, peer->dev, peer->ibqp.pd, &rsge, 1, raccess)) {
		vr_peer_fault(res, IB_WC_REM_ACCESS_ERR,
			      IB_EVENT_QP_ACCESS_ERR);
		goto put_local;
	}

	res->bytes = loc.len;
	copy = loc.len < VR_NOCOPY_MIN || !READ_ONCE(vr_nocopy);
	if (write)
		fault = vr_move(&rem, &loc, loc.len, copy);
	else
		fault = vr_move(&loc, &rem, loc.len, copy);
	vr_sgl_put(&rem);
	if (fault == (write ? VR_FAULT_SRC : VR_FAULT_DST))
		res->status = IB_WC_LOC_PROT_ERR;
	else if (fault != VR_FAULT_NONE)
		vr_peer_fault(res, IB_WC_REM_OP_ERR, IB_EVENT_QP_FATAL);
put_local:
	vr_sgl_put(&loc);

	/*
	 * What READ_WITH_INV invalidates is the local sink, named by its SGE:
	 * an iWARP read has a single one, and users need not set ex.
	 */
	if (res->status == IB_WC_SUCCESS &&
	    w->op == IB_WR_RDMA_READ_WITH_INV &&
	    (!w->nsge || !vr_mr_invalidate(qp->dev, qp->ibqp.pd, sge[0].lkey)))
		res->status = IB_WC_LOC_PROT_ERR;
}

static void vr_do_transfer(struct vr_qp *qp, struct vr_wqe *w,
			   const struct ib_sge *sge, struct vr_result *res)
{
	struct vr_qp *peer = vr_qp_peer(qp);

	/* The connection went away; so will this QP, and flush the rest. */
	if (!peer) {
		res->status = IB_WC_WR_FLUSH_ERR;
		return;
	}
	mutex_lock(&peer->rx);
	if (!vr_qp_connected(peer))
		res->status = IB_WC_WR_FLUSH_ERR;
	else if (w->op == IB_WR_SEND || w->op == IB_WR_SEND_WITH_INV)
		vr_do_send(qp, peer, w, sge, res);
	else
		vr_do_rdma(qp, peer, w, sge, res);
	mutex_unlock(&peer->rx);
	if (res->peer_fault)
		vr_qp_event(peer, res->peer_event);
	vr_qp_put(peer);
}

/**
 * vr_exec - execute one send work request
 * @qp: the QP, connected
 * @w: the request
 * @sge: its SGEs
 * @res: zeroed; what became of it
 *
 * Context: the worker of @qp, no locks held; sleeps.
 */
void vr_exec(struct vr_qp *qp, struct vr_wqe *w, const struct ib_sge *sge,
	     struct vr_result *res)
{
	enum vr_stat stat;

	switch (w->op) {
	case IB_WR_REG_MR:
		stat = VR_STAT_REG_MR;
		if (!vr_mr_register(w, qp->ibqp.pd))
			res->status = IB_WC_MW_BIND_ERR;
		break;
	case IB_WR_LOCAL_INV:
		stat = VR_STAT_LOCAL_INV;
		if (!vr_mr_invalidate(qp->dev, qp->ibqp.pd, w->rkey))
			res->status = IB_WC_LOC_PROT_ERR;
		break;
	case IB_WR_RDMA_WRITE:
		stat = VR_STAT_WRITE;
		vr_do_transfer(qp, w, sge, res);
		break;
	case IB_WR_RDMA_READ:
	case IB_WR_RDMA_READ_WITH_INV:
		stat = VR_STAT_READ;
		vr_do_transfer(qp, w, sge, res);
		break;
	default:
		stat = VR_STAT_SEND;
		vr_do_transfer(qp, w, sge, res);
		break;
	}
	if (!res->rnr && res->status == IB_WC_SUCCESS)
		vr_count(qp->dev, stat, 1);
}

/**
 * vr_wc_opcode - opcode of the completion of a send work request
 * @op: opcode of the request
 *
 * Return: the opcode.
 */
enum ib_wc_opcode vr_wc_opcode(enum ib_wr_opcode op)
{
	switch (op) {
	case IB_WR_RDMA_WRITE:
		return IB_WC_RDMA_WRITE;
	case IB_WR_RDMA_READ:
	case IB_WR_RDMA_READ_WITH_INV:
		return IB_WC_RDMA_READ;
	case IB_WR_REG_MR:
		return IB_WC_REG_MR;
	case IB_WR_LOCAL_INV:
		return IB_WC_LOCAL_INV;
	default:
		return IB_WC_SEND;
	}
}
