// SPDX-License-Identifier: GPL-2.0
/*
 * kernio - direct I/O by the kernel itself, from and to its own memory
 *
 * User space can only submit memory that it has mapped. Others in the kernel
 * submit pages that nobody pins: the loop driver, targets, nvmet. This module does
 * that to order, with each kind of memory that a file system might meet, for
 * tests. What is written to /sys/kernel/debug/kernio/run,
 *
 *	read|write KIND LENGTH BYTE FD
 *
 * is one synchronous I/O at the start of a file, which FD of the writer is, and
 * that it opened with O_DIRECT. It is done by the writer, who may be killed
 * meanwhile. LENGTH is in bytes, whole pages; BYTE is what all of the
 * data is, in the buffer that is written, or expected of a read. KIND is
 *
 *	page	pages of the page allocator	(ITER_BVEC)
 *	slab	small slab objects, several to a page	(ITER_BVEC)
 *	vmalloc	vmalloc memory, page by page	(ITER_BVEC)
 *	kvec	slab memory	(ITER_KVEC)
 *
 * /sys/kernel/debug/kernio/state tells of the current or last one, a "key value" a
 * line: "busy", "result", "refs" (sum of the reference counts of the pages before,
 * while it runs or after) as "refs_before" and "refs_now", "wrong" bytes after a
 * read, "leaked": the I/O came back before it was over, so that its memory cannot
 * be freed.
 */
#include <linux/bvec.h>
#include <linux/debugfs.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include <linux/vmalloc.h>

#define KIO_MAX_LEN	SZ_1M
#define KIO_SLAB_SIZE	1024

/**
 * struct kio - one I/O
 * @bv:		its memory, in pieces
 * @kv:		the same for ITER_KVEC
 * @nr:		pieces
 * @piece:	bytes of each
 * @data:	address of each
 * @area:	vmalloc memory, or NULL
 */
struct kio {
	struct bio_vec *bv;
	struct kvec *kv;
	unsigned int nr;
	size_t piece;
	void **data;
	void *area;
};

/* One at a time; kio_state_lock guards what "state" shows. */
static DEFINE_MUTEX(kio_run_lock);
static DEFINE_MUTEX(kio_state_lock);
static struct kio *kio_busy;
static ssize_t kio_result;
static int kio_refs_before, kio_refs_after;
static size_t kio_wrong;
static bool kio_leaked;
static struct dentry *kio_root;

static int kio_refs(const struct kio *k)
{
	unsigned int i;
	int refs = 0;

	for (i = 0; i < k->nr; i++)
		refs += page_ref_count(compound_head(k->bv[i].bv_page));
	return refs;
}

static void kio_free(struct kio *k, bool pages)
{
	unsigned int i;

	for (i = 0; k->data && i < k->nr && !k->area; i++) {
		if (pages)
			free_page((unsigned long)k->data[i]);
		else
			kfree(k->data[i]);
	}
	vfree(k->area);
	kfree(k->data);
	kfree(k->bv);
	kfree(k->kv);
}

static struct page *kio_page(const struct kio *k, void *data)
{
	return k->area ? vmalloc_to_page(data) : virt_to_page(data);
}

static int kio_alloc(struct kio *k, const char *kind, size_t len, u8 byte)
{
	bool pages = !strcmp(kind, "page");
	unsigned int i;

	k->piece = !strcmp(kind, "slab") ? KIO_SLAB_SIZE : PAGE_SIZE;
	k->nr = len / k->piece;
	k->data = kcalloc(k->nr, sizeof(*k->data), GFP_KERNEL);
	k->bv = kcalloc(k->nr, sizeof(*k->bv), GFP_KERNEL);
	k->kv = kcalloc(k->nr, sizeof(*k->kv), GFP_KERNEL);
	if (!k->data || !k->bv || !k->kv)
		return -ENOMEM;
	if (!strcmp(kind, "vmalloc")) {
		k->area = vmalloc(len);
		if (!k->area)
			return -ENOMEM;
	}
	for (i = 0; i < k->nr; i++) {
		if (k->area)
			k->data[i] = k->area + i * k->piece;
		else if (pages)
			k->data[i] = (void *)__get_free_page(GFP_KERNEL);
		else
			k->data[i] = kmalloc(k->piece, GFP_KERNEL);
		if (!k->data[i])
			return -ENOMEM;
		memset(k->data[i], byte, k->piece);
		bvec_set_page(&k->bv[i], kio_page(k, k->data[i]), k->piece,
			      offset_in_page(k->data[i]));
		k->kv[i] = (struct kvec){ k->data[i], k->piece };
	}
	return 0;
}

static size_t kio_count_wrong(const struct kio *k, u8 byte)
{
	size_t wrong = 0, at;
	unsigned int i;

	for (i = 0; i < k->nr; i++)
		for (at = 0; at < k->piece; at++)
			wrong += ((u8 *)k->data[i])[at] != byte;
	return wrong;
}

static ssize_t kio_do(struct kio *k, struct file *file, bool write, bool kvec,
		      size_t len)
{
	struct iov_iter iter;
	struct kiocb iocb;

	if (kvec)
		iov_iter_kvec(&iter, write ? ITER_SOURCE : ITER_DEST, k->kv,
			      k->nr, len);
	else
		iov_iter_bvec(&iter, write ? ITER_SOURCE : ITER_DEST, k->bv,
			      k->nr, len);
	init_sync_kiocb(&iocb, file);
	return write ? vfs_iocb_iter_write(file, &iocb, &iter) :
		       vfs_iocb_iter_read(file, &iocb, &iter);
}

static void kio_begin(struct kio *k)
{
	mutex_lock(&kio_state_lock);
	kio_busy = k;
	kio_refs_before = kio_refs(k);
	kio_refs_after = kio_refs_before;
	kio_result = 0;
	kio_wrong = 0;
	kio_leaked = false;
	mutex_unlock(&kio_state_lock);
}

/* Interrupted: somebody may still write to the memory, so it must stay. */
static void kio_end(struct kio *k, ssize_t result, size_t wrong)
{
	mutex_lock(&kio_state_lock);
	kio_busy = NULL;
	kio_refs_after = kio_refs(k);
	kio_result = result;
	kio_wrong = wrong;
	kio_leaked = result == -ERESTARTSYS;
	mutex_unlock(&kio_state_lock);
}

static int kio_run(bool write, const char *kind, size_t len, u8 byte,
		   unsigned int fd)
{
	bool kvec = !strcmp(kind, "kvec");
	struct kio k = {};
	struct file *file;
	ssize_t result;
	int rc;

	file = fget(fd);
	if (!file)
		return -EBADF;
	rc = kio_alloc(&k, kind, len, write ? byte : ~byte);
	if (rc)
		goto out;
	kio_begin(&k);
	result = kio_do(&k, file, write, kvec, len);
	kio_end(&k, result, write ? 0 : kio_count_wrong(&k, byte));
out:
	fput(file);
	if (rc || !kio_leaked)
		kio_free(&k, !strcmp(kind, "page"));
	return rc;
}

static bool kio_kind_ok(const char *kind)
{
	return !strcmp(kind, "page") || !strcmp(kind, "slab") ||
	       !strcmp(kind, "vmalloc") || !strcmp(kind, "kvec");
}

static ssize_t kio_write(struct file *file, const char __user *ubuf, size_t n,
			 loff_t *pos)
{
	char buf[80], verb[8], kind[16];
	unsigned int byte, fd;
	unsigned long len;
	int rc;

	if (n >= sizeof(buf))
		return -EINVAL;
	if (copy_from_user(buf, ubuf, n))
		return -EFAULT;
	buf[n] = '\0';
	if (sscanf(buf, "%7s %15s %lu %u %u", verb, kind, &len, &byte,
		   &fd) != 5 ||
	    (strcmp(verb, "read") && strcmp(verb, "write")) ||
	    !kio_kind_ok(kind) || !len || len > KIO_MAX_LEN ||
	    !PAGE_ALIGNED(len) || byte > 255) {
		pr_warn("kernio: expected \"read|write KIND LENGTH BYTE FD\", see the source\n");
		return -EINVAL;
	}
	mutex_lock(&kio_run_lock);
	rc = kio_run(!strcmp(verb, "write"), kind, len, byte, fd);
	mutex_unlock(&kio_run_lock);
	return rc ? rc : n;
}

static const struct file_operations kio_run_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = kio_write,
	.llseek = noop_llseek,
};

static int kio_state_show(struct seq_file *m, void *v)
{
	mutex_lock(&kio_state_lock);
	seq_printf(m, "busy %d\nresult %zd\nrefs_before %d\nrefs_now %d\nwrong %zu\nleaked %d\n",
		   !!kio_busy, kio_result, kio_refs_before,
		   kio_busy ? kio_refs(kio_busy) : kio_refs_after, kio_wrong,
		   kio_leaked);
	mutex_unlock(&kio_state_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(kio_state);

static int __init kio_init(void)
{
	kio_root = debugfs_create_dir("kernio", NULL);
	debugfs_create_file("run", 0200, kio_root, NULL, &kio_run_fops);
	debugfs_create_file("state", 0444, kio_root, NULL, &kio_state_fops);
	return 0;
}
module_init(kio_init);

static void __exit kio_exit(void)
{
	debugfs_remove_recursive(kio_root);
}
module_exit(kio_exit);

MODULE_DESCRIPTION("Direct I/O from and to the kernel's own memory, to order");
MODULE_LICENSE("GPL");
