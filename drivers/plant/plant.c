// SPDX-License-Identifier: GPL-2.0
/*
 * plant - faults to order
 *
 * lab/vm promises that no report of the guest's kernel goes unnoticed. That can
 * only be tested with real reports, of each kind that the kernel can make:
 * loading this module with fault=NAME commits that fault, and nothing else. Most
 * kinds need the debug kernel. The guest is not fit for other tests afterwards.
 */
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/timer.h>

static char *fault = "";
module_param(fault, charp, 0);
MODULE_PARM_DESC(fault, "which fault to commit");

/* Seconds in which a blocked task is to be noticed; longer than the lab sets. */
#define HUNG_SECONDS 40

/* Many: what is left on a stack may look like a pointer to one of them. */
#define LEAKS 32

static int plant_warning(void)
{
	WARN(1, "a planted warning\n");
	return 0;
}

static int plant_refcount(void)
{
	refcount_t count = REFCOUNT_INIT(0);

	refcount_inc(&count);
	return 0;
}

/* The second deletion finds the poison of the first. */
static int plant_list(void)
{
	struct list_head head, entry;

	INIT_LIST_HEAD(&head);
	list_add(&entry, &head);
	list_del(&entry);
	list_del(&entry);
	return 0;
}

static int plant_ubsan(void)
{
	int shift = 40;

	/* Not known to the compiler, which would warn. */
	OPTIMIZER_HIDE_VAR(shift);
	pr_info("1 << %d is %d\n", shift, 1 << shift);
	return 0;
}

static int plant_kasan(void)
{
	u8 *byte = kzalloc(64, GFP_KERNEL);

	if (!byte)
		return -ENOMEM;
	kfree(byte);
	pr_info("freed memory holds %u\n", READ_ONCE(byte[8]));
	return 0;
}

static int plant_lockdep(void)
{
	static DEFINE_MUTEX(first);
	static DEFINE_MUTEX(second);

	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);

	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
	return 0;
}

static int plant_rcu(void)
{
	static int __rcu *pointer;

	/* Outside of any read-side critical section. */
	pr_info("the pointer is %p\n", rcu_dereference(pointer));
	return 0;
}

static int plant_atomic(void)
{
	static DEFINE_SPINLOCK(lock);

	spin_lock(&lock);
	might_sleep();
	spin_unlock(&lock);
	return 0;
}

/* Unmapped with another size than it was mapped with. */
static int plant_dma(void)
{
	struct platform_device *pdev;
	dma_addr_t addr;
	int ret = 0;
	u8 *buf;

	pdev = platform_device_register_simple("plant", PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(pdev))
		return PTR_ERR(pdev);
	buf = kzalloc(PAGE_SIZE, GFP_KERNEL);
	if (!buf) {
		ret = -ENOMEM;
		goto out;
	}
	ret = dma_coerce_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (ret)
		goto out;
	addr = dma_map_single(&pdev->dev, buf, PAGE_SIZE, DMA_TO_DEVICE);
	ret = dma_mapping_error(&pdev->dev, addr);
	if (ret)
		goto out;
	dma_unmap_single(&pdev->dev, addr, PAGE_SIZE / 2, DMA_TO_DEVICE);
out:
	kfree(buf);
	platform_device_unregister(pdev);
	return ret;
}

static void plant_timer_fires(struct timer_list *timer)
{
}

/* Freed while it is armed; the kernel disarms it when it reports that. */
static int plant_odebug(void)
{
	struct timer_list *timer = kzalloc_obj(*timer);

	if (!timer)
		return -ENOMEM;
	timer_setup(timer, plant_timer_fires, 0);
	mod_timer(timer, jiffies + HZ * 3600);
	kfree(timer);
	return 0;
}

static int plant_leak(void)
{
	int i;

	for (i = 0; i < LEAKS; i++) {
		void *leak = kzalloc(96, GFP_KERNEL);

		OPTIMIZER_HIDE_VAR(leak);
	}
	return 0;
}

static int plant_hung(void)
{
	schedule_timeout_uninterruptible(HUNG_SECONDS * HZ);
	return 0;
}

static const struct {
	const char *name;
	int (*commit)(void);
} plant_faults[] = {
	{ "warning", plant_warning },
	{ "refcount", plant_refcount },
	{ "list", plant_list },
	{ "ubsan", plant_ubsan },
	{ "kasan", plant_kasan },
	{ "lockdep", plant_lockdep },
	{ "rcu", plant_rcu },
	{ "atomic", plant_atomic },
	{ "dma", plant_dma },
	{ "odebug", plant_odebug },
	{ "leak", plant_leak },
	{ "hung", plant_hung },
};

static int __init plant_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(plant_faults); i++)
		if (!strcmp(fault, plant_faults[i].name))
			return plant_faults[i].commit();
	pr_err("plant: there is no fault '%s'\n", fault);
	return -EINVAL;
}
module_init(plant_init);

/* Nothing stays behind, but only a module with an exit can be unloaded. */
static void __exit plant_exit(void)
{
}
module_exit(plant_exit);

MODULE_DESCRIPTION("Commits the fault that it is asked for, to test the lab");
MODULE_LICENSE("GPL");
