// SPDX-License-Identifier: GPL-2.0
/* A provider and the way to it: see reach.h. */
#include "reach.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/**
 * reach_no_provider - say that there is nothing to ask about
 * @k:		the kernel: without CONFIG_PCI_P2PDMA no device can, and that is said elsewhere
 * @v:		the finding is added
 */
void reach_no_provider(const struct kernel *k, struct verdict *v)
{
	verdict_add(v, ANSWER_NO, "no-provider",
		    k->p2pdma == TRI_NO
			    ? NULL
			    : "an NVMe drive with a Controller Memory Buffer, or another device "
			      "whose driver offers its memory, is needed",
		    "no PCI device of this machine offers P2P memory (no p2pmem/ in sysfs)%s",
		    k->p2pdma == TRI_UNKNOWN
			    ? ", and it is not known if the kernel is built with CONFIG_PCI_P2PDMA"
			    : "");
}

/**
 * reach_provider - may this process use a provider's memory at all?
 * @p:		the provider
 * @v:		findings are added
 *
 * The kernel itself lets users map memory that is not published; but then the driver
 * keeps it for itself: drivers/pci/p2pdma.c, pci_p2pmem_publish().
 */
void reach_provider(const struct provider *p, struct verdict *v)
{
	if (!p->published)
		verdict_add(v, ANSWER_NO, "not-published",
			    "use another provider: its driver has reasons, such as a CMB without "
			    "support for data",
			    "%s has P2P memory, but its driver has not published it for others",
			    p->bdf);
	if (p->access == ACCESS_DENIED)
		verdict_add(v, ANSWER_NO, "not-permitted",
			    "run as root, or let an udev rule give a group access to the file",
			    "this user may not open /sys/bus/pci/devices/%s/p2pmem/allocate for "
			    "reading "
			    "and writing",
			    p->bdf);
	if (p->access == ACCESS_ABSENT)
		verdict_add(
			v, ANSWER_NO, "no-allocate",
			"Linux 6.2 or newer is needed; if it is, the driver is removing the memory",
			"%s has no p2pmem/allocate: programs cannot map its memory", p->bdf);
	if (p->available < (uint64_t)sysconf(_SC_PAGESIZE))
		verdict_add(v, ANSWER_NO, "full", "end the programs that have mapped it",
			    "nothing is free of the P2P memory of %s (%llu bytes)", p->bdf,
			    (unsigned long long)p->size);
}

/* "0000:00:01.0 (ReqRedir+), 0000:00:02.0 (...)" */
static void redirects_text(const struct snapshot *s, const struct path *path, char *text, size_t n)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < path->nredirects && used < n; i++) {
		const struct pci_function *f = &s->pci[path->redirects[i]];

		/* The names are those that lspci has. */
		used += (size_t)snprintf(
			text + used, n - used, "%s%s (%s%s%s)", i ? ", " : "", f->bdf,
			f->acs_control & ACS_REQUEST_REDIRECT ? "ReqRedir+" : "",
			f->acs_control & ACS_COMPLETION_REDIRECT ? "CmpltRedir+" : "",
			f->acs_control & ACS_EGRESS_CONTROL ? "EgressCtrl+" : "");
	}
}

static void redirects_todo(const struct snapshot *s, const struct path *path, char *text, size_t n)
{
	size_t used = (size_t)snprintf(text, n, "boot with pci=disable_acs_redir=");

	for (size_t i = 0; i < path->nredirects && used < n; i++)
		used += (size_t)snprintf(text + used, n - used, "%s%s", i ? ";" : "",
					 s->pci[path->redirects[i]].bdf);
	if (used < n)
		snprintf(text + used, n - used,
			 " (devices are less isolated then), or move one of the "
			 "two next to the other");
}

/* What is between the two devices that is not trusted. */
static void bridge_text(const struct snapshot *s, const struct path *path, char *text, size_t n)
{
	const struct pci_function *f = path->bridge == NO_PCI ? NULL : &s->pci[path->bridge];

	if (f)
		snprintf(text, n, "host bridge %s [%04x:%04x] is not on the kernel's list%s",
			 f->bdf, f->vendor, f->device,
			 path->other_host ? ", or not for devices below different host bridges"
					  : "");
	else
		snprintf(text, n, "it is not known which host bridge is above %s",
			 path->other_host ? "them" : "the two");
}

static void add_refused(const struct snapshot *s, const struct provider *p, const char *client,
			const struct path *path, struct verdict *v)
{
	char redirects[400], bridge[160], todo[600];

	bridge_text(s, path, bridge, sizeof(bridge));
	if (path->nredirects && path->common != NO_PCI) {
		redirects_text(s, path, redirects, sizeof(redirects));
		redirects_todo(s, path, todo, sizeof(todo));
		verdict_add(v, ANSWER_NO, "unreachable-acs", todo,
			    "%s cannot reach %s: ACS redirects what goes between them to the host "
			    "bridge, at "
			    "%s; and %s",
			    client, p->bdf, redirects, bridge);
	} else {
		verdict_add(
			v, ANSWER_NO, "unreachable-bridge",
			"put both below one PCIe switch, or use a machine whose host bridge is "
			"listed in "
			"drivers/pci/p2pdma.c (any AMD Zen)",
			"%s cannot reach %s: they have no PCIe switch in common, and %s (CPU: %s)",
			client, p->bdf, bridge, s->kernel.cpu[0] ? s->kernel.cpu : "unknown");
	}
}

static void add_unknown(const struct snapshot *s, const struct provider *p, const char *client,
			const struct path *path, struct verdict *v)
{
	char bridge[160];

	if (path->acs_unknown != NO_PCI) {
		verdict_add(
			v, ANSWER_UNKNOWN, "acs-unknown", "run as root",
			"whether %s reaches %s depends on ACS of %s, and only root may read that",
			client, p->bdf, s->pci[path->acs_unknown].bdf);
		return;
	}
	bridge_text(s, path, bridge, sizeof(bridge));
	verdict_add(v, ANSWER_UNKNOWN, "bridge-unknown", "try it: nfsp2p check --probe FILE",
		    "whether %s reaches %s is not known: %s, as far as known here (Linux %s)",
		    client, p->bdf, bridge, s->kernel.release);
}

static bool translates(const struct pci_function *f)
{
	/* @f is an element of the snapshot, never NULL. */
	return !strncmp(f->iommu, "DMA", 3); /* NOLINT(clang-analyzer-core.NonNullParamChecker) */
}

/* The way is open: say which it is. */
static void add_route(const struct snapshot *s, const struct provider *p, const char *client,
		      int pci, const struct path *path, struct verdict *v)
{
	const struct pci_function *f = &s->pci[pci];

	if (path->route > v->route)
		v->route = path->route;
	v->distance += path->distance;
	if (path->route == ROUTE_BUS) {
		verdict_add(v, ANSWER_YES, "route-bus", NULL,
			    "%s reaches %s by PCI bus address, below %s (%u links)", client, p->bdf,
			    s->pci[path->common].bdf, path->distance);
		return;
	}
	if (path->route == ROUTE_EITHER)
		verdict_add(v, ANSWER_YES, "route-either", "run as root to see which way",
			    "%s reaches %s, below %s or through the host bridge: ACS of %s could "
			    "not be read",
			    client, p->bdf, s->pci[path->common].bdf,
			    s->pci[path->acs_unknown].bdf);
	else
		verdict_add(v, ANSWER_YES, "route-host-bridge", NULL,
			    "%s reaches %s through the host bridge%s%s", client, p->bdf,
			    s->kernel.amd_zen == TRI_YES ? ": CPU is "
							 : ", which is on the kernel's list",
			    s->kernel.amd_zen == TRI_YES ? s->kernel.cpu : "");
	if (translates(f))
		verdict_add(v, ANSWER_YES, "iommu", NULL,
			    "the IOMMU translates for %s, domain type %s: it works, at some cost",
			    client, f->iommu);
	/* kernel/dma/direct.c, dma_direct_map_phys() */
	else if (s->kernel.bounces)
		verdict_add(v, ANSWER_NO, "bounced", "boot without swiotlb=force",
			    "the kernel bounces all DMA through the host bridge: swiotlb=force");
}

static void reach_named(const struct snapshot *s, const struct provider *p, const char *client,
			int pci, struct verdict *v)
{
	struct path path;

	topology_path(s, p->pci, pci, &path);
	if (path.route == ROUTE_NONE)
		add_refused(s, p, client, &path, v);
	else if (path.route == ROUTE_UNKNOWN)
		add_unknown(s, p, client, &path, v);
	else
		add_route(s, p, client, pci, &path, v);
}

/**
 * reach_function - does a PCI function reach a provider?
 * @s:		a snapshot
 * @p:		the provider
 * @client:	index of the function, or NO_PCI
 * @v:		findings are added
 */
void reach_function(const struct snapshot *s, const struct provider *p, int client,
		    struct verdict *v)
{
	if (client == NO_PCI)
		verdict_add(v, ANSWER_UNKNOWN, "no-function", "use a file on an NVMe drive itself",
			    "the local device is not a PCI function of its own (device mapper, MD, "
			    "multipath, loop)");
	else
		reach_named(s, p, s->pci[client].bdf, client, v);
}

/**
 * reach_rnic - does an RDMA device reach a provider?
 * @s:		a snapshot
 * @r:		one of its RDMA devices; nothing is said of one with virtual DMA
 * @p:		the provider
 * @v:		findings are added
 */
void reach_rnic(const struct snapshot *s, const struct rnic *r, const struct provider *p,
		struct verdict *v)
{
	char name[100];

	if (r->virtual_dma)
		return; /* has been said */
	if (r->pci == NO_PCI) {
		verdict_add(v, ANSWER_NO, "not-pci", "use an RDMA adapter on PCI",
			    "RDMA device %s is not a PCI device", r->name);
		return;
	}
	snprintf(name, sizeof(name), "%s (%s)", r->name, s->pci[r->pci].bdf);
	reach_named(s, p, name, r->pci, v);
}

/**
 * reach_mount - do the devices of a mount's connections reach a provider?
 * @s:		a snapshot
 * @m:		the mount
 * @p:		the provider
 * @v:		findings are added
 */
void reach_mount(const struct snapshot *s, const struct nfs_mount *m, const struct provider *p,
		 struct verdict *v)
{
	for (size_t i = 0; i < m->nrnics; i++)
		reach_rnic(s, &s->rnics[m->rnics[i]], p, v);
	if (!m->nrnics)
		verdict_add(v, ANSWER_UNKNOWN, "device-unknown",
			    "access a file on the mount and try again, outside of containers",
			    "it is not known which of %zu RDMA devices %s uses: there is no "
			    "connection, or "
			    "the kernel does not show it",
			    s->nrnics, m->target);
}
