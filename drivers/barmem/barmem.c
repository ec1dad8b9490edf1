// SPDX-License-Identifier: GPL-2.0
/*
 * barmem - publish an idle PCI BAR as peer-to-peer memory.
 *
 * Binds a function that nobody else drives (by default QEMU's ivshmem, whose
 * BAR 2 is plain shared memory) and hands the BAR to the kernel's p2pdma
 * allocator.  User space maps it through the p2pmem/allocate file in sysfs,
 * kernel users find it with pci_p2pmem_find().
 *
 * There is no remove function, and nothing to do in one: enabling the device,
 * claiming the BAR and adding the memory are device-managed, and the managed
 * resources go in reverse order.  So on unbind the allocate file goes first,
 * with all mappings of it; then the memory, which waits until the last page is
 * given back, be it pinned for I/O that takes its time; only then the BAR is
 * released and the device disabled.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/pci-p2pdma.h>

static unsigned int bar = 2;
module_param(bar, uint, 0444);
MODULE_PARM_DESC(bar, "BAR to publish, 0 to 5 (default 2)");

/* Why the BAR cannot be published, or NULL. */
static const char *bm_refusal(struct pci_dev *pdev)
{
	unsigned long flags = pci_resource_flags(pdev, bar);

	if (!pci_resource_len(pdev, bar))
		return "the device has no such BAR; choose another one with bar=";
	if (!(flags & IORESOURCE_MEM))
		return "it is an I/O port BAR; choose another one with bar=";
	if (flags & IORESOURCE_UNSET)
		return "the firmware assigned no address to it";
	/* A load may be repeated or fetched ahead by those who use it. */
	if (!(flags & IORESOURCE_PREFETCH))
		return "it is not prefetchable, so it is registers, not memory";
	if (!PAGE_ALIGNED(pci_resource_start(pdev, bar)) ||
	    !PAGE_ALIGNED(pci_resource_len(pdev, bar)))
		return "it is not made of whole pages";
	return NULL;
}

static int bm_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	const char *refusal = bm_refusal(pdev);
	int rc;

	if (refusal) {
		pci_err(pdev, "cannot publish BAR %u: %s\n", bar, refusal);
		return -ENODEV;
	}
	rc = pcim_enable_device(pdev);
	if (rc)
		return dev_err_probe(&pdev->dev, rc, "cannot enable the device\n");
	rc = pcim_request_region(pdev, bar, KBUILD_MODNAME);
	if (rc)
		return dev_err_probe(&pdev->dev, rc,
				     "BAR %u is in use, see /proc/iomem for by whom\n",
				     bar);
	rc = pci_p2pdma_add_resource(pdev, bar, 0, 0);
	if (rc)
		return dev_err_probe(&pdev->dev, rc,
				     "the kernel does not take BAR %u of %llu MiB as peer-to-peer memory\n",
				     bar, (u64)pci_resource_len(pdev, bar) >> 20);
	pci_p2pmem_publish(pdev, true);
	return 0;
}

static const struct pci_device_id bm_ids[] = {
	{ PCI_DEVICE(0x1af4, 0x1110) },		/* QEMU's ivshmem */
	{}
};
MODULE_DEVICE_TABLE(pci, bm_ids);

static struct pci_driver bm_driver = {
	.name = KBUILD_MODNAME,
	.id_table = bm_ids,
	.probe = bm_probe,
};

static int __init bm_init(void)
{
	if (bar >= PCI_STD_NUM_BARS) {
		pr_err("bar=%u does not exist, use 0 to %u\n", bar,
		       PCI_STD_NUM_BARS - 1);
		return -EINVAL;
	}
	return pci_register_driver(&bm_driver);
}

static void __exit bm_exit(void)
{
	pci_unregister_driver(&bm_driver);
}

module_init(bm_init);
module_exit(bm_exit);

MODULE_DESCRIPTION("publishes an idle PCI BAR as peer-to-peer memory");
MODULE_LICENSE("GPL");
