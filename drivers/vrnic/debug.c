// SPDX-License-Identifier: GPL-2.0
/*
 * debugfs: /sys/kernel/debug/vrnic/NAME/{stats,ctl,routes}, where NAME is what
 * the device was called when it was added.
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "vrnic.h"

static struct dentry *vr_debug_root;

static const char * const vr_stat_names[VR_STATS] = {
	[VR_STAT_RAM_READ]		= "ram_read_bytes",
	[VR_STAT_RAM_WRITE]		= "ram_write_bytes",
	[VR_STAT_P2P_BUS_READ]		= "p2p_bus_read_bytes",
	[VR_STAT_P2P_BUS_WRITE]		= "p2p_bus_write_bytes",
	[VR_STAT_P2P_IOMMU_READ]	= "p2p_iommu_read_bytes",
	[VR_STAT_P2P_IOMMU_WRITE]	= "p2p_iommu_write_bytes",
	[VR_STAT_DMA_FAULTS]		= "dma_faults",
	[VR_STAT_SKIPPED]		= "skipped_bytes",
	[VR_STAT_SEND]			= "send",
	[VR_STAT_RECV]			= "recv",
	[VR_STAT_WRITE]			= "rdma_write",
	[VR_STAT_READ]			= "rdma_read",
	[VR_STAT_REG_MR]		= "reg_mr",
	[VR_STAT_LOCAL_INV]		= "local_inv",
	[VR_STAT_CONNECTS]		= "connects",
	[VR_STAT_KILLS]			= "kills",
	[VR_STAT_INJECTED]		= "injected",
	[VR_STAT_FLUSHED]		= "flushed",
};

struct vr_name {
	const char *name;
	int value;
};

static const struct vr_name vr_ops[] = {
	{ "send",	IB_WR_SEND },
	{ "send_inv",	IB_WR_SEND_WITH_INV },
	{ "write",	IB_WR_RDMA_WRITE },
	{ "read",	IB_WR_RDMA_READ },
	{ "read_inv",	IB_WR_RDMA_READ_WITH_INV },
	{ "reg_mr",	IB_WR_REG_MR },
	{ "local_inv",	IB_WR_LOCAL_INV },
};

static const struct vr_name vr_statuses[] = {
	{ "loc_len_err",	IB_WC_LOC_LEN_ERR },
	{ "loc_qp_op_err",	IB_WC_LOC_QP_OP_ERR },
	{ "loc_prot_err",	IB_WC_LOC_PROT_ERR },
	{ "wr_flush_err",	IB_WC_WR_FLUSH_ERR },
	{ "mw_bind_err",	IB_WC_MW_BIND_ERR },
	{ "bad_resp_err",	IB_WC_BAD_RESP_ERR },
	{ "loc_access_err",	IB_WC_LOC_ACCESS_ERR },
	{ "rem_inv_req_err",	IB_WC_REM_INV_REQ_ERR },
	{ "rem_access_err",	IB_WC_REM_ACCESS_ERR },
	{ "rem_op_err",		IB_WC_REM_OP_ERR },
	{ "retry_exc_err",	IB_WC_RETRY_EXC_ERR },
	{ "rnr_retry_exc_err",	IB_WC_RNR_RETRY_EXC_ERR },
	{ "rem_abort_err",	IB_WC_REM_ABORT_ERR },
	{ "fatal_err",		IB_WC_FATAL_ERR },
	{ "resp_timeout_err",	IB_WC_RESP_TIMEOUT_ERR },
	{ "general_err",	IB_WC_GENERAL_ERR },
};

static int vr_lookup(const struct vr_name *tab, size_t n, const char *name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!strcmp(tab[i].name, name))
			return tab[i].value;
	return -EINVAL;
}

/**
 * vr_op_name - name of an opcode
 * @op: the opcode
 *
 * Return: the name that "inject" takes, too.
 */
const char *vr_op_name(enum ib_wr_opcode op)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(vr_ops); i++)
		if (vr_ops[i].value == op)
			return vr_ops[i].name;
	return "unknown";
}

/* ----------------------------------------------------------------- stats */

static int vr_stats_show(struct seq_file *m, void *v)
{
	struct vr_dev *d = m->private;
	enum vr_stat s;

	seq_printf(m, "bdf %s\n", pci_name(d->func->pdev));
	seq_printf(m, "paused %d\n", READ_ONCE(d->paused));
	for (s = 0; s < VR_STATS; s++)
		seq_printf(m, "%s %lld\n", vr_stat_names[s],
			   atomic64_read(&d->stat[s]));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(vr_stats);

static void vr_show_qp(struct seq_file *m, struct vr_qp *qp)
{
	struct vr_qp *peer = vr_qp_peer(qp);

	seq_printf(m, "qp %u state %d peer %s%c%u wr %llu bytes %llu sq %u rq %u\n",
		   qp->ibqp.qp_num, READ_ONCE(qp->state),
		   peer ? dev_name(&peer->dev->ibdev.dev) : "none",
		   peer ? '/' : ' ', peer ? peer->ibqp.qp_num : 0,
		   READ_ONCE(qp->nr_wr), READ_ONCE(qp->nr_bytes),
		   READ_ONCE(qp->sq.head) - READ_ONCE(qp->sq.tail),
		   READ_ONCE(qp->rq.head) - READ_ONCE(qp->rq.tail));
	if (peer)
		vr_qp_put(peer);
}

static int vr_routes_show(struct seq_file *m, void *v)
{
	struct vr_dev *d = m->private;
	unsigned long i;
	struct vr_qp *qp;

	vr_fabric_show(&d->func->fabric, m);
	xa_for_each(&d->qps, i, qp) {
		qp = vr_qp_find(d, i);
		if (!qp)
			continue;
		vr_show_qp(m, qp);
		vr_qp_put(qp);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(vr_routes);

/* ------------------------------------------------------------------- ctl */

static void vr_kill(struct vr_dev *d)
{
	unsigned long i;
	struct vr_qp *qp;

	xa_for_each(&d->qps, i, qp) {
		qp = vr_qp_find(d, i);
		if (!qp)
			continue;
		/* The other end of a loopback connection is found in ERR. */
		if (vr_qp_connected(qp) && vr_qp_disconnect(qp, true))
			vr_count(d, VR_STAT_KILLS, 1);
		vr_qp_put(qp);
	}
}

/**
 * vr_pause - execute no request from now on
 * @d: the device
 *
 * What was posted stays queued, so that whoever waits for it has to, for as
 * long as a test needs. Connections come, go and are flushed as usual.
 */
void vr_pause(struct vr_dev *d)
{
	WRITE_ONCE(d->paused, true);
}

static void vr_resume(struct vr_dev *d)
{
	unsigned long i;
	struct vr_qp *qp;

	WRITE_ONCE(d->paused, false);
	xa_for_each(&d->qps, i, qp) {
		qp = vr_qp_find(d, i);
		if (!qp)
			continue;
		queue_work(vr_wq, &qp->work);
		vr_qp_put(qp);
	}
}

/* "OP STATUS [SKIP]" to fail a request, "OP [SKIP]" to pause before it. */
static int vr_arm(struct vr_dev *d, char *args, bool pause)
{
	const char *name = strsep(&args, " ");
	const char *status = pause ? NULL : strsep(&args, " ");
	const char *skip = strsep(&args, " ");
	int st = IB_WC_SUCCESS;
	unsigned int n = 0;
	int op;

	if (!name || (!pause && !status) || args ||
	    (skip && kstrtouint(skip, 0, &n)))
		return -EINVAL;
	op = vr_lookup(vr_ops, ARRAY_SIZE(vr_ops), name);
	if (status)
		st = vr_lookup(vr_statuses, ARRAY_SIZE(vr_statuses), status);
	if (op < 0 || st < 0)
		return -EINVAL;
	spin_lock(&d->inject.lock);
	d->inject.op = op;
	d->inject.status = st;
	d->inject.skip = n;
	WRITE_ONCE(d->inject.armed, true);
	spin_unlock(&d->inject.lock);
	return 0;
}

/**
 * vr_inject_hit - is this the work request to fail, or to pause before?
 * @d: its device
 * @op: its opcode
 * @status: set to the status to fail it with, if so; IB_WC_SUCCESS: pause
 *
 * Context: process context.
 * Return: true if so, and then it is not asked for again.
 */
bool vr_inject_hit(struct vr_dev *d, enum ib_wr_opcode op,
		   enum ib_wc_status *status)
{
	bool hit = false;

	if (likely(!READ_ONCE(d->inject.armed)))
		return false;
	spin_lock(&d->inject.lock);
	if (d->inject.armed && d->inject.op == op && !d->inject.skip--) {
		*status = d->inject.status;
		WRITE_ONCE(d->inject.armed, false);
		hit = true;
	}
	spin_unlock(&d->inject.lock);
	return hit;
}

static ssize_t vr_ctl_write(struct file *file, const char __user *ubuf,
			    size_t n, loff_t *pos)
{
	struct vr_dev *d = file->private_data;
	char buf[80], *cmd = buf, *word;
	int rc = 0;
	int i;

	if (n >= sizeof(buf))
		return -EINVAL;
	if (copy_from_user(buf, ubuf, n))
		return -EFAULT;
	buf[n] = '\0';
	cmd = strim(buf);
	word = strsep(&cmd, " ");
	if (!strcmp(word, "kill") && !cmd) {
		vr_kill(d);
	} else if (!strcmp(word, "pause")) {
		if (cmd)
			rc = vr_arm(d, cmd, true);
		else
			vr_pause(d);
	} else if (!strcmp(word, "resume") && !cmd) {
		vr_resume(d);
	} else if (!strcmp(word, "refuse_p2p") && !cmd) {
		WRITE_ONCE(d->refuse_p2p, true);
	} else if (!strcmp(word, "accept_p2p") && !cmd) {
		WRITE_ONCE(d->refuse_p2p, false);
	} else if (!strcmp(word, "reset") && !cmd) {
		for (i = 0; i < VR_STATS; i++)
			atomic64_set(&d->stat[i], 0);
	} else {
		rc = strcmp(word, "inject") ? -EINVAL : vr_arm(d, cmd, false);
	}
	if (rc)
		ibdev_warn_ratelimited(&d->ibdev,
				       "ctl: expected \"kill\", \"pause [OP [SKIP]]\", \"resume\", \"refuse_p2p\", \"accept_p2p\", \"reset\" or \"inject OP STATUS [SKIP]\", see README.md for names\n");
	return rc ? rc : n;
}

static const struct file_operations vr_ctl_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = vr_ctl_write,
	.llseek = noop_llseek,
};

/* ------------------------------------------------------------ life cycle */

/**
 * vr_debug_add - create the files of a device
 * @d: the device, named
 *
 * Failure is not an error, as is the custom with debugfs.
 */
void vr_debug_add(struct vr_dev *d)
{
	d->dbg = debugfs_create_dir(dev_name(&d->ibdev.dev), vr_debug_root);
	debugfs_create_file("stats", 0444, d->dbg, d, &vr_stats_fops);
	debugfs_create_file("routes", 0444, d->dbg, d, &vr_routes_fops);
	debugfs_create_file("ctl", 0200, d->dbg, d, &vr_ctl_fops);
}

/**
 * vr_debug_remove - remove the files of a device
 * @d: the device
 *
 * Waits for those who read or write them.
 */
void vr_debug_remove(struct vr_dev *d)
{
	debugfs_remove_recursive(d->dbg);
	d->dbg = NULL;
}

/**
 * vr_debug_init - create the directory of the module
 */
void vr_debug_init(void)
{
	vr_debug_root = debugfs_create_dir("vrnic", NULL);
}

/**
 * vr_debug_exit - remove the directory of the module
 */
void vr_debug_exit(void)
{
	debugfs_remove_recursive(vr_debug_root);
}
