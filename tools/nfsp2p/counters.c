// SPDX-License-Identifier: GPL-2.0
/* Which way payload went: see counters.h. */
#include "counters.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "snapshot.h"
#include "tree.h"

#define SWITCHES "/sys/kernel/sunrpc/xprt-switches"

/* One transport, a folder of sysfs; without these files it is of a kernel without the series. */
static void add_xprt(const char *dir, struct counters *c)
{
	uint64_t read, write, refused;

	if (tree_u64(&read, dir, "/p2pdma_read_bytes") ||
	    tree_u64(&write, dir, "/p2pdma_write_bytes") ||
	    tree_u64(&refused, dir, "/p2pdma_refused"))
		return;
	c->p2p_read += read;
	c->p2p_write += write;
	c->refused += refused;
	c->counted = true;
}

/**
 * counters_of_machine - add up what all transports of this machine have
 * @root:	as in tree_path()
 * @c:		the P2P figures are filled in, @copied is left alone; @counted if there is
 *		a transport that counts
 *
 * Those of data servers are among them.  Source: series/7.3/0037 and net/sunrpc/sysfs.c.
 */
void counters_of_machine(const char *root, struct counters *c)
{
	char path[PATH_MAX], **switches, **xprts;
	size_t nswitches, nxprts;

	c->p2p_read = c->p2p_write = c->refused = 0;
	c->counted = false;
	c->of_machine = true;
	if (tree_path(path, sizeof(path), root, SWITCHES) ||
	    tree_names(path, &switches, &nswitches))
		return;
	for (size_t i = 0; i < nswitches; i++) {
		if (tree_path(path, sizeof(path), root, SWITCHES "/%s", switches[i]) ||
		    tree_names(path, &xprts, &nxprts))
			continue;
		for (size_t k = 0; k < nxprts; k++) {
			if (!strncmp(xprts[k], "xprt-", 5) &&
			    !tree_path(path, sizeof(path), root, SWITCHES "/%s/%s", switches[i],
				       xprts[k]))
				add_xprt(path, c);
		}
		tree_names_free(xprts, nxprts);
	}
	tree_names_free(switches, nswitches);
}

/**
 * counters_sum - what a mount of a snapshot has
 * @s:		the snapshot
 * @m:		the mount
 * @c:		filled in
 */
void counters_sum(const struct snapshot *s, const struct nfs_mount *m, struct counters *c)
{
	*c = (struct counters){ .counted = m->nxprts > 0 };
	for (size_t i = 0; i < m->nxprts; i++) {
		const struct nfs_xprt *x = &m->xprts[i];

		c->p2p_read += x->read;
		c->p2p_write += x->write;
		c->refused += x->refused;
		c->copied += x->pullup + x->fixup;
		c->counted &= x->p2pdma != XPRT_SILENT && !strcmp(x->proto, "rdma");
	}
	if (m->pnfs[0])
		counters_of_machine(s->root, c);
}

/**
 * counters_read - read the counters of a mount now
 * @m:		the mount, of any snapshot of this machine
 * @c:		filled in
 *
 * The counters belong to the transports, which all mounts of one server share: what
 * others do there at the same time counts, too.
 *
 * Return: 0, -ENOENT if it is not mounted any more, or another negative errno.
 */
int counters_read(const struct nfs_mount *m, struct counters *c)
{
	struct snapshot now = { .root = strdup("") };
	int rc = now.root ? mount_load_stats(&now) : -ENOMEM;
	bool found = false;

	for (size_t i = 0; !rc && i < now.nmounts; i++) {
		if (now.mounts[i].id != m->id || !now.mounts[i].have_stats)
			continue;
		counters_sum(&now, &now.mounts[i], c);
		found = true;
	}
	snapshot_free(&now);
	return rc ? rc : found ? 0 : -ENOENT;
}

/**
 * counters_since - what was counted between two readings
 * @before:	the first
 * @now:	the second
 *
 * A transport that was replaced in between begins at 0: such differences are 0.
 *
 * Return: the differences.
 */
struct counters counters_since(const struct counters *before, const struct counters *now)
{
	struct counters d = { .counted = before->counted && now->counted,
			      .of_machine = now->of_machine };

	if (now->p2p_read > before->p2p_read)
		d.p2p_read = now->p2p_read - before->p2p_read;
	if (now->p2p_write > before->p2p_write)
		d.p2p_write = now->p2p_write - before->p2p_write;
	if (now->refused > before->refused)
		d.refused = now->refused - before->refused;
	if (now->copied > before->copied)
		d.copied = now->copied - before->copied;
	return d;
}
