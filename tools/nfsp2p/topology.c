// SPDX-License-Identifier: GPL-2.0
/* PCI functions and the way between two of them: see topology.h. */
#include "topology.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pci/header.h>

#include "hostbridge.h"
#include "pciconfig.h"
#include "snapshot.h"
#include "tree.h"

/* Bridges above each other; more are taken for a loop in a broken tree. */
#define MAX_DEPTH 32

/* "0000:03:00.0"; a domain can have more than four digits (Intel VMD). */
static bool is_bdf(const char *name)
{
	unsigned int domain, bus, device, function;
	int used = 0;

	return isxdigit((unsigned char)name[0]) &&
	       sscanf(name, "%8x:%2x:%2x.%1o%n", &domain, &bus, &device, &function, &used) == 4 &&
	       !name[used] && used < (int)sizeof(((struct pci_function *)NULL)->bdf);
}

/* "pci0000:00" */
static bool is_host(const char *name)
{
	unsigned int domain, bus;
	int used = 0;

	return sscanf(name, "pci%8x:%2x%n", &domain, &bus, &used) == 2 && !name[used] &&
	       used < (int)sizeof(((struct pci_function *)NULL)->host);
}

/*
 * What a path of sysfs says, ".../devices/pci0000:00/0000:00:01.0/0000:01:00.0":
 * the last function, the one above it and their host bridge; "" for what is not
 * there.  A host bridge can be below a function (Intel VMD): what is above it does
 * not count.
 */
static void parse_path(const char *path, char last[20], char above[20], char host[24])
{
	char copy[PATH_MAX], *rest = copy, *part;

	last[0] = above[0] = host[0] = '\0';
	snprintf(copy, sizeof(copy), "%s", path);
	while ((part = strsep(&rest, "/"))) {
		if (is_host(part)) {
			snprintf(host, 24, "%s", part);
			last[0] = above[0] = '\0';
		} else if (is_bdf(part)) {
			memcpy(above, last, 20);
			snprintf(last, 20, "%s", part);
		}
	}
}

/**
 * pci_is_name - is this what a PCI function can be called?
 * @text:	from a user: "0000:03:00.0", or "03:00.0" in domain 0000
 */
bool pci_is_name(const char *text)
{
	char full[32];

	snprintf(full, sizeof(full), "0000:%s", text);
	return is_bdf(text) || is_bdf(full);
}

static int by_bdf(const void *a, const void *b)
{
	return strcmp(((const struct pci_function *)a)->bdf, ((const struct pci_function *)b)->bdf);
}

/**
 * pci_find - look a PCI function up
 * @s:		a snapshot
 * @bdf:	its name; the domain can be left out if it is 0000
 *
 * Return: its index in @s->pci, or NO_PCI.
 */
int pci_find(const struct snapshot *s, const char *bdf)
{
	const struct pci_function *found;
	struct pci_function key;
	char full[32] = { 0 };

	snprintf(full, sizeof(full), "%s%s", is_bdf(bdf) ? "" : "0000:", bdf);
	if (!s->npci || !is_bdf(full))
		return NO_PCI;
	for (size_t i = 0; i < sizeof(key.bdf); i++)
		key.bdf[i] = (char)tolower((unsigned char)full[i]);
	found = bsearch(&key, s->pci, s->npci, sizeof(*s->pci), by_bdf);
	return found ? (int)(found - s->pci) : NO_PCI;
}

/**
 * pci_of_path - the PCI function that a device of sysfs belongs to
 * @s:		a snapshot
 * @path:	where a link to the device leads
 *
 * Return: index of the innermost function in @path, or NO_PCI.
 */
int pci_of_path(const struct snapshot *s, const char *path)
{
	char last[20], above[20], host[24];

	parse_path(path, last, above, host);
	return last[0] ? pci_find(s, last) : NO_PCI;
}

/**
 * pci_of_block - the PCI function that does the DMA of a block device
 * @s:		a snapshot
 * @major:	of its device number
 * @minor:	of its device number
 *
 * A partition's path leads through that of its disk.  Devices that are made of
 * others (device mapper, MD, loop) and NVMe heads of several paths have no
 * function of their own.
 *
 * Return: its index in @s->pci, or NO_PCI.
 */
int pci_of_block(const struct snapshot *s, unsigned int major, unsigned int minor)
{
	char path[PATH_MAX], target[PATH_MAX];
	ssize_t len;

	if (tree_path(path, sizeof(path), s->root, "/sys/dev/block/%u:%u", major, minor))
		return NO_PCI;
	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return NO_PCI;
	target[len] = '\0';
	return pci_of_path(s, target);
}

static void load_attributes(const char *root, struct pci_function *f)
{
	uint64_t value;
	char line[32];

	if (!tree_u64(&value, root, "/sys/bus/pci/devices/%s/vendor", f->bdf))
		f->vendor = (uint16_t)value;
	if (!tree_u64(&value, root, "/sys/bus/pci/devices/%s/device", f->bdf))
		f->device = (uint16_t)value;
	tree_link(f->driver, sizeof(f->driver), root, "/sys/bus/pci/devices/%s/driver", f->bdf);
	tree_line(f->iommu, sizeof(f->iommu), root, "/sys/bus/pci/devices/%s/iommu_group/type",
		  f->bdf);
	f->numa_node = -1;
	if (!tree_line(line, sizeof(line), root, "/sys/bus/pci/devices/%s/numa_node", f->bdf) &&
	    sscanf(line, "%d", &f->numa_node) != 1)
		f->numa_node = -1;
}

/*
 * Can it be an end of a transfer, or on the way of one?  Reading the configuration of a
 * function in D3cold resumes it (drivers/pci/access.c, pci_config_pm_runtime_get()), and
 * there are hundreds of functions in a server: leave those alone that have no part in it.
 */
static bool takes_part(const char *root, const struct pci_function *f)
{
	uint64_t class;

	/* 0xccss00: class and subclass, and the programming interface. */
	if (tree_u64(&class, root, "/sys/bus/pci/devices/%s/class", f->bdf))
		return true;
	return class >> 16 == PCI_BASE_CLASS_BRIDGE || class >> 16 == PCI_BASE_CLASS_STORAGE ||
	       tree_exists(root, "/sys/bus/pci/devices/%s/infiniband", f->bdf) ||
	       tree_exists(root, "/sys/bus/pci/devices/%s/p2pmem", f->bdf);
}

static void load_config(const char *root, struct pci_function *f)
{
	char path[PATH_MAX];
	int fd = -1;

	/* Not to be held up by a FIFO in a recorded tree. */
	if (!tree_path(path, sizeof(path), root, "/sys/bus/pci/devices/%s/config", f->bdf))
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return;
	pciconfig_read(fd, f);
	close(fd);
}

/* Fill in one function; its parent's name is left in @above. */
static void load_function(const char *root, struct pci_function *f, char above[20])
{
	char path[PATH_MAX], target[PATH_MAX], last[20];
	ssize_t len = -1;

	f->parent = NO_PCI;
	above[0] = '\0';
	if (!tree_path(path, sizeof(path), root, "/sys/bus/pci/devices/%s", f->bdf))
		len = readlink(path, target, sizeof(target) - 1);
	if (len >= 0) {
		target[len] = '\0';
		parse_path(target, last, above, f->host);
	}
	load_attributes(root, f);
	f->root_port = -1;
	if (takes_part(root, f))
		load_config(root, f);
	else
		f->root_port = 0;
}

/**
 * topology_load - read all PCI functions
 * @s:		@s->pci is filled in
 *
 * Return: 0, also if there is no PCI, or a negative errno.
 */
int topology_load(struct snapshot *s)
{
	char path[PATH_MAX], (*above)[20], **names;
	size_t n;
	int rc;

	rc = tree_path(path, sizeof(path), s->root, "/sys/bus/pci/devices");
	if (!rc)
		rc = tree_names(path, &names, &n);
	if (rc)
		return rc == -ENOENT ? 0 : rc;
	s->pci = calloc(n + 1, sizeof(*s->pci));
	above = calloc(n + 1, sizeof(*above));
	for (size_t i = 0; s->pci && above && i < n; i++) {
		struct pci_function *f = &s->pci[s->npci];

		if (!is_bdf(names[i]))
			continue;
		snprintf(f->bdf, sizeof(f->bdf), "%s", names[i]);
		load_function(s->root, f, above[s->npci++]);
	}
	/* The names came in order, so pci_find() works already. */
	for (size_t i = 0; above && i < s->npci; i++) {
		if (above[i][0])
			s->pci[i].parent = pci_find(s, above[i]);
	}
	rc = s->pci && above ? 0 : -ENOMEM;
	free(above);
	tree_names_free(names, n);
	return rc;
}

/* A function and all bridges above it, outwards. Returns how many. */
static size_t chain(const struct snapshot *s, int pci, int out[MAX_DEPTH])
{
	size_t n = 0;

	for (; pci != NO_PCI && n < MAX_DEPTH; pci = s->pci[pci].parent)
		out[n++] = pci;
	return n;
}

static void look_at_acs(const struct snapshot *s, int pci, struct path *path)
{
	const struct pci_function *f = &s->pci[pci];

	if (f->acs == ACS_UNKNOWN && path->acs_unknown == NO_PCI)
		path->acs_unknown = pci;
	if (f->acs == ACS_THERE && f->acs_control & ACS_REDIRECTS &&
	    path->nredirects < MAX_REDIRECTS)
		path->redirects[path->nredirects++] = pci;
}

/**
 * topology_path - which way a transfer between two functions goes
 * @s:		a snapshot
 * @provider:	index of the function that has the memory
 * @client:	index of the function that does the DMA
 * @path:	filled in
 *
 * The rules are those of drivers/pci/p2pdma.c, calc_map_type_and_dist(): two
 * functions below one bridge reach each other by bus address, unless a function on
 * the way, the two and the bridge included, redirects by ACS.  All other transfers
 * go to the host bridge, and that must be known to pass them on.
 */
void topology_path(const struct snapshot *s, int provider, int client, struct path *path)
{
	int a[MAX_DEPTH], b[MAX_DEPTH];
	const size_t na = chain(s, provider, a), nb = chain(s, client, b);
	size_t up = na, down = nb;
	enum tri passes;

	*path = (struct path){ .common = NO_PCI, .acs_unknown = NO_PCI, .bridge = NO_PCI };
	for (size_t i = 0; i < na && path->common == NO_PCI; i++) {
		for (size_t k = 0; k < nb && path->common == NO_PCI; k++) {
			if (a[i] != b[k])
				continue;
			path->common = a[i];
			up = i;
			down = k;
		}
	}
	path->distance = (unsigned int)(up + down);
	for (size_t i = 0; i < na && i <= up; i++)
		look_at_acs(s, a[i], path);
	for (size_t k = 0; k < down; k++)
		look_at_acs(s, b[k], path);
	if (path->common != NO_PCI && !path->nredirects && path->acs_unknown == NO_PCI) {
		path->route = ROUTE_BUS;
		return;
	}
	passes = hostbridge_passes(s, provider, client, path);
	if (passes == TRI_YES)
		path->route = path->common != NO_PCI && !path->nredirects ? ROUTE_EITHER
									  : ROUTE_HOST_BRIDGE;
	else if (passes == TRI_NO && (path->common == NO_PCI || path->nredirects))
		path->route = ROUTE_NONE;
}
