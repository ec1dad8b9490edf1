// SPDX-License-Identifier: GPL-2.0
/* RDMA devices and connections: see rdma.h. */
#include "rdma.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "snapshot.h"
#include "tree.h"

#define CONNECTIONS_LIMIT (1 << 20)

/*
 * Drivers whose devices have a PCI function, but move data with the CPU for kernel
 * users: those that register through drivers/infiniband/sw/rdmavt.
 */
static bool copies(const char *driver)
{
	return !strcmp(driver, "hfi1") || !strcmp(driver, "ib_qib");
}

static bool has_active_port(const char *root, const char *name)
{
	char path[PATH_MAX], line[32], **ports;
	bool active = false;
	size_t n;

	if (tree_path(path, sizeof(path), root, "/sys/class/infiniband/%s/ports", name) ||
	    tree_names(path, &ports, &n))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!tree_line(line, sizeof(line), root, "/sys/class/infiniband/%s/ports/%s/state",
			       name, ports[i]))
			active |= strstr(line, "ACTIVE") != NULL;
	}
	tree_names_free(ports, n);
	return active;
}

static void load_one(const struct snapshot *s, const char *name, struct rnic *r)
{
	char path[PATH_MAX], target[PATH_MAX];
	ssize_t len = -1;

	*r = (struct rnic){ .pci = NO_PCI };
	snprintf(r->name, sizeof(r->name), "%s", name);
	if (!tree_path(path, sizeof(path), s->root, "/sys/class/infiniband/%s", name))
		len = readlink(path, target, sizeof(target) - 1);
	if (len >= 0) {
		target[len] = '\0';
		r->pci = pci_of_path(s, target);
		r->virtual_dma = strstr(target, "/devices/virtual/") != NULL;
	}
	if (r->pci != NO_PCI)
		r->virtual_dma |= copies(s->pci[r->pci].driver);
	r->active = has_active_port(s->root, name);
	tree_line(r->netdev, sizeof(r->netdev), s->root,
		  "/sys/class/infiniband/%s/ports/1/gid_attrs/ndevs/0", name);
}

/**
 * rdma_load - find all RDMA devices
 * @s:		@s->pci has been read; @s->rnics is filled in
 *
 * Return: 0, also if there is none, or a negative errno.
 */
int rdma_load(struct snapshot *s)
{
	char path[PATH_MAX], **names;
	size_t n;
	int rc;

	rc = tree_path(path, sizeof(path), s->root, "/sys/class/infiniband");
	if (!rc)
		rc = tree_names(path, &names, &n);
	if (rc)
		return rc == -ENOENT ? 0 : rc;
	s->rnics = calloc(n + 1, sizeof(*s->rnics));
	for (size_t i = 0; s->rnics && i < n; i++) {
		if (strlen(names[i]) < sizeof(s->rnics->name))
			load_one(s, names[i], &s->rnics[s->nrnics++]);
	}
	tree_names_free(names, n);
	return s->rnics ? 0 : -ENOMEM;
}

/**
 * rnic_find - look an RDMA device up
 * @s:		a snapshot
 * @name:	what it is called
 *
 * Return: its index in @s->rnics, or NO_RNIC.
 */
int rnic_find(const struct snapshot *s, const char *name)
{
	for (size_t i = 0; i < s->nrnics; i++) {
		if (!strcmp(s->rnics[i].name, name))
			return (int)i;
	}
	return NO_RNIC;
}

/**
 * rdma_conns - the connections of kernel users of the RDMA CM
 * @root:	as in tree_path(); a recorded tree has them in rdma-connections
 * @conns:	filled in; to be freed, also on failure
 * @n:		how many
 *
 * Return: 0 or a negative errno.
 */
int rdma_conns(const char *root, struct rdma_conn **conns, size_t *n)
{
	char *text;
	int rc;

	*conns = NULL;
	*n = 0;
	if (!root[0])
		return rdma_conns_ask(conns, n);
	rc = tree_read(&text, NULL, CONNECTIONS_LIMIT, root, "/rdma-connections");
	if (rc)
		return rc;
	rc = rdma_conns_parse(text, conns, n);
	free(text);
	return rc;
}
