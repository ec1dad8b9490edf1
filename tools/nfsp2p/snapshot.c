// SPDX-License-Identifier: GPL-2.0
/* All that a verdict depends on: see snapshot.h. */
#include "snapshot.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel.h"

/**
 * snapshot_default_root - where to read, if the command line does not say
 *
 * Return: the value of NFSP2P_ROOT, which tests set, or "".
 */
const char *snapshot_default_root(void)
{
	const char *root = getenv("NFSP2P_ROOT");

	return root ? root : "";
}

/**
 * snapshot_load - read everything
 * @s:		filled in, to be freed with snapshot_free(), also on failure
 * @root:	"" for this machine, or the folder of a recorded tree
 *
 * What cannot be read is unknown, and no failure.
 *
 * Return: 0 or a negative errno.
 */
int snapshot_load(struct snapshot *s, const char *root)
{
	int rc;

	*s = (struct snapshot){ .root = strdup(root) };
	if (!s->root)
		return -ENOMEM;
	kernel_load(s->root, &s->kernel);
	rc = topology_load(s);
	if (!rc)
		rc = provider_load(s);
	/* Providers are proof enough; the files are large. */
	if (s->nproviders)
		s->kernel.p2pdma = TRI_YES;
	else
		kernel_load_config(s->root, &s->kernel);
	if (!rc)
		rc = rdma_load(s);
	if (!rc)
		rc = mount_load(s);
	return rc;
}

/**
 * snapshot_load_for - read everything, for questions about some paths
 * @s:		as for snapshot_load()
 * @root:	as for snapshot_load()
 * @paths:	files or folders of this machine, which need not exist
 * @n:		how many
 *
 * What is mounted when somebody first looks must be there before the mounts are read.
 * Another look is for what went away and came back meanwhile; see mount_missing() for
 * what is not found even then.
 *
 * Return: 0 or a negative errno.
 */
int snapshot_load_for(struct snapshot *s, const char *root, char *const *paths, size_t n)
{
	bool missing = false;
	int rc;

	for (size_t i = 0; i < n && !root[0]; i++)
		mount_touch(paths[i]);
	rc = snapshot_load(s, root);
	for (size_t i = 0; i < n && !rc; i++)
		missing |= mount_missing(s, paths[i]);
	if (rc || !missing)
		return rc;
	snapshot_free(s);
	return snapshot_load(s, root);
}

/**
 * snapshot_free - free what snapshot_load() allocated
 * @s:		a snapshot; all zeros afterwards
 */
void snapshot_free(struct snapshot *s)
{
	for (size_t i = 0; i < s->nmounts; i++)
		mount_clear(&s->mounts[i]);
	free(s->mounts);
	free(s->rnics);
	free(s->providers);
	free(s->pci);
	free(s->root);
	*s = (struct snapshot){ 0 };
}
