// SPDX-License-Identifier: GPL-2.0
/*
 * Module, PCI functions, RDMA devices.
 *
 * A PCI function that is bound to this driver is idle until "rdma link add"
 * puts an RDMA device on it.  The device goes away through "rdma link delete",
 * with its netdev, with the PCI function, or with the module.  The RDMA core
 * allows these to race and calls dealloc_driver exactly once, when nobody uses
 * the device any more; that is where the function becomes idle again, and what
 * PCI removal waits for.
 *
 * A device that is still being registered cannot be unregistered by others.
 * So vr_newlink() looks, after registration, whether netdev and function are
 * still wanted.  Each look is under the lock under which the other side
 * announces that they are not (RTNL, vr_funcs_lock), so one of both sees it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/dma-mapping.h>
#include <linux/if_arp.h>
#include <linux/module.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <net/addrconf.h>
#include <rdma/rdma_netlink.h>

#include "vrnic.h"

unsigned int vr_max_fr = 256;
module_param_named(max_fr, vr_max_fr, uint, 0444);
MODULE_PARM_DESC(max_fr, "pages of a fast registration, 1 to 4096 (default 256)");

bool vr_nocopy;
module_param_named(nocopy, vr_nocopy, bool, 0644);
MODULE_PARM_DESC(nocopy, "do not copy RDMA READs and WRITEs of 4 KiB and more (default N)");

struct workqueue_struct *vr_wq;

/* Guards the list and, in its members, busy, dying and dev. */
static DEFINE_MUTEX(vr_funcs_lock);
static LIST_HEAD(vr_funcs);
/* One link at a time, so that a netdev cannot get two. */
static DEFINE_MUTEX(vr_link_lock);

/* ------------------------------------------------------------- functions */

static void vr_func_free(struct kref *kref)
{
	kfree(container_of(kref, struct vr_func, kref));
}

static u64 vr_func_order(const struct vr_func *f)
{
	return (u64)pci_domain_nr(f->pdev->bus) << 16 | pci_dev_id(f->pdev);
}

/* The idle function with the lowest address, now busy and referenced. */
static struct vr_func *vr_func_claim(void)
{
	struct vr_func *f, *found = NULL;
	bool any;

	mutex_lock(&vr_funcs_lock);
	any = !list_empty(&vr_funcs);
	list_for_each_entry(f, &vr_funcs, node) {
		if (f->busy)
			continue;
		f->busy = true;
		kref_get(&f->kref);
		found = f;
		break;
	}
	mutex_unlock(&vr_funcs_lock);
	if (found)
		return found;
	if (any)
		pr_err("all PCI functions are in use; delete a link or add a device 1234:11e8 to the machine\n");
	else
		pr_err("no PCI function is bound to this driver; add a device 1234:11e8 (QEMU: -device edu) to the machine\n");
	return ERR_PTR(any ? -EBUSY : -ENODEV);
}

static void vr_func_release(struct vr_func *f)
{
	mutex_lock(&vr_funcs_lock);
	f->dev = NULL;
	WRITE_ONCE(f->busy, false);
	wake_up_all(&f->idle);
	mutex_unlock(&vr_funcs_lock);
}

static int vr_pci_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct vr_func *f, *pos;
	int rc;

	rc = pcim_enable_device(pdev);
	if (rc)
		return dev_err_probe(&pdev->dev, rc, "cannot enable the device\n");
	pci_set_master(pdev);
	rc = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (rc)
		return dev_err_probe(&pdev->dev, rc,
				     "no 64-bit DMA possible here\n");
	dma_set_max_seg_size(&pdev->dev, UINT_MAX);
	/* A bounce buffer must keep the offset into the first page of an MR. */
	dma_set_min_align_mask(&pdev->dev, PAGE_SIZE - 1);

	f = kzalloc_obj(*f);
	if (!f)
		return -ENOMEM;
	kref_init(&f->kref);
	init_waitqueue_head(&f->idle);
	f->pdev = pdev;
	vr_fabric_init(&f->fabric, pdev);
	pci_set_drvdata(pdev, f);

	mutex_lock(&vr_funcs_lock);
	list_for_each_entry(pos, &vr_funcs, node)
		if (vr_func_order(pos) > vr_func_order(f))
			break;
	list_add_tail(&f->node, &pos->node);
	mutex_unlock(&vr_funcs_lock);
	pci_info(pdev, "idle; use it with: rdma link add NAME type vrnic netdev DEV\n");
	return 0;
}

static void vr_pci_remove(struct pci_dev *pdev)
{
	struct vr_func *f = pci_get_drvdata(pdev);
	struct ib_device *ibdev = NULL;

	mutex_lock(&vr_funcs_lock);
	list_del(&f->node);
	f->dying = true;
	if (f->dev && ib_device_try_get(&f->dev->ibdev))
		ibdev = &f->dev->ibdev;
	mutex_unlock(&vr_funcs_lock);
	if (ibdev)
		ib_unregister_device_and_put(ibdev);
	wait_event(f->idle, !READ_ONCE(f->busy));
	/* The waker holds the lock until it is done with the wait queue. */
	mutex_lock(&vr_funcs_lock);
	mutex_unlock(&vr_funcs_lock);
	vr_fabric_exit(&f->fabric);
	kref_put(&f->kref, vr_func_free);
}

static const struct pci_device_id vr_pci_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },		/* QEMU's edu */
	{}
};
MODULE_DEVICE_TABLE(pci, vr_pci_ids);

static struct pci_driver vr_pci_driver = {
	.name = KBUILD_MODNAME,
	.id_table = vr_pci_ids,
	.probe = vr_pci_probe,
	.remove = vr_pci_remove,
};

/* ---------------------------------------------------------- RDMA devices */

static int vr_query_device(struct ib_device *ibdev, struct ib_device_attr *attr,
			   struct ib_udata *udata)
{
	struct vr_dev *d = to_vdev(ibdev);

	attr->device_cap_flags = IB_DEVICE_MEM_MGT_EXTENSIONS;
	attr->kernel_cap_flags = IBK_LOCAL_DMA_LKEY | IBK_ALLOW_USER_UNREG;
	attr->vendor_id = d->func->pdev->vendor;
	attr->vendor_part_id = d->func->pdev->device;
	attr->max_mr_size = U64_MAX;
	attr->page_size_cap = ~(SZ_4K - 1);
	attr->max_qp = 4096;
	attr->max_cq = 4096;
	attr->max_pd = 4096;
	attr->max_mr = 0x100000;
	attr->max_qp_wr = VR_MAX_WR;
	attr->max_send_sge = VR_MAX_SGE;
	attr->max_recv_sge = VR_MAX_SGE;
	/* iWARP: the sink of a read is a single STag. */
	attr->max_sge_rd = 1;
	attr->max_cqe = VR_MAX_CQE;
	attr->max_qp_rd_atom = VR_MAX_RD;
	attr->max_qp_init_rd_atom = VR_MAX_RD;
	attr->max_res_rd_atom = VR_MAX_RD * 4096;
	attr->max_fast_reg_page_list_len = vr_max_fr;
	addrconf_addr_eui48((u8 *)&attr->sys_image_guid, d->mac);
	return 0;
}

static int vr_query_port(struct ib_device *ibdev, u32 port,
			 struct ib_port_attr *attr)
{
	/* State and MTU are filled in by the core, from the netdev. */
	attr->gid_tbl_len = 1;
	attr->max_msg_sz = U32_MAX;
	attr->active_speed = IB_SPEED_EDR;
	attr->active_width = IB_WIDTH_4X;
	attr->port_cap_flags = IB_PORT_CM_SUP;
	return 0;
}

static int vr_port_immutable(struct ib_device *ibdev, u32 port,
			     struct ib_port_immutable *immutable)
{
	immutable->gid_tbl_len = 1;
	immutable->core_cap_flags = RDMA_CORE_PORT_IWARP;
	return 0;
}

static int vr_query_gid(struct ib_device *ibdev, u32 port, int index,
			union ib_gid *gid)
{
	memset(gid, 0, sizeof(*gid));
	memcpy(gid->raw, to_vdev(ibdev)->mac, ETH_ALEN);
	return 0;
}

static int vr_alloc_pd(struct ib_pd *pd, struct ib_udata *udata)
{
	return udata ? -EOPNOTSUPP : 0;
}

static int vr_dealloc_pd(struct ib_pd *pd, struct ib_udata *udata)
{
	return 0;
}

static int vr_enable_driver(struct ib_device *ibdev)
{
	vr_debug_add(to_vdev(ibdev));
	return 0;
}

static void vr_dealloc_driver(struct ib_device *ibdev)
{
	struct vr_dev *d = to_vdev(ibdev);

	vr_debug_remove(d);
	WARN_ON(!xa_empty(&d->qps) || !xa_empty(&d->mrs));
	xa_destroy(&d->qps);
	xa_destroy(&d->mrs);
	vr_func_release(d->func);
}

static const struct ib_device_ops vr_dev_ops = {
	.owner = THIS_MODULE,
	.driver_id = VR_DRIVER_ID,

	.alloc_mr = vr_alloc_mr,
	.alloc_pd = vr_alloc_pd,
	.create_cq = vr_create_cq,
	.create_qp = vr_create_qp,
	.dealloc_driver = vr_dealloc_driver,
	.dealloc_pd = vr_dealloc_pd,
	.dereg_mr = vr_dereg_mr,
	.destroy_cq = vr_destroy_cq,
	.destroy_qp = vr_destroy_qp,
	.enable_driver = vr_enable_driver,
	.get_dma_mr = vr_get_dma_mr,
	.get_port_immutable = vr_port_immutable,
	.iw_accept = vr_iw_accept,
	.iw_add_ref = vr_iw_add_ref,
	.iw_connect = vr_iw_connect,
	.iw_create_listen = vr_iw_create_listen,
	.iw_destroy_listen = vr_iw_destroy_listen,
	.iw_get_qp = vr_iw_get_qp,
	.iw_reject = vr_iw_reject,
	.iw_rem_ref = vr_iw_rem_ref,
	.map_mr_sg = vr_map_mr_sg,
	.modify_qp = vr_modify_qp,
	.poll_cq = vr_poll_cq,
	.post_recv = vr_post_recv,
	.post_send = vr_post_send,
	.query_device = vr_query_device,
	.query_gid = vr_query_gid,
	.query_port = vr_query_port,
	.query_qp = vr_query_qp,
	.reg_user_mr = vr_reg_user_mr,
	.req_notify_cq = vr_req_notify_cq,

	INIT_RDMA_OBJ_SIZE(ib_cq, vr_cq, ibcq),
	INIT_RDMA_OBJ_SIZE(ib_pd, vr_pd, ibpd),
	INIT_RDMA_OBJ_SIZE(ib_qp, vr_qp, ibqp),
};

/* Allocate a device on @f, which passes to it, and tie it to @ndev. */
static struct vr_dev *vr_dev_create(struct vr_func *f, struct net_device *ndev)
{
	struct ib_device *ibdev;
	struct vr_dev *d;
	int rc;

	d = ib_alloc_device_with_net(vr_dev, ibdev, dev_net(ndev));
	if (!d) {
		vr_func_release(f);
		return ERR_PTR(-ENOMEM);
	}
	ibdev = &d->ibdev;
	d->func = f;
	xa_init_flags(&d->qps, XA_FLAGS_ALLOC1);
	xa_init_flags(&d->mrs, XA_FLAGS_ALLOC1);
	spin_lock_init(&d->inject.lock);
	if (ndev->addr_len == ETH_ALEN && !is_zero_ether_addr(ndev->dev_addr))
		ether_addr_copy(d->mac, ndev->dev_addr);
	else
		eth_random_addr(d->mac);
	addrconf_addr_eui48((u8 *)&ibdev->node_guid, d->mac);
	ibdev->node_type = RDMA_NODE_RNIC;
	strscpy(ibdev->node_desc, "vrnic", sizeof(ibdev->node_desc));
	ibdev->phys_port_cnt = 1;
	ibdev->num_comp_vectors = num_online_cpus();
	ibdev->dev.parent = &f->pdev->dev;
	/* There are no TCP ports to be mapped to others. */
	ibdev->iw_driver_flags = IW_F_NO_PORT_MAP;
	strscpy(ibdev->iw_ifname, ndev->name, sizeof(ibdev->iw_ifname));
	ib_set_device_ops(ibdev, &vr_dev_ops);
	ib_mark_name_assigned_by_user(ibdev);

	mutex_lock(&vr_funcs_lock);
	f->dev = d;
	mutex_unlock(&vr_funcs_lock);
	rc = ib_device_set_netdev(ibdev, ndev, 1);
	if (rc) {
		ib_dealloc_device(ibdev);
		return ERR_PTR(rc);
	}
	return d;
}

/* Has what the new device stands on gone away meanwhile? */
static bool vr_link_is_stale(struct vr_func *f, struct net_device *ndev)
{
	bool stale;

	mutex_lock(&vr_funcs_lock);
	stale = f->dying;
	mutex_unlock(&vr_funcs_lock);
	rtnl_lock();
	stale |= ndev->reg_state != NETREG_REGISTERED;
	rtnl_unlock();
	return stale;
}

static int vr_newlink_locked(const char *name, struct net_device *ndev)
{
	struct ib_device *ibdev;
	struct vr_func *f;
	struct vr_dev *d;
	int rc;

	ibdev = ib_device_get_by_netdev(ndev, VR_DRIVER_ID);
	if (ibdev) {
		ib_device_put(ibdev);
		return -EEXIST;
	}
	f = vr_func_claim();
	if (IS_ERR(f))
		return PTR_ERR(f);
	d = vr_dev_create(f, ndev);
	rc = PTR_ERR_OR_ZERO(d);
	if (!rc) {
		rc = ib_register_device(&d->ibdev, name, &f->pdev->dev);
		if (rc)
			ib_dealloc_device(&d->ibdev);
	}
	/* Once registered, d may be freed by others at any time. */
	if (!rc && vr_link_is_stale(f, ndev)) {
		ibdev = ib_device_get_by_netdev(ndev, VR_DRIVER_ID);
		if (ibdev)
			ib_unregister_device_and_put(ibdev);
		rc = -ENODEV;
	}
	if (!rc)
		pci_info(f->pdev, "%s on %s, %s\n", name, ndev->name,
			 f->fabric.domain ? "addresses translated by an IOMMU" :
					    "addresses not translated");
	kref_put(&f->kref, vr_func_free);
	return rc;
}

static int vr_newlink(const char *name, struct net_device *ndev)
{
	int rc;

	if (ndev->type != ARPHRD_ETHER && ndev->type != ARPHRD_LOOPBACK &&
	    ndev->type != ARPHRD_NONE) {
		pr_err("netdev %s has no Ethernet-like addresses\n",
		       ndev->name);
		return -EINVAL;
	}
	mutex_lock(&vr_link_lock);
	rc = vr_newlink_locked(name, ndev);
	mutex_unlock(&vr_link_lock);
	return rc;
}

static struct rdma_link_ops vr_link_ops = {
	.type = "vrnic",
	.newlink = vr_newlink,
};

static int vr_netdev_event(struct notifier_block *nb, unsigned long event,
			   void *data)
{
	struct net_device *ndev = netdev_notifier_info_to_dev(data);
	struct ib_device *ibdev;

	if (event != NETDEV_UNREGISTER)
		return NOTIFY_DONE;
	ibdev = ib_device_get_by_netdev(ndev, VR_DRIVER_ID);
	if (!ibdev)
		return NOTIFY_DONE;
	/* Users of the device may need RTNL to let go of it: not from here. */
	ib_unregister_device_queued(ibdev);
	ib_device_put(ibdev);
	return NOTIFY_OK;
}

static struct notifier_block vr_netdev_nb = {
	.notifier_call = vr_netdev_event,
};

/* ---------------------------------------------------------------- module */

static int __init vr_init(void)
{
	int rc;

	if (vr_max_fr < 1 || vr_max_fr > VR_MAX_FR) {
		pr_err("max_fr=%u is out of range, use 1 to %u\n", vr_max_fr,
		       VR_MAX_FR);
		return -EINVAL;
	}
	vr_wq = alloc_workqueue("vrnic",
				WQ_UNBOUND | WQ_MEM_RECLAIM | WQ_HIGHPRI, 0);
	if (!vr_wq)
		return -ENOMEM;
	rc = vr_fabric_module_init();
	if (rc)
		goto destroy_wq;
	vr_debug_init();
	rc = register_netdevice_notifier(&vr_netdev_nb);
	if (rc)
		goto exit_debug;
	rc = pci_register_driver(&vr_pci_driver);
	if (rc)
		goto unregister_netdev;
	rdma_link_register(&vr_link_ops);
	return 0;

unregister_netdev:
	unregister_netdevice_notifier(&vr_netdev_nb);
exit_debug:
	vr_debug_exit();
	vr_fabric_module_exit();
destroy_wq:
	destroy_workqueue(vr_wq);
	return rc;
}

static void __exit vr_exit(void)
{
	/* No new devices, then none at all, then nothing below them. */
	rdma_link_unregister(&vr_link_ops);
	unregister_netdevice_notifier(&vr_netdev_nb);
	ib_unregister_driver(VR_DRIVER_ID);
	pci_unregister_driver(&vr_pci_driver);
	vr_cm_exit();
	vr_debug_exit();
	vr_fabric_module_exit();
	destroy_workqueue(vr_wq);
}

module_init(vr_init);
module_exit(vr_exit);

MODULE_DESCRIPTION("virtual RDMA NIC on a real PCI function, for tests");
MODULE_LICENSE("GPL");
MODULE_ALIAS_RDMA_LINK("vrnic");
