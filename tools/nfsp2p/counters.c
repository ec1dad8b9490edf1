// SPDX-License-Identifier: GPL-2.0
/* Which way payload went: see counters.h. */
#include "counters.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "snapshot.h"

/**
 * counters_sum - add up what a mount of a snapshot has
 * @m:		the mount
 * @c:		filled in
 */
void counters_sum(const struct nfs_mount *m, struct counters *c)
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
	int rc = now.root ? mount_load(&now) : -ENOMEM;
	bool found = false;

	for (size_t i = 0; !rc && i < now.nmounts; i++) {
		if (now.mounts[i].id != m->id || !now.mounts[i].have_stats)
			continue;
		counters_sum(&now.mounts[i], c);
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
	struct counters d = { .counted = before->counted && now->counted };

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
