// SPDX-License-Identifier: GPL-2.0
/* The memory that carries the payload: see payload.h. */
#include "payload.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "message.h"
#include "snapshot.h"
#include "tree.h"

#define PAGE	       4096
#define DEFAULT_BLOCK  (1UL << 20)
#define SMALLEST_BLOCK (64UL << 10)
#define LARGEST_BLOCK  (4UL << 20)
#define DEFAULT_DEPTH  8
#define SMALLEST_DEPTH 2

/**
 * geometry_shrink - the next smaller one
 * @g:		changed
 * @want:	what the user wants stays
 *
 * Fewer blocks first: two keep both directions busy.  Then smaller ones, whole
 * pages.
 *
 * Return: false if there is none.
 */
bool geometry_shrink(struct geometry *g, const struct demand *want)
{
	if (!want->depth && g->depth > SMALLEST_DEPTH)
		g->depth /= 2;
	else if (!want->block && g->block >= 2 * (size_t)PAGE)
		g->block = g->block / 2 / PAGE * PAGE;
	else if (!want->depth && g->depth > 1)
		g->depth = 1;
	else
		return false;
	return true;
}

/**
 * geometry_choose - how large, and how many
 * @g:		filled in
 * @want:	what is known
 *
 * A block is as large as the largest RPC of the mounts, so that none is cut, and
 * at least large enough to be worth an I/O.
 *
 * Return: 0, or -ENOMEM if the memory is too small for it.
 */
int geometry_choose(struct geometry *g, const struct demand *want)
{
	size_t block = want->transfer ? want->transfer : DEFAULT_BLOCK;

	if (block < SMALLEST_BLOCK)
		block = SMALLEST_BLOCK;
	if (block > LARGEST_BLOCK)
		block = LARGEST_BLOCK;
	/* What local devices want, too; rsize may be any multiple of 1 KiB. */
	block = block / PAGE * PAGE;
	*g = (struct geometry){
		.block = want->block ? want->block : block,
		.depth = want->depth ? want->depth : DEFAULT_DEPTH,
	};
	/* Blocks that would stay idle only cost their pages. */
	while (!want->depth && g->depth > 1 && want->total &&
	       (uint64_t)g->block * (g->depth - 1) >= want->total)
		g->depth--;
	while (want->memory && (uint64_t)g->block * g->depth > want->memory) {
		if (!geometry_shrink(g, want))
			return -ENOMEM;
	}
	return 0;
}

static int map_host(struct p2pmem *mem, size_t size)
{
	void *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (data == MAP_FAILED)
		return -errno;
	/* The best that host memory can be, or the comparison would not be fair. */
	madvise(data, size, MADV_HUGEPAGE);
	*mem = (struct p2pmem){ data, size };
	return 0;
}

/* What is available may be in pieces: take a smaller one. */
static int map(struct payload *p, const struct demand *want)
{
	int rc;

	do {
		size_t size = p->geometry.block * p->geometry.depth;

		rc = p->provider[0] ? p2pmem_map(&p->mem, p->provider, size)
				    : map_host(&p->mem, size);
	} while (rc == -ENOMEM && geometry_shrink(&p->geometry, want));
	return rc;
}

/**
 * payload_open - get memory and a pipeline
 * @p:		filled in; to be closed with payload_close() if this succeeds
 * @provider:	name of the PCI function, or NULL for host memory
 * @want:	what is known about the size
 *
 * Return: 0 or a negative errno, as p2pmem_map() and ring_open().
 */
int payload_open(struct payload *p, const char *provider, const struct demand *want)
{
	int rc;

	memset(p, 0, sizeof(*p));
	snprintf(p->provider, sizeof(p->provider), "%s", provider ? provider : "");
	rc = geometry_choose(&p->geometry, want);
	if (!rc)
		rc = map(p, want);
	if (rc)
		return rc;
	rc = ring_open(&p->ring, p->mem.data, p->geometry.block, p->geometry.depth);
	p->no_ring = rc;
	if (rc)
		p2pmem_unmap(&p->mem);
	return rc;
}

/**
 * payload_lost - can nothing be moved with it any more?
 * @p:		from payload_open(), also a failed one
 *
 * Return: true if every other file would fail, too.
 */
bool payload_lost(const struct payload *p)
{
	return !p->mem.data || p->ring.lost;
}

/**
 * payload_close - give memory and pipeline back
 * @p:		from payload_open(), or all zeros
 */
void payload_close(struct payload *p)
{
	if (p->mem.data)
		ring_close(&p->ring);
	p2pmem_unmap(&p->mem);
}

/**
 * payload_is_p2p - is it a provider's memory?
 * @p:		any
 *
 * Return: false for host memory.
 */
bool payload_is_p2p(const struct payload *p)
{
	return p->provider[0];
}

/**
 * payload_refused - does an error mean that this memory cannot be used?
 * @p:		any
 * @error:	negative errno of an I/O
 *
 * -EREMOTEIO: the kernel refuses it (block layer, NFS).  -EFAULT: its driver has
 * taken the mapping away (drivers/pci/p2pdma.c, pci_p2pdma_unmap_mappings()).
 *
 * Return: true if another memory may do.
 */
bool payload_refused(const struct payload *p, int error)
{
	return payload_is_p2p(p) && (error == -EREMOTEIO || error == -EFAULT);
}

/* The memory is not to blame, and root may be told the same. */
static int ring_error(int error)
{
	static const char sysctl[] = "kernel.io_uring_disabled";
	uint64_t disabled;

	if (error != -EPERM && error != -EACCES && error != -ENOSYS)
		message_error("io_uring", error, "cannot set it up");
	else if (tree_u64(&disabled, snapshot_default_root(), "/proc/sys/kernel/io_uring_disabled"))
		message_error("io_uring", 0,
			      "cannot set it up: %s (this kernel has none, or forbids it: see the "
			      "sysctl %s)",
			      strerror(-error), sysctl);
	else if (disabled)
		message_error("io_uring", 0,
			      "cannot set it up: %s (the sysctl %s is %llu: set it to 0%s)",
			      strerror(-error), sysctl, (unsigned long long)disabled,
			      disabled == 1 ? ", or try as root" : "");
	else
		message_error("io_uring", 0,
			      "cannot set it up: %s (the sysctl %s is 0, so a seccomp filter "
			      "forbids it: allow it in the container or service)",
			      strerror(-error), sysctl);
	return error;
}

/**
 * payload_error - say why payload_open() failed
 * @p:		what it was to fill in
 * @error:	what it returned
 *
 * Return: @error.
 */
int payload_error(const struct payload *p, int error)
{
	if (p->no_ring)
		return ring_error(error);
	return message_error(p->provider[0] ? p->provider : "host memory", error, "cannot use it");
}
