// SPDX-License-Identifier: GPL-2.0
/* Mounts and devices of a copy: see ends.h. */
#include "ends.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include "file.h"
#include "message.h"

/* What a provider must have free, at least: two small blocks. */
#define LEAST_MEMORY (128UL << 10)

static void add(struct ends *e, const struct snapshot *s, const struct nfs_mount *mount, int pci)
{
	for (size_t i = 0; i < e->n; i++) {
		if (e->ends[i].mount == mount && (mount || e->ends[i].pci == pci))
			return;
	}
	/* More than that are not judged; the kernel judges each I/O anyway. */
	if (e->n == MAX_ENDS) {
		if (mount)
			snprintf(e->lost, sizeof(e->lost), "%s", mount->target);
		return;
	}
	e->ends[e->n] = (struct endpoint){ mount, pci };
	if (mount)
		counters_sum(s, mount, &e->before[e->n]);
	e->n++;
}

static int add_mount(struct ends *e, const struct snapshot *s, const char *path)
{
	const struct nfs_mount *mount;
	int rc = mount_of_path(s, path, &mount);

	if (rc)
		return rc;
	if (!mount) {
		snprintf(e->lost, sizeof(e->lost), "%s", path);
		return 0;
	}
	if (mount->rsize > e->transfer)
		e->transfer = mount->rsize;
	if (mount->wsize > e->transfer)
		e->transfer = mount->wsize;
	add(e, s, mount, NO_PCI);
	return 0;
}

/**
 * ends_add - add what is behind a path
 * @e:		all zeros at first
 * @s:		a snapshot of this machine, which must outlive @e
 * @path:	a file, a block device, or a folder
 *
 * A local device without a PCI function of its own (device mapper ...) is left out:
 * only the kernel can tell.
 *
 * Return: 0 or a negative errno, as of stat(2).
 */
int ends_add(struct ends *e, const struct snapshot *s, const char *path)
{
	enum file_kind kind;
	struct stat st;
	dev_t dev;
	int pci, rc;

	if (stat(path, &st))
		return -errno;
	rc = file_kind_of(path, &kind, &dev);
	if (rc)
		return rc;
	if (kind == FILE_NFS)
		return add_mount(e, s, path);
	if (kind == FILE_OTHER) {
		/* Of what will be in a folder it is told when it is there. */
		if (!S_ISDIR(st.st_mode) && st.st_size)
			snprintf(e->not_direct, sizeof(e->not_direct), "%s", path);
		return 0;
	}
	pci = pci_of_block(s, major(dev), minor(dev));
	if (pci != NO_PCI)
		add(e, s, NULL, pci);
	return 0;
}

static bool is_end(const struct ends *e, const struct statx *stx)
{
	for (size_t i = 0; i < e->n; i++) {
		const struct nfs_mount *m = e->ends[i].mount;

		if (m && m->major == stx->stx_dev_major && m->minor == stx->stx_dev_minor)
			return true;
	}
	return false;
}

/**
 * ends_add_below - add the NFS mount of something below what ends_add() was told of
 * @e:		the ends
 * @s:		the snapshot that they are of
 * @path:	a file or folder, which need not exist
 *
 * A folder may have other mounts in it, such as the nested exports of its server.
 */
void ends_add_below(struct ends *e, const struct snapshot *s, const char *path)
{
	struct statfs fs;
	struct statx stx;

	if (statx(AT_FDCWD, path, 0, STATX_TYPE, &stx) || is_end(e, &stx))
		return;
	if (!statfs(path, &fs) && fs.f_type == NFS_SUPER_MAGIC)
		add_mount(e, s, path);
}

/* The provider that the user wants. */
static const struct provider *judge(const struct ends *e, const struct snapshot *s, const char *bdf,
				    struct verdict *v)
{
	const struct provider *p = provider_find(s, bdf);

	*v = (struct verdict){ 0 };
	if (p)
		verdict_ends(s, e->ends, e->n, p, v);
	return p;
}

/**
 * ends_choose - which provider's memory to use
 * @e:		the ends
 * @s:		the snapshot that they are of
 * @bdf:	the one that the user wants, or NULL for the best
 * @why:	filled in, if there is none: the reason in the words of "check"
 * @n:		size of @why
 *
 * If it cannot be told whether it will work, that is said, and it is tried.
 *
 * Return: the provider, or NULL.
 */
const struct provider *ends_choose(const struct ends *e, const struct snapshot *s, const char *bdf,
				   char *why, size_t n)
{
	const struct provider *p;
	const struct finding *first;
	struct verdict v;

	if (e->not_direct[0]) {
		snprintf(why, n,
			 "the file system of %s does not do direct I/O, as far as it says (statx)",
			 e->not_direct);
		return NULL;
	}
	p = bdf ? judge(e, s, bdf, &v) : verdict_pick(s, e->ends, e->n, LEAST_MEMORY, &v);
	first = v.nfindings ? &v.findings[0] : NULL;
	snprintf(why, n, "%s%s%s", verdict_reason(&v), first && first->todo ? "; " : "",
		 first && first->todo ? first->todo : "");
	if (!p && bdf)
		snprintf(why, n, "%s has no P2P memory; 'nfsp2p list' shows what has", bdf);
	if (p && v.answer == ANSWER_UNKNOWN)
		message_note("cannot tell if it will work: %s; trying", why);
	else if (p && v.answer == ANSWER_YES && e->lost[0])
		message_note(
			"cannot tell if it will work: the NFS mount of %s is not known; trying",
			e->lost);
	if (v.answer == ANSWER_NO)
		p = NULL;
	verdict_free(&v);
	return p;
}

/**
 * ends_count - remember the kernel's counters, as they are now
 * @e:		the ends, with the counters of their snapshot
 *
 * To be called if folders were read since the snapshot was taken: the CPU copies what
 * READDIR and READLINK return (net/sunrpc/xprtrdma/rpc_rdma.c, rpcrdma_inline_fixup()).
 * What cannot be read counts nothing, see &struct counters.counted.
 */
void ends_count(struct ends *e)
{
	for (size_t i = 0; i < e->n; i++) {
		e->before[i] = (struct counters){ 0 };
		if (e->ends[i].mount && counters_read(e->ends[i].mount, &e->before[i]))
			e->before[i].counted = false;
	}
}

static bool same_counters(const struct counters *a, const struct counters *b)
{
	return a->p2p_read == b->p2p_read && a->p2p_write == b->p2p_write &&
	       a->copied == b->copied && a->refused == b->refused && a->of_machine == b->of_machine;
}

/*
 * Mounts of one server share its transports, and with them the counters, unless
 * they were mounted with nosharetransport.  Then the counters differ.
 */
static bool shared(const struct ends *e, size_t a, size_t b, const struct counters *now)
{
	const struct nfs_mount *m = e->ends[a].mount, *n = e->ends[b].mount;
	size_t server;

	if (!m || !n || m->nxprts != n->nxprts)
		return false;
	/* SERVER:/PATH; an IPv6 address has colons, but no slash. */
	server = strcspn(m->source, "/");
	return server == strcspn(n->source, "/") && !strncmp(m->source, n->source, server) &&
	       same_counters(&e->before[a], &e->before[b]) && same_counters(&now[a], &now[b]);
}

/* The end whose P2P figures are those of all, @n if there is none. */
static size_t machine_of(const struct counters *now, size_t n)
{
	size_t i = 0;

	while (i < n && !now[i].of_machine)
		i++;
	return i;
}

/**
 * ends_counted - what the kernel has counted since ends_count()
 * @e:		the ends
 *
 * Return: the sum over all transports; @counted if each mount has counters, and is known.
 */
struct counters ends_counted(const struct ends *e)
{
	struct counters sum = { .counted = !e->lost[0] }, now[MAX_ENDS] = { 0 };
	size_t machine;

	for (size_t i = 0; i < e->n; i++) {
		if (e->ends[i].mount && counters_read(e->ends[i].mount, &now[i]))
			now[i] = (struct counters){ 0 };
	}
	machine = machine_of(now, e->n);
	for (size_t i = 0; i < e->n; i++) {
		struct counters d = counters_since(&e->before[i], &now[i]);
		bool again = false;

		if (!e->ends[i].mount)
			continue;
		for (size_t j = 0; j < i; j++)
			again |= shared(e, i, j, now);
		sum.counted &= d.counted;
		if (again)
			continue;
		sum.copied += d.copied;
		if (machine < e->n && machine != i)
			continue;
		sum.p2p_read += d.p2p_read;
		sum.p2p_write += d.p2p_write;
		sum.refused += d.refused;
	}
	return sum;
}
