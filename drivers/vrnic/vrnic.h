/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vrnic - a virtual RDMA NIC on a real PCI function.
 *
 * The NIC speaks iWARP verbs, but there is no wire: both ends of a connection
 * are vrnic devices of this machine, often one and the same.  The DMA engine is
 * the CPU.  What makes it useful is that its dma_device is a PCI function, so
 * that users of the RDMA stack map memory for it with the true DMA API, and
 * that it then honours the DMA addresses it is given (dma.h).
 *
 * How data walks
 * --------------
 * post (post.c) copies a work request into a ring and queues the QP's work item;
 * the worker (qp.c) takes the requests in order, executes them (exec.c), which
 * looks up memory regions (mr.c) and moves bytes (dma.c, copy.c), and delivers
 * completions (cq.c).  Connections are set up through iwcm (cm.c).
 *
 * Who protects what
 * -----------------
 * vr_qp.lock (spinlock, irqs off) guards the state, the indices of both rings,
 * the peer and the cm_id of a QP.  Ring slots need no lock: a slot between tail
 * and head belongs to the consumer, any other to the poster.  The consumer of
 * a send ring is the QP's worker.  The consumer of a receive ring is whoever
 * holds vr_qp.rx.
 *
 * vr_qp.rx (mutex) is held by the *peer's* worker while it moves data from or
 * to this QP's side, and by this QP's own worker while it flushes.  It is what
 * makes a flushed completion mean "no more DMA": the state is ERR before the
 * flush begins, so a peer that gets the mutex later does not move anything.
 *
 * vr_mr.users counts data movers inside a memory region; invalidation and
 * deregistration first make the region unusable, then wait for the count.  A
 * counter and not a lock, since one request may use many regions, and a remote
 * and a local one of the same name at once.
 *
 * vr_cq.lock guards a completion ring.  The completion handler is called
 * without any spinlock held, and never in hard interrupt context.
 *
 * Order, outermost first:
 *   vr_cm_lock > vr_qp.rx (of the peer only; a worker never holds two)
 *     > vr_qp.lock (two only in vr_accept(), in order of address)
 *       > locks of iwcm, vr_mr.lock
 *   xarray locks, vr_cq.lock, vr_fabric.lock, vr_inject.lock: leaves.
 * A worker that waits for vr_mr.users holds at most its peer's rx, and whoever
 * it waits for needs no rx to finish: it is in the middle of a copy.
 *
 * Lifetimes
 * ---------
 * A QP is referenced by its creator, by its peer, by iwcm (add_ref, rem_ref),
 * by a pending connection, and by a worker that uses it as a peer; destroying
 * it waits for all of them.  A memory region is referenced by its creator and
 * by REG_MR requests in rings.  The PCI function (struct vr_func) outlives the
 * ib_device: PCI removal unregisters the latter and waits until the RDMA core
 * has called back that it is gone.
 */
#ifndef VRNIC_H
#define VRNIC_H

#include <linux/completion.h>
#include <linux/etherdevice.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <rdma/ib_verbs.h>
#include <rdma/iw_cm.h>

#include "dma.h"

/*
 * A number of our own, as ib_unregister_driver() and ib_device_get_by_netdev()
 * take "unknown" for everybody.  User space never sees it: there are no user
 * verbs.
 */
#define VR_DRIVER_ID	((enum rdma_driver_id)0x7672)

#define VR_MAX_WR	16384
#define VR_MAX_SGE	16
#define VR_MAX_CQE	BIT(17)
#define VR_MAX_RD	128
#define VR_MAX_FR	4096

/*
 * Counters of a device; README.md says what each counts.  The first six are
 * indexed by route and direction, see vr_stat_bytes().
 */
enum vr_stat {
	VR_STAT_RAM_READ,
	VR_STAT_RAM_WRITE,
	VR_STAT_P2P_BUS_READ,
	VR_STAT_P2P_BUS_WRITE,
	VR_STAT_P2P_IOMMU_READ,
	VR_STAT_P2P_IOMMU_WRITE,
	VR_STAT_DMA_FAULTS,
	VR_STAT_SKIPPED,
	VR_STAT_SEND,
	VR_STAT_RECV,
	VR_STAT_WRITE,
	VR_STAT_READ,
	VR_STAT_REG_MR,
	VR_STAT_LOCAL_INV,
	VR_STAT_CONNECTS,
	VR_STAT_KILLS,
	VR_STAT_INJECTED,
	VR_STAT_FLUSHED,
	VR_STATS,
};

/**
 * struct vr_func - a PCI function that is bound to this driver
 * @node:	member of the list of functions, in order of address
 * @pdev:	the function
 * @fabric:	its view of the PCI fabric
 * @kref:	held by the PCI binding and by link creation
 * @busy:	an ib_device uses it or is about to; under vr_funcs_lock
 * @dying:	PCI removal has begun; under vr_funcs_lock
 * @dev:	that ib_device, or NULL; under vr_funcs_lock
 * @idle:	woken when @busy becomes false
 */
struct vr_func {
	struct list_head node;
	struct pci_dev *pdev;
	struct vr_fabric fabric;
	struct kref kref;
	bool busy;
	bool dying;
	struct vr_dev *dev;
	wait_queue_head_t idle;
};

/**
 * struct vr_inject - one armed error, or one armed pause
 * @lock:	guards the rest
 * @op:		opcode of the work request to fail, or to pause at
 * @status:	status to fail it with; IB_WC_SUCCESS: pause before it
 * @skip:	how many of this opcode to let pass before
 * @armed:	whether it is armed; read without the lock as a hint
 */
struct vr_inject {
	spinlock_t lock; /* see above */
	enum ib_wr_opcode op;
	enum ib_wc_status status;
	unsigned int skip;
	bool armed;
};

/**
 * struct vr_dev - an RDMA device
 * @ibdev:	the core's part
 * @func:	the PCI function below it
 * @qps:	QPs by number
 * @mrs:	memory regions by STag >> 8; its lock guards their registration
 * @inject:	an error to inject
 * @paused:	send requests stay queued until told otherwise
 * @refuse_p2p:	regions of peers' BARs cannot be registered
 * @mac:	hardware address of the netdev, for GIDs and GUIDs
 * @dbg:	debugfs directory
 * @stat:	counters
 */
struct vr_dev {
	struct ib_device ibdev;
	struct vr_func *func;
	struct xarray qps;
	struct xarray mrs;
	struct vr_inject inject;
	bool paused;
	bool refuse_p2p;
	u8 mac[ETH_ALEN];
	struct dentry *dbg;
	atomic64_t stat[VR_STATS];
};

/**
 * struct vr_cq - a completion queue
 * @ibcq:	the core's part
 * @lock:	guards the rest
 * @q:		ring of @size entries, a power of two
 * @size:	its size; only @ibcq.cqe entries are used
 * @head:	where to put the next one, free running
 * @tail:	where to take the next one, free running
 * @arm:	what the owner wants to be told of
 * @overflow:	an entry was lost; the CQ is of no more use
 */
struct vr_cq {
	struct ib_cq ibcq;
	spinlock_t lock; /* see above */
	struct ib_wc *q;
	u32 size;
	u32 head;
	u32 tail;
	enum ib_cq_notify_flags arm;
	bool overflow;
};

/**
 * struct vr_pd - a protection domain; all there is to it is its address
 * @ibpd:	the core's part
 */
struct vr_pd {
	struct ib_pd ibpd;
};

/**
 * struct vr_pagelist - pages of a fast registration
 * @npages:	how many are valid
 * @shift:	their size, as a power of two
 * @page:	their DMA addresses
 */
struct vr_pagelist {
	u32 npages;
	u32 shift;
	u64 page[];
};

/**
 * struct vr_mr - a memory region for fast registration
 * @ibmr:	the core's part
 * @dev:	the device
 * @kref:	creator and REG_MR requests in rings
 * @max_pages:	capacity of a page list
 * @lock:	guards @staging and @spare
 * @staging:	what map_mr_sg() fills in; REG_MR takes it away when posted
 * @spare:	the next @staging, kept for contexts that must not allocate
 * @active:	the page list that is registered.  This and the following
 *		change under the lock of vr_dev.mrs, @valid false, no @users
 * @valid:	whether it is registered
 * @dead:	it is being deregistered
 * @stag:	its current name: index << 8 | key
 * @iova:	first address
 * @len:	number of bytes
 * @access:	IB_ACCESS_*
 * @users:	data movers inside
 * @wait:	woken when @users falls
 */
struct vr_mr {
	struct ib_mr ibmr;
	struct vr_dev *dev;
	struct kref kref;
	u32 max_pages;
	spinlock_t lock; /* see above */
	struct vr_pagelist *staging;
	struct vr_pagelist *spare;
	struct vr_pagelist *active;
	bool valid;
	bool dead;
	u32 stag;
	u64 iova;
	u64 len;
	int access;
	atomic_t users;
	wait_queue_head_t wait;
};

/**
 * struct vr_sgl - a validated list of SGEs and a cursor in it
 * @dev:	the device whose DMA addresses they hold
 * @sge:	the SGEs
 * @nsge:	how many
 * @len:	number of bytes in all of them
 * @mr:		their regions, NULL for plain DMA addresses
 * @cur:	SGE of the cursor
 * @off:	bytes of that SGE before the cursor
 */
struct vr_sgl {
	struct vr_dev *dev;
	const struct ib_sge *sge;
	unsigned int nsge;
	u64 len;
	struct vr_mr *mr[VR_MAX_SGE];
	unsigned int cur;
	u32 off;
};

/**
 * struct vr_wqe - a posted work request
 * @wr_id:	from the poster
 * @op:		opcode; unused for receives
 * @flags:	IB_SEND_*
 * @nsge:	number of SGEs; they are in the ring's SGE array
 * @rkey:	remote key, key to invalidate, or new key of a registration
 * @raddr:	remote address, or first address of a registration
 * @len:	length of a registration
 * @access:	access rights of a registration
 * @mr:		region to register, referenced
 * @pl:		its pages, owned
 */
struct vr_wqe {
	u64 wr_id;
	enum ib_wr_opcode op;
	int flags;
	u32 nsge;
	u32 rkey;
	u64 raddr;
	u64 len;
	int access;
	struct vr_mr *mr;
	struct vr_pagelist *pl;
};

/**
 * struct vr_ring - a send or receive queue
 * @wqe:	ring of @size entries, a power of two
 * @sge:	@max_sge SGEs for each of them
 * @size:	its size
 * @max_wr:	how many entries may be in use, as the creator asked
 * @max_sge:	SGEs an entry
 * @head:	where to put the next one, free running; under vr_qp.lock
 * @tail:	the oldest one in use, free running; under vr_qp.lock
 */
struct vr_ring {
	struct vr_wqe *wqe;
	struct ib_sge *sge;
	u32 size;
	u32 max_wr;
	u32 max_sge;
	u32 head;
	u32 tail;
};

/**
 * struct vr_qp - a queue pair
 * @ibqp:	the core's part
 * @dev:	the device
 * @ref:	references, see the top of this file
 * @freed:	completed when @ref falls to zero
 * @lock:	guards @state to @cm_id and the ring indices
 * @state:	IB_QPS_*
 * @access:	what the peer may do here, IB_ACCESS_REMOTE_*
 * @sq_stop:	in SQD, the head of the send ring when that began
 * @peer:	the other end, referenced, or NULL
 * @cm_id:	the connection, referenced, or NULL
 * @sq:		send ring
 * @rq:		receive ring
 * @work:	executes the send ring, flushes both
 * @rx:		see the top of this file
 * @sig_all:	every send completion is wanted
 * @cap:	capabilities, for query
 * @nr_wr:	requests that succeeded, for debugfs
 * @nr_bytes:	their payload, for debugfs
 */
struct vr_qp {
	struct ib_qp ibqp;
	struct vr_dev *dev;
	refcount_t ref;
	struct completion freed;
	spinlock_t lock; /* see above */
	enum ib_qp_state state;
	int access;
	u32 sq_stop;
	struct vr_qp *peer;
	struct iw_cm_id *cm_id;
	struct vr_ring sq;
	struct vr_ring rq;
	struct work_struct work;
	struct mutex rx; /* see the top of this file */
	bool sig_all;
	struct ib_qp_cap cap;
	u64 nr_wr;
	u64 nr_bytes;
};

/**
 * struct vr_result - what became of a send work request
 * @status:	of its completion
 * @bytes:	payload
 * @rnr:	it was not executed, as the peer has no receive posted
 * @peer_event:	asynchronous event for the peer, if @peer_fault
 * @peer_fault:	it was the peer that found the error
 */
struct vr_result {
	enum ib_wc_status status;
	u32 bytes;
	bool rnr;
	bool peer_fault;
	enum ib_event_type peer_event;
};

static inline struct vr_dev *to_vdev(struct ib_device *ibdev)
{
	return container_of(ibdev, struct vr_dev, ibdev);
}

static inline struct vr_cq *to_vcq(struct ib_cq *ibcq)
{
	return container_of(ibcq, struct vr_cq, ibcq);
}

static inline struct vr_qp *to_vqp(struct ib_qp *ibqp)
{
	return container_of(ibqp, struct vr_qp, ibqp);
}

static inline struct vr_mr *to_vmr(struct ib_mr *ibmr)
{
	return container_of(ibmr, struct vr_mr, ibmr);
}

static inline void vr_count(struct vr_dev *d, enum vr_stat stat, u64 n)
{
	atomic64_add(n, &d->stat[stat]);
}

static inline enum vr_stat vr_stat_bytes(enum vr_route route, bool write)
{
	return VR_STAT_RAM_READ + 2 * route + write;
}

/*
 * Kernel 6.12 has no devices but in the first network namespace, and no DMA handles
 * for MRs of user space.
 */
#ifdef ib_alloc_device_with_net
#define VR_DMAH struct ib_dmah *dmah,
#else
#define VR_DMAH
#define ib_alloc_device_with_net(drv_struct, member, net) \
	((void)(net), ib_alloc_device(drv_struct, member))
#endif

/* main.c */
extern unsigned int vr_max_fr;
extern bool vr_nocopy;
extern struct workqueue_struct *vr_wq;

/* mr.c */
struct ib_mr *vr_alloc_mr(struct ib_pd *pd, enum ib_mr_type type, u32 max);
struct ib_mr *vr_get_dma_mr(struct ib_pd *pd, int access);
struct ib_mr *vr_reg_user_mr(struct ib_pd *pd, u64 start, u64 len, u64 va,
			     int access, VR_DMAH struct ib_udata *udata);
int vr_dereg_mr(struct ib_mr *ibmr, struct ib_udata *udata);
int vr_map_mr_sg(struct ib_mr *ibmr, struct scatterlist *sg, int n,
		 unsigned int *off);
int vr_mr_capture(struct vr_wqe *w, const struct ib_reg_wr *wr);
void vr_mr_release(struct vr_wqe *w);
bool vr_mr_register(struct vr_wqe *w, struct ib_pd *pd);
bool vr_mr_invalidate(struct vr_dev *d, struct ib_pd *pd, u32 stag);
int vr_sgl_get(struct vr_sgl *sgl, struct vr_dev *d, struct ib_pd *pd,
	       const struct ib_sge *sge, unsigned int nsge, int access);
void vr_sgl_put(struct vr_sgl *sgl);
size_t vr_sgl_run(struct vr_sgl *sgl, dma_addr_t *addr);
void vr_sgl_advance(struct vr_sgl *sgl, size_t n);

/* cq.c */
int vr_create_cq(struct ib_cq *ibcq, const struct ib_cq_init_attr *attr,
		 struct uverbs_attr_bundle *attrs);
int vr_destroy_cq(struct ib_cq *ibcq, struct ib_udata *udata);
int vr_poll_cq(struct ib_cq *ibcq, int n, struct ib_wc *wc);
int vr_req_notify_cq(struct ib_cq *ibcq, enum ib_cq_notify_flags flags);
bool vr_complete(struct ib_cq *ibcq, const struct ib_wc *wc, bool solicited);
void vr_cq_purge(struct ib_cq *ibcq, const struct ib_qp *ibqp);

/* qp.c */
int vr_create_qp(struct ib_qp *ibqp, struct ib_qp_init_attr *attr,
		 struct ib_udata *udata);
int vr_modify_qp(struct ib_qp *ibqp, struct ib_qp_attr *attr, int mask,
		 struct ib_udata *udata);
int vr_query_qp(struct ib_qp *ibqp, struct ib_qp_attr *attr, int mask,
		struct ib_qp_init_attr *init);
int vr_destroy_qp(struct ib_qp *ibqp, struct ib_udata *udata);
struct vr_qp *vr_qp_find(struct vr_dev *d, u32 qpn);
struct vr_qp *vr_qp_peer(struct vr_qp *qp);
void vr_qp_get(struct vr_qp *qp);
void vr_qp_put(struct vr_qp *qp);
bool vr_qp_connected(struct vr_qp *qp);
bool vr_qp_disconnect(struct vr_qp *qp, bool remote);
void vr_qp_event(struct vr_qp *qp, enum ib_event_type type);
void vr_recv_complete(struct vr_qp *qp, struct ib_wc *wc, bool solicited);

/* post.c */
int vr_post_send(struct ib_qp *ibqp, const struct ib_send_wr *wr,
		 const struct ib_send_wr **bad);
int vr_post_recv(struct ib_qp *ibqp, const struct ib_recv_wr *wr,
		 const struct ib_recv_wr **bad);
int vr_ring_init(struct vr_ring *ring, u32 max_wr, u32 max_sge);
void vr_ring_free(struct vr_ring *ring);
struct ib_sge *vr_ring_sge(const struct vr_ring *ring, u32 index);
struct vr_wqe *vr_ring_first(struct vr_qp *qp, struct vr_ring *ring);
void vr_ring_pop(struct vr_qp *qp, struct vr_ring *ring);
struct vr_wqe *vr_rq_first(struct vr_qp *qp, const struct ib_sge **sge);

/* exec.c */
void vr_exec(struct vr_qp *qp, struct vr_wqe *w, const struct ib_sge *sge,
	     struct vr_result *res);
enum ib_wc_opcode vr_wc_opcode(enum ib_wr_opcode op);

/* cm.c */
int vr_iw_connect(struct iw_cm_id *id, struct iw_cm_conn_param *param);
int vr_iw_accept(struct iw_cm_id *id, struct iw_cm_conn_param *param);
int vr_iw_reject(struct iw_cm_id *id, const void *pdata, u8 len);
int vr_iw_create_listen(struct iw_cm_id *id, int backlog);
int vr_iw_destroy_listen(struct iw_cm_id *id);
void vr_iw_add_ref(struct ib_qp *ibqp);
void vr_iw_rem_ref(struct ib_qp *ibqp);
struct ib_qp *vr_iw_get_qp(struct ib_device *ibdev, int qpn);
void vr_cm_abort(struct vr_qp *qp);
void vr_cm_exit(void);

/* debug.c */
void vr_debug_init(void);
void vr_debug_exit(void);
void vr_debug_add(struct vr_dev *d);
void vr_debug_remove(struct vr_dev *d);
const char *vr_op_name(enum ib_wr_opcode op);
void vr_pause(struct vr_dev *d);
bool vr_inject_hit(struct vr_dev *d, enum ib_wr_opcode op,
		   enum ib_wc_status *status);

#endif
