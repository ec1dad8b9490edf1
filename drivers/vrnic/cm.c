// SPDX-License-Identifier: GPL-2.0
/*
 * Connection management: what iwcm wants of an iWARP device.
 *
 * All vrnic devices are on one wire.  A request to connect looks for a listener
 * that the destination address belongs to and becomes a struct vr_conn, which
 * is known to the passive side by a number and not by a pointer: iwcm drops a
 * queued CONNECT_REQUEST without a word if the listener dies or memory runs
 * out, and a number that nobody answers for leaks nothing.  Whoever removes the
 * number from vr_conns (accept, reject, the dying listener, the timeout) owns
 * the connection and has to tell the active side, exactly once.
 *
 * Rules of iwcm that shape this file:
 *  - CLOSE may only follow CONNECT_REPLY and ESTABLISHED, or iwcm BUG()s.  So
 *    qp->cm_id, without which nobody raises CLOSE, is set and both events are
 *    queued while the locks of both QPs are held.
 *  - iw_connect() having returned 0, destroying the active cm_id waits for
 *    CONNECT_REPLY.  The timeout makes sure that there is one.
 *  - An error from iw_accept() excludes any event for the passive side.
 */
#include <linux/inetdevice.h>
#include <linux/slab.h>
#include <net/addrconf.h>

#include "vrnic.h"

/* As the reply timeout of MPA implementations; generous under emulation. */
#define VR_CONNECT_TIMEOUT	(20 * HZ)

/**
 * struct vr_listener - a listening cm_id
 * @list:	member of vr_listeners
 * @cm_id:	referenced
 */
struct vr_listener {
	struct list_head list;
	struct iw_cm_id *cm_id;
};

/**
 * struct vr_conn - a connection that is being set up
 * @id:		its number
 * @acm:	cm_id of the active side, referenced
 * @aqp:	QP of the active side, referenced
 * @lst:	the listener, only for comparison
 * @ird:	inbound reads that the active side can take
 * @ord:	outbound reads that it wants
 * @timeout:	ends it if the passive side does not answer
 */
struct vr_conn {
	u32 id;
	struct iw_cm_id *acm;
	struct vr_qp *aqp;
	struct vr_listener *lst;
	u32 ird;
	u32 ord;
	struct delayed_work timeout;
};

/* Guards the listeners, and with them conn->lst. */
static DEFINE_MUTEX(vr_cm_lock);
static LIST_HEAD(vr_listeners);
static DEFINE_XARRAY_ALLOC1(vr_conns);

/**
 * vr_iw_add_ref - ib_device_ops.iw_add_ref
 * @ibqp: the QP
 */
void vr_iw_add_ref(struct ib_qp *ibqp)
{
	vr_qp_get(to_vqp(ibqp));
}

/**
 * vr_iw_rem_ref - ib_device_ops.iw_rem_ref
 * @ibqp: the QP
 */
void vr_iw_rem_ref(struct ib_qp *ibqp)
{
	vr_qp_put(to_vqp(ibqp));
}

/**
 * vr_iw_get_qp - ib_device_ops.iw_get_qp
 * @ibdev: the device
 * @qpn: number of a QP that the caller of iwcm owns, which is why it cannot go
 *	 away before iwcm takes its reference
 *
 * Return: the QP, not referenced, or NULL.
 */
struct ib_qp *vr_iw_get_qp(struct ib_device *ibdev, int qpn)
{
	struct vr_qp *qp = xa_load(&to_vdev(ibdev)->qps, qpn);

	return qp ? &qp->ibqp : NULL;
}

/* ----------------------------------------------------------- who listens */

static bool vr_sockaddr_match(const struct sockaddr_storage *listen,
			      const struct sockaddr_storage *to)
{
	if (listen->ss_family != to->ss_family)
		return false;
	if (listen->ss_family == AF_INET) {
		const struct sockaddr_in *l = (const void *)listen;
		const struct sockaddr_in *t = (const void *)to;

		return l->sin_port == t->sin_port &&
		       (l->sin_addr.s_addr == htonl(INADDR_ANY) ||
			l->sin_addr.s_addr == t->sin_addr.s_addr);
	}
	if (listen->ss_family == AF_INET6) {
		const struct sockaddr_in6 *l = (const void *)listen;
		const struct sockaddr_in6 *t = (const void *)to;

		return l->sin6_port == t->sin6_port &&
		       (ipv6_addr_any(&l->sin6_addr) ||
			ipv6_addr_equal(&l->sin6_addr, &t->sin6_addr));
	}
	return false;
}

static bool vr_netdev_owns(struct net_device *ndev,
			   const struct sockaddr_storage *addr)
{
	const struct sockaddr_in6 *a6 = (const void *)addr;
	const struct sockaddr_in *a4 = (const void *)addr;
	const struct in_ifaddr *ifa;
	struct in_device *in;
	bool owns = false;

	if (addr->ss_family == AF_INET6)
		return IS_ENABLED(CONFIG_IPV6) &&
		       ipv6_chk_addr(dev_net(ndev), &a6->sin6_addr, ndev, 1);
	rcu_read_lock();
	in = __in_dev_get_rcu(ndev);
	if (in)
		in_dev_for_each_ifa_rcu(ifa, in)
			owns |= ifa->ifa_local == a4->sin_addr.s_addr;
	rcu_read_unlock();
	return owns;
}

/*
 * How well does a listener fit a request from network namespace @net?  0: not.
 *
 * A listener hears what is addressed to the netdev of its device, wildcard or
 * not.  The namespace is that of the netdev, as iwcm does not say who listens.
 * The same address may exist in several namespaces; the requester's own comes
 * first, as it would for any socket, before one that it reaches over a wire.
 */
static int vr_listener_rank(const struct vr_listener *l, const struct net *net,
			    const struct sockaddr_storage *to)
{
	struct net_device *ndev;
	int rank = 0;

	if (!vr_sockaddr_match(&l->cm_id->m_local_addr, to))
		return 0;
	ndev = ib_device_get_netdev(l->cm_id->device, 1);
	if (!ndev)
		return 0;
	if (vr_netdev_owns(ndev, to))
		rank = net_eq(dev_net(ndev), net) ? 2 : 1;
	dev_put(ndev);
	return rank;
}

static struct vr_listener *vr_listener_find(struct ib_device *from,
					    const struct sockaddr_storage *to)
{
	struct net_device *ndev = ib_device_get_netdev(from, 1);
	struct vr_listener *l, *best = NULL;
	int rank, best_rank = 0;

	if (!ndev)
		return NULL;
	list_for_each_entry(l, &vr_listeners, list) {
		rank = vr_listener_rank(l, dev_net(ndev), to);
		if (rank > best_rank) {
			best_rank = rank;
			best = l;
		}
	}
	dev_put(ndev);
	return best;
}

/* ----------------------------------------------------------- connections */

static void vr_conn_free(struct vr_conn *c)
{
	c->acm->rem_ref(c->acm);
	vr_qp_put(c->aqp);
	kfree(c);
}

/*
 * Tell the active side that it is not connected.  Never fails: without private
 * data iwcm need not allocate, and it has kept a slot for this event.
 */
static void vr_conn_refuse(struct vr_conn *c, int status, const void *pdata,
			   u8 len)
{
	struct iw_cm_event ev = {
		.event = IW_CM_EVENT_CONNECT_REPLY,
		.status = status,
		.local_addr = c->acm->m_local_addr,
		.remote_addr = c->acm->m_remote_addr,
		.private_data = (void *)pdata,
		.private_data_len = len,
	};

	if (c->acm->event_handler(c->acm, &ev) && len) {
		ev.private_data = NULL;
		ev.private_data_len = 0;
		c->acm->event_handler(c->acm, &ev);
	}
}

/* Whoever gets true owns @c and has to answer the active side. */
static bool vr_conn_remove(struct vr_conn *c)
{
	bool removed;

	xa_lock(&vr_conns);
	removed = xa_load(&vr_conns, c->id) == c;
	if (removed)
		__xa_erase(&vr_conns, c->id);
	xa_unlock(&vr_conns);
	return removed;
}

static void vr_conn_timeout(struct work_struct *work)
{
	struct vr_conn *c = container_of(to_delayed_work(work), struct vr_conn,
					 timeout);

	/* Whoever was quicker waits for us before it frees it. */
	if (!vr_conn_remove(c))
		return;
	ibdev_warn_ratelimited(c->acm->device,
			       "QP %u: no answer to a connection request within %u s\n",
			       c->aqp->ibqp.qp_num, VR_CONNECT_TIMEOUT / HZ);
	vr_conn_refuse(c, -ETIMEDOUT, NULL, 0);
	vr_conn_free(c);
}

/* Take the connection with number @id over; NULL if somebody else has. */
static struct vr_conn *vr_conn_claim(unsigned long id)
{
	struct vr_conn *c = xa_erase(&vr_conns, id);

	if (c)
		cancel_delayed_work_sync(&c->timeout);
	return c;
}

static int vr_conn_request(struct vr_conn *c, struct vr_listener *l,
			   const struct iw_cm_conn_param *param)
{
	struct iw_cm_event ev = {
		.event = IW_CM_EVENT_CONNECT_REQUEST,
		.local_addr = c->acm->m_remote_addr,
		.remote_addr = c->acm->m_local_addr,
		.private_data = (void *)param->private_data,
		.private_data_len = param->private_data_len,
		.ird = param->ird,
		.ord = param->ord,
	};
	static u32 next;
	u32 number;
	int rc;

	c->lst = l;
	/*
	 * Cyclic, so that a late answer to a request that timed out does not
	 * meet another one of the same number.
	 */
	rc = xa_alloc_cyclic(&vr_conns, &c->id, c, xa_limit_31b, &next,
			     GFP_KERNEL);
	if (rc < 0)
		return rc;
	number = c->id;
	/* Once it is sent, it may be answered, and freed, at any time. */
	queue_delayed_work(vr_wq, &c->timeout, VR_CONNECT_TIMEOUT);
	ev.provider_data = (void *)(unsigned long)number;
	rc = l->cm_id->event_handler(l->cm_id, &ev);
	return rc && vr_conn_claim(number) ? rc : 0;
}

/**
 * vr_iw_connect - ib_device_ops.iw_connect
 * @id: cm_id of the active side
 * @param: QP, private data, read depths
 *
 * Context: process context.
 *
 * Return: 0, and a CONNECT_REPLY event will tell the outcome, or a negative
 * errno.
 */
int vr_iw_connect(struct iw_cm_id *id, struct iw_cm_conn_param *param)
{
	struct vr_dev *d = to_vdev(id->device);
	struct vr_listener *l;
	struct vr_conn *c;
	int rc = -ECONNREFUSED;

	if (param->ird > VR_MAX_RD || param->ord > VR_MAX_RD ||
	    param->private_data_len > U8_MAX)
		return -EINVAL;
	c = kzalloc_obj(*c);
	if (!c)
		return -ENOMEM;
	c->aqp = vr_qp_find(d, param->qpn);
	if (!c->aqp) {
		kfree(c);
		return -EINVAL;
	}
	id->add_ref(id);
	c->acm = id;
	c->ird = param->ird;
	c->ord = param->ord;
	INIT_DELAYED_WORK(&c->timeout, vr_conn_timeout);

	mutex_lock(&vr_cm_lock);
	l = vr_listener_find(id->device, &id->m_remote_addr);
	if (l)
		rc = vr_conn_request(c, l, param);
	mutex_unlock(&vr_cm_lock);
	if (rc) {
		/* A full backlog is a refusal as well, and worth a retry. */
		vr_conn_refuse(c, -ECONNREFUSED, NULL, 0);
		vr_conn_free(c);
	}
	return 0;
}

static bool vr_qp_may_connect(const struct vr_qp *qp)
{
	return qp->state == IB_QPS_INIT || qp->state == IB_QPS_RTR;
}

/*
 * Link both ends and tell both sides, in one step as far as vr_qp_disconnect()
 * is concerned.  The references of both lookups pass to the links.
 */
static int vr_conn_establish(struct vr_conn *c, struct iw_cm_id *id,
			     struct vr_qp *qp,
			     const struct iw_cm_conn_param *param)
{
	struct iw_cm_event est = {
		.event = IW_CM_EVENT_ESTABLISHED,
		.local_addr = id->m_local_addr,
		.remote_addr = id->m_remote_addr,
		.ird = c->ird,
		.ord = c->ord,
	};
	struct iw_cm_event rep = {
		.event = IW_CM_EVENT_CONNECT_REPLY,
		.local_addr = c->acm->m_local_addr,
		.remote_addr = c->acm->m_remote_addr,
		.private_data = (void *)param->private_data,
		.private_data_len = param->private_data_len,
		.ird = param->ird,
		.ord = param->ord,
	};
	struct vr_qp *first = min(qp, c->aqp), *second = max(qp, c->aqp);
	unsigned long flags;
	int rc = -ECONNRESET;

	spin_lock_irqsave(&first->lock, flags);
	spin_lock_nested(&second->lock, SINGLE_DEPTH_NESTING);
	if (vr_qp_may_connect(qp) && vr_qp_may_connect(c->aqp))
		rc = c->acm->event_handler(c->acm, &rep);
	if (!rc) {
		/* Cannot fail: no private data, and iwcm has kept a slot. */
		id->event_handler(id, &est);
		WRITE_ONCE(qp->state, IB_QPS_RTS);
		WRITE_ONCE(c->aqp->state, IB_QPS_RTS);
		qp->peer = c->aqp;
		c->aqp->peer = qp;
		qp->cm_id = id;
		c->aqp->cm_id = c->acm;
	}
	spin_unlock(&second->lock);
	spin_unlock_irqrestore(&first->lock, flags);
	return rc;
}

/**
 * vr_iw_accept - ib_device_ops.iw_accept
 * @id: cm_id of the passive side
 * @param: QP, private data, read depths
 *
 * Context: process context.
 *
 * Return: 0, and the connection is established, or a negative errno, and the
 * active side has been told.
 */
int vr_iw_accept(struct iw_cm_id *id, struct iw_cm_conn_param *param)
{
	struct vr_conn *c = vr_conn_claim((unsigned long)id->provider_data);
	struct vr_dev *d = to_vdev(id->device);
	struct vr_qp *qp;
	int rc = -EINVAL;

	if (!c)
		return -ECONNRESET;
	qp = vr_qp_find(d, param->qpn);
	if (qp && qp != c->aqp && param->ird <= VR_MAX_RD &&
	    param->ord <= VR_MAX_RD && param->private_data_len <= U8_MAX) {
		id->add_ref(id);
		rc = vr_conn_establish(c, id, qp, param);
		if (rc)
			id->rem_ref(id);
	}
	if (rc) {
		if (qp)
			vr_qp_put(qp);
		vr_conn_refuse(c, -ECONNRESET, NULL, 0);
		vr_conn_free(c);
		return rc;
	}
	vr_count(c->aqp->dev, VR_STAT_CONNECTS, 1);
	if (d != c->aqp->dev)
		vr_count(d, VR_STAT_CONNECTS, 1);
	/* Its references live on in the QPs. */
	kfree(c);
	return 0;
}

/**
 * vr_iw_reject - ib_device_ops.iw_reject
 * @id: cm_id of the passive side
 * @pdata: private data for the active side
 * @len: its length
 *
 * Return: 0, or -EINVAL if the request is no more.
 */
int vr_iw_reject(struct iw_cm_id *id, const void *pdata, u8 len)
{
	struct vr_conn *c = vr_conn_claim((unsigned long)id->provider_data);

	if (!c)
		return -EINVAL;
	vr_conn_refuse(c, -ECONNREFUSED, pdata, len);
	vr_conn_free(c);
	return 0;
}

/**
 * vr_iw_create_listen - ib_device_ops.iw_create_listen
 * @id: the listening cm_id
 * @backlog: unused, iwcm does the counting
 *
 * Return: 0 or a negative errno.
 */
int vr_iw_create_listen(struct iw_cm_id *id, int backlog)
{
	struct vr_listener *l = kzalloc_obj(*l);

	if (!l)
		return -ENOMEM;
	id->add_ref(id);
	id->provider_data = l;
	l->cm_id = id;
	mutex_lock(&vr_cm_lock);
	list_add_tail(&l->list, &vr_listeners);
	mutex_unlock(&vr_cm_lock);
	return 0;
}

/* Claim an unanswered request to @l or of @aqp; NULL if there is none. */
static struct vr_conn *vr_conn_of(const struct vr_listener *l,
				  const struct vr_qp *aqp)
{
	struct vr_conn *c;
	unsigned long i;

	xa_lock(&vr_conns);
	xa_for_each(&vr_conns, i, c) {
		if (c->lst == l || c->aqp == aqp) {
			__xa_erase(&vr_conns, i);
			break;
		}
	}
	xa_unlock(&vr_conns);
	if (c)
		cancel_delayed_work_sync(&c->timeout);
	return c;
}

/**
 * vr_cm_abort - give up a connection that is being set up
 * @qp: QP of the active side, in ERR; it need not have such a connection
 *
 * Spares whoever destroys the QP waiting for an answer.
 *
 * Context: process context, no locks held.
 */
void vr_cm_abort(struct vr_qp *qp)
{
	struct vr_conn *c = vr_conn_of(NULL, qp);

	if (!c)
		return;
	vr_conn_refuse(c, -ECONNRESET, NULL, 0);
	vr_conn_free(c);
}

/**
 * vr_iw_destroy_listen - ib_device_ops.iw_destroy_listen
 * @id: the listening cm_id
 *
 * Refuses what has not been answered: iwcm drops the queued requests of a dying
 * listener.
 *
 * Return: 0.
 */
int vr_iw_destroy_listen(struct iw_cm_id *id)
{
	struct vr_listener *l = id->provider_data;
	struct vr_conn *c;

	if (!l)
		return 0;
	id->provider_data = NULL;
	mutex_lock(&vr_cm_lock);
	list_del(&l->list);
	while ((c = vr_conn_of(l, NULL))) {
		vr_conn_refuse(c, -ECONNRESET, NULL, 0);
		vr_conn_free(c);
	}
	mutex_unlock(&vr_cm_lock);
	id->rem_ref(id);
	kfree(l);
	return 0;
}

/**
 * vr_cm_exit - check that nothing is left when the module goes
 */
void vr_cm_exit(void)
{
	WARN_ON(!xa_empty(&vr_conns) || !list_empty(&vr_listeners));
	xa_destroy(&vr_conns);
}
