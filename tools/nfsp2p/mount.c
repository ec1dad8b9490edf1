// SPDX-License-Identifier: GPL-2.0
/* NFS mounts: see mount.h. */
#include "mount.h"

#include <errno.h>
#include <fcntl.h>
#include <libmount/libmount.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "snapshot.h"
#include "tree.h"

#define MOUNTSTATS_LIMIT (64 << 20)

static bool is_nfs(const char *type)
{
	return type && (!strcmp(type, "nfs") || !strcmp(type, "nfs4"));
}

static int add_mount(struct snapshot *s, struct libmnt_fs *fs)
{
	const char *source = mnt_fs_get_source(fs), *target = mnt_fs_get_target(fs);
	const dev_t dev = mnt_fs_get_devno(fs);
	struct nfs_mount *more;

	if (!is_nfs(mnt_fs_get_fstype(fs)) || !target)
		return 0;
	more = realloc(s->mounts, (s->nmounts + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	s->mounts = more;
	more += s->nmounts++;
	*more = (struct nfs_mount){
		.id = (unsigned int)mnt_fs_get_id(fs),
		.major = major(dev),
		.minor = minor(dev),
		.source = strdup(source ? source : ""),
		.target = strdup(target),
	};
	return more->source && more->target ? 0 : -ENOMEM;
}

static int load_mountinfo(struct snapshot *s)
{
	struct libmnt_table *table = mnt_new_table();
	struct libmnt_iter *iter = mnt_new_iter(MNT_ITER_FORWARD);
	char path[PATH_MAX];
	struct libmnt_fs *fs;
	int rc = table && iter ? 0 : -ENOMEM;

	if (!rc)
		rc = tree_path(path, sizeof(path), s->root, "/proc/self/mountinfo");
	if (!rc && access(path, R_OK))
		rc = -errno;
	/* A line that libmount does not understand is skipped. */
	if (!rc && mnt_table_parse_file(table, path) < 0)
		rc = -EPROTO;
	while (!rc && !mnt_table_next_fs(table, iter, &fs))
		rc = add_mount(s, fs);
	mnt_free_iter(iter);
	mnt_unref_table(table);
	return rc;
}

/* What cannot be read is missing from the mounts, and they say so: @have_stats. */
static void load_mountstats(const char *root, struct nfs_mount *mounts, size_t n)
{
	char *text;

	if (tree_read(&text, NULL, MOUNTSTATS_LIMIT, root, "/proc/self/mountstats"))
		return;
	mountstats_parse(text, mounts, n);
	free(text);
}

static void add_rnic(struct nfs_mount *m, int rnic)
{
	for (size_t i = 0; i < m->nrnics; i++) {
		if (m->rnics[i] == rnic)
			return;
	}
	if (rnic != NO_RNIC && m->nrnics < MAX_RNICS)
		m->rnics[m->nrnics++] = rnic;
}

/* Which devices do connections of the client to this peer go by? */
static void add_peer(const struct snapshot *s, struct nfs_mount *m, const char *address,
		     unsigned int port, const struct rdma_conn *conns, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		/* The server's ends have the clients' ports for peers. */
		if (!strcmp(conns[i].user, "rpcrdma") && conns[i].port == port &&
		    !strcmp(conns[i].address, address))
			add_rnic(m, rnic_find(s, conns[i].device));
	}
}

/* "dst_port=20049", on a line of its own. */
static unsigned int port_of(const char *info)
{
	const char *at = strstr(info, "dst_port=");

	return at ? (unsigned int)strtoul(at + strlen("dst_port="), NULL, 10) : 0;
}

/* One transport of the mount's RPC client, a folder of sysfs. */
static void add_xprt(const struct snapshot *s, struct nfs_mount *m, const char *dir,
		     const struct rdma_conn *conns, size_t n)
{
	char address[64], *info;

	if (tree_line(address, sizeof(address), dir, "/dstaddr") ||
	    tree_read(&info, NULL, PATH_MAX, dir, "/xprt_info"))
		return;
	add_peer(s, m, address, port_of(info), conns, n);
	free(info);
}

/*
 * /sys/fs/nfs/MAJOR:MINOR/nfs_client/switch/xprt-N-rdma: fs/nfs/sysfs.c,
 * nfs_sysfs_link_rpc_client() and nfs_sysfs_move_server_to_sb(), and
 * net/sunrpc/sysfs.c.
 */
static void load_transports(const struct snapshot *s, struct nfs_mount *m,
			    const struct rdma_conn *conns, size_t n)
{
	char client[PATH_MAX], dir[PATH_MAX], **switches, **xprts;
	size_t nswitches, nxprts;

	if (tree_path(client, sizeof(client), s->root, "/sys/fs/nfs/%u:%u/nfs_client", m->major,
		      m->minor) ||
	    tree_names(client, &switches, &nswitches))
		return;
	for (size_t i = 0; i < nswitches; i++) {
		if (strncmp(switches[i], "switch", 6) ||
		    tree_path(dir, sizeof(dir), client, "/%s", switches[i]) ||
		    tree_names(dir, &xprts, &nxprts))
			continue;
		for (size_t k = 0; k < nxprts; k++) {
			if (!strncmp(xprts[k], "xprt-", 5) &&
			    !tree_path(dir, sizeof(dir), client, "/%s/%s", switches[i], xprts[k]))
				add_xprt(s, m, dir, conns, n);
		}
		tree_names_free(xprts, nxprts);
	}
	tree_names_free(switches, nswitches);
}

static void load_localio(const char *root, struct nfs_mount *m)
{
	uint64_t local = 0;

	tree_u64(&local, root, "/sys/fs/nfs/%u:%u/localio", m->major, m->minor);
	m->localio = local == 1;
}

/**
 * mount_load_stats - find all NFS mounts, with what mountstats has about them
 * @s:		@s->mounts is filled in, without devices and LOCALIO
 *
 * Return: 0 or a negative errno.
 */
int mount_load_stats(struct snapshot *s)
{
	int rc = load_mountinfo(s);

	if (!rc && s->nmounts)
		load_mountstats(s->root, s->mounts, s->nmounts);
	return rc;
}

/**
 * mount_load - find all NFS mounts of this mount namespace
 * @s:		@s->rnics has been read; @s->mounts is filled in
 *
 * Return: 0 or a negative errno.
 */
int mount_load(struct snapshot *s)
{
	struct rdma_conn *conns = NULL;
	size_t n = 0;
	int rc;

	rc = mount_load_stats(s);
	if (rc || !s->nmounts)
		return rc;
	/* Without the connections the devices stay unknown. */
	rdma_conns(s->root, &conns, &n);
	for (size_t i = 0; i < s->nmounts; i++) {
		load_localio(s->root, &s->mounts[i]);
		load_transports(s, &s->mounts[i], conns, n);
		/* Not shown, for instance in a container. But what else could it be? */
		if (!s->mounts[i].nrnics && s->nrnics == 1 && !strcmp(s->mounts[i].proto, "rdma"))
			add_rnic(&s->mounts[i], 0);
	}
	free(conns);
	return 0;
}

/**
 * mount_clear - free what belongs to a mount
 * @m:		a mount of a snapshot
 */
void mount_clear(struct nfs_mount *m)
{
	free(m->source);
	free(m->target);
}

/* In a recorded tree there is no file: the longest target that @path begins with. */
static const struct nfs_mount *by_name(const struct snapshot *s, const char *path)
{
	const struct nfs_mount *best = NULL;

	for (size_t i = 0; i < s->nmounts; i++) {
		const char *target = s->mounts[i].target;
		const size_t len = strlen(target);

		if (!strncmp(path, target, len) && (!path[len] || path[len] == '/') &&
		    (!best || len >= strlen(best->target)))
			best = &s->mounts[i];
	}
	return best;
}

/**
 * mount_of_path - which NFS mount is a file on?
 * @s:		a snapshot
 * @path:	a file or folder
 * @m:		filled in; NULL if it is on no NFS mount
 *
 * The kernel knows (statx(2), STATX_MNT_ID).  A server that does not answer makes
 * this wait, as any access of the file would.
 *
 * Return: 0, or a negative errno if there is no such file.
 */
int mount_of_path(const struct snapshot *s, const char *path, const struct nfs_mount **m)
{
	struct statx stx;

	*m = NULL;
	if (s->root[0]) {
		*m = by_name(s, path);
		return 0;
	}
	if (statx(AT_FDCWD, path, 0, STATX_TYPE | STATX_MNT_ID, &stx))
		return -errno;
	for (size_t i = 0; i < s->nmounts; i++) {
		const struct nfs_mount *one = &s->mounts[i];

		if (stx.stx_mask & STATX_MNT_ID
			    ? stx.stx_mnt_id == one->id
			    : stx.stx_dev_major == one->major && stx.stx_dev_minor == one->minor)
			*m = one;
	}
	return 0;
}

/**
 * mount_touch - have the kernel mount what is mounted on access
 * @path:	a file or folder, which need not exist
 *
 * Nested exports of a server and autofs are mounted by whoever walks into them.
 * Unlike stat(2), statx(2) does so for the last name, too.
 */
void mount_touch(const char *path)
{
	struct statx stx;

	/* What is wrong with it is said where it is used. */
	statx(AT_FDCWD, path, 0, STATX_TYPE, &stx);
}

/**
 * mount_missing - is a file on NFS, but on none of the mounts that are known?
 * @s:		a snapshot
 * @path:	a file or folder
 *
 * It was mounted after @s was taken, or belongs to another mount namespace.
 *
 * Return: true if so; never for a recorded tree.
 */
bool mount_missing(const struct snapshot *s, const char *path)
{
	const struct nfs_mount *m;
	struct statfs fs;

	if (s->root[0] || mount_of_path(s, path, &m) || m)
		return false;
	return !statfs(path, &fs) && fs.f_type == NFS_SUPER_MAGIC;
}
