// SPDX-License-Identifier: GPL-2.0
/* Providers of P2P memory: see provider.h. */
#include "provider.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "snapshot.h"
#include "tree.h"

/* May this process open p2pmem/allocate as mmap() needs it? */
static enum access access_of(const char *root, const char *bdf)
{
	char path[PATH_MAX];

	if (tree_path(path, sizeof(path), root, "/sys/bus/pci/devices/%s/p2pmem/allocate", bdf))
		return ACCESS_ABSENT;
	if (!faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS))
		return ACCESS_OK;
	return errno == ENOENT ? ACCESS_ABSENT : ACCESS_DENIED;
}

static void load_one(const char *root, const char *bdf, int pci, struct provider *p)
{
	uint64_t published = 0;

	*p = (struct provider){ .pci = pci, .access = access_of(root, bdf) };
	snprintf(p->bdf, sizeof(p->bdf), "%s", bdf);
	tree_u64(&p->size, root, "/sys/bus/pci/devices/%s/p2pmem/size", bdf);
	tree_u64(&p->available, root, "/sys/bus/pci/devices/%s/p2pmem/available", bdf);
	tree_u64(&published, root, "/sys/bus/pci/devices/%s/p2pmem/published", bdf);
	p->published = published == 1;
}

/**
 * provider_load - find all providers
 * @s:		@s->pci has been read; @s->providers is filled in
 *
 * Return: 0 or a negative errno.
 */
int provider_load(struct snapshot *s)
{
	s->providers = calloc(s->npci + 1, sizeof(*s->providers));
	if (!s->providers)
		return -ENOMEM;
	for (size_t i = 0; i < s->npci; i++) {
		if (tree_exists(s->root, "/sys/bus/pci/devices/%s/p2pmem", s->pci[i].bdf))
			load_one(s->root, s->pci[i].bdf, (int)i, &s->providers[s->nproviders++]);
	}
	return 0;
}

/**
 * provider_find - look a provider up
 * @s:		a snapshot
 * @bdf:	its name; the domain can be left out if it is 0000
 *
 * Return: the provider, or NULL.
 */
const struct provider *provider_find(const struct snapshot *s, const char *bdf)
{
	const int pci = pci_find(s, bdf);

	for (size_t i = 0; pci != NO_PCI && i < s->nproviders; i++) {
		if (s->providers[i].pci == pci)
			return &s->providers[i];
	}
	return NULL;
}
