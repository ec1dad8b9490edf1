// SPDX-License-Identifier: GPL-2.0
/*
 * Which part of the system does an instruction belong to? Functions are assigned
 * by module and by the beginning of their names; the first rule that fits counts.
 * What a function calls is not counted as its own.
 */
#include "layers.h"

#include <err.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum layer {
	USER,
	IDLE,
	NFS,
	SUNRPC,
	XPRTRDMA,
	DMA,
	GUP,
	SLAB,
	COPY,
	NIC,
	SERVER,
	NETWORK,
	OTHER,
	LAYERS,
};

static const char *const layer_names[LAYERS] = {
	[USER] = "user",	 [IDLE] = "idle", [NFS] = "nfs",       [SUNRPC] = "sunrpc",
	[XPRTRDMA] = "xprtrdma", [DMA] = "dma",	  [GUP] = "gup",       [SLAB] = "slab",
	[COPY] = "copy",	 [NIC] = "nic",	  [SERVER] = "server", [NETWORK] = "network",
	[OTHER] = "other",
};

/* struct rule: @module NULL is any, "" the kernel itself; @name is a beginning. */
struct rule {
	const char *module;
	const char *name;
	enum layer layer;
};

static const struct rule rules[] = {
	{ "nfs", "", NFS },
	{ "nfsv3", "", NFS },
	{ "nfsv4", "", NFS },
	{ "nfs_layout_flexfiles", "", NFS },
	{ "nfsd", "", SERVER },
	{ "auth_rpcgss", "", SUNRPC },
	{ "rpcrdma", "svc", SERVER },
	{ "rpcrdma", "__svc", SERVER },
	{ "rpcrdma", "", XPRTRDMA },
	{ "sunrpc", "svc", SERVER },
	{ "sunrpc", "__svc", SERVER },
	{ "sunrpc", "cache_", SERVER },
	{ "sunrpc", "unix_gid", SERVER },
	{ "sunrpc", "", SUNRPC },
	{ "vrnic", "", NIC },
	{ "ib_core", "rdma_rw", SERVER },
	{ "ib_core", "", NIC },
	{ "rdma_cm", "", NIC },
	{ "iw_cm", "", NIC },
	{ "", "default_idle", IDLE },
	{ "", "pv_native_safe_halt", IDLE },
	{ "", "native_safe_halt", IDLE },
	{ "", "do_idle", IDLE },
	{ "", "cpuidle", IDLE },
	{ "", "cpu_idle", IDLE },
	{ "", "tick_nohz", IDLE },
	{ "", "dma_", DMA },
	{ "", "__dma_", DMA },
	{ "", "iommu_", DMA },
	{ "", "swiotlb", DMA },
	{ "", "sg_", DMA },
	{ "", "pci_p2pdma", DMA },
	{ "", "__pci_p2pdma", DMA },
	{ "", "gup", GUP },
	{ "", "pin_user", GUP },
	{ "", "unpin_", GUP },
	{ "", "try_grab", GUP },
	{ "", "internal_get_user", GUP },
	{ "", "iov_iter", GUP },
	{ "", "__iov_iter", GUP },
	{ "", "get_user_pages", GUP },
	{ "", "get_contig", GUP },
	{ "", "page_range_contig", GUP },
	{ "", "kmem_cache", SLAB },
	{ "", "__kmem_cache", SLAB },
	{ "", "kmalloc", SLAB },
	{ "", "__kmalloc", SLAB },
	{ "", "__kvmalloc", SLAB },
	{ "", "kfree", SLAB },
	{ "", "kvfree", SLAB },
	{ "", "___slab", SLAB },
	{ "", "__slab", SLAB },
	{ "", "slab_", SLAB },
	{ "", "__pcs_", SLAB },
	{ "", "memset", SLAB },
	{ "", "__memset", SLAB },
	{ "", "should_failslab", SLAB },
	{ "", "memcpy", COPY },
	{ "", "__memcpy", COPY },
	{ "", "_copy", COPY },
	{ "", "copy_", COPY },
	{ "", "rep_", COPY },
	{ "", "memmove", COPY },
	{ "", "shmem", SERVER },
	{ "", "tcp_", NETWORK },
	{ "", "__tcp", NETWORK },
	{ "", "ip_", NETWORK },
	{ "", "__ip", NETWORK },
	{ "", "skb_", NETWORK },
	{ "", "__skb", NETWORK },
	{ "", "sk_", NETWORK },
	{ "", "net", NETWORK },
	{ "", "__net", NETWORK },
	{ "", "__dev_", NETWORK },
	{ "", "dev_", NETWORK },
};

/* Functions whose calls are counted: an allocation, an MR, an object. */
static const char *const calls[] = {
	"nfs_page_create",	   "frwr_map",
	"kmem_cache_alloc_noprof", "__kmalloc_noprof",
	"__kmalloc_cache_noprof",  "__kmalloc_node_noprof",
	"__kvmalloc_node_noprof",  "dma_map_phys",
	"folio_mark_dirty",
};

#define CALLS	    (sizeof(calls) / sizeof(calls[0]))
#define RULES	    (sizeof(rules) / sizeof(rules[0]))
#define MAX_SYMBOLS 8192

/* struct own - what one function took */
struct own {
	const struct symbol *symbol;
	uint64_t insns;
};

struct layers {
	uint64_t insns[LAYERS];
	uint64_t calls[CALLS];
	struct own own[MAX_SYMBOLS];
	size_t owners;
};

static enum layer layer_of(const struct symbol *symbol)
{
	if (!symbol)
		return USER;
	for (size_t i = 0; i < RULES; i++) {
		const struct rule *r = &rules[i];

		if ((!r->module || !strcmp(r->module, symbol->module)) &&
		    !strncmp(r->name, symbol->name, strlen(r->name)))
			return r->layer;
	}
	return OTHER;
}

/**
 * layers_new - get counters
 *
 * Return: counters, all zero; ends the program if there is no memory.
 */
struct layers *layers_new(void)
{
	struct layers *layers = calloc(1, sizeof(*layers));

	if (!layers)
		err(1, "layers");
	return layers;
}

/**
 * layers_clear - start from zero
 * @layers:	from layers_new()
 */
void layers_clear(struct layers *layers)
{
	memset(layers, 0, sizeof(*layers));
}

static void own_add(struct layers *layers, const struct symbol *symbol, uint64_t insns)
{
	for (size_t i = 0; i < layers->owners; i++) {
		if (layers->own[i].symbol == symbol) {
			layers->own[i].insns += insns;
			return;
		}
	}
	if (layers->owners == MAX_SYMBOLS)
		errx(1, "more than %d functions", MAX_SYMBOLS);
	layers->own[layers->owners++] = (struct own){ symbol, insns };
}

/**
 * layers_add - count a block of instructions
 * @layers:	from layers_new()
 * @symbol:	the function it is in, NULL for user space
 * @addr:	its first instruction
 * @insns:	instructions executed
 * @runs:	how often it was entered
 */
void layers_add(struct layers *layers, const struct symbol *symbol, uint64_t addr, uint64_t insns,
		uint64_t runs)
{
	layers->insns[layer_of(symbol)] += insns;
	if (!symbol)
		return;
	own_add(layers, symbol, insns);
	if (addr != symbol->addr)
		return;
	for (size_t i = 0; i < CALLS; i++)
		if (!strcmp(calls[i], symbol->name))
			layers->calls[i] += runs;
}

static int own_compare(const void *a, const void *b)
{
	const struct own *x = a, *y = b;

	return (x->insns < y->insns) - (x->insns > y->insns);
}

/**
 * layers_report - add what was counted to a cell
 * @layers:	from layers_new()
 * @cell:	gets "instructions" (all but idle), "layers", "calls", and "functions",
 *		the most expensive ones
 */
void layers_report(const struct layers *layers, struct json_object *cell)
{
	struct json_object *by_layer = json_object_new_object();
	struct json_object *by_call = json_object_new_object();
	struct json_object *by_function = json_object_new_object();
	static struct own sorted[MAX_SYMBOLS];
	uint64_t total = 0;

	for (int i = 0; i < LAYERS; i++) {
		if (i != IDLE)
			total += layers->insns[i];
		json_object_object_add(by_layer, layer_names[i],
				       json_object_new_uint64(layers->insns[i]));
	}
	for (size_t i = 0; i < CALLS; i++)
		json_object_object_add(by_call, calls[i], json_object_new_uint64(layers->calls[i]));
	memcpy(sorted, layers->own, sizeof(sorted));
	qsort(sorted, layers->owners, sizeof(sorted[0]), own_compare);
	for (size_t i = 0; i < layers->owners && i < 400; i++)
		json_object_object_add(by_function, sorted[i].symbol->name,
				       json_object_new_uint64(sorted[i].insns));
	json_object_object_add(cell, "instructions", json_object_new_uint64(total));
	json_object_object_add(cell, "layers", by_layer);
	json_object_object_add(cell, "calls", by_call);
	json_object_object_add(cell, "functions", by_function);
}
