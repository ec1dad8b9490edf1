// SPDX-License-Identifier: GPL-2.0
/* Verdicts: see verdict.h. What is found on a mount is here, on a provider in reach.c. */
#include "verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reach.h"

/**
 * verdict_add - put a finding in its place
 * @v:		a verdict, all zeros at first
 * @answer:	what the finding means alone
 * @code:	its constant name
 * @todo:	what to do about it, or NULL; is copied
 * @format:	as for printf(3): what was found
 *
 * The most severe come first, equals in the order in which they are added.  If there
 * are too many, or no memory is left, the last are lost, but never what they mean.
 */
void verdict_add(struct verdict *v, enum answer answer, const char *code, const char *todo,
		 const char *format, ...)
{
	struct finding new = { .answer = answer, .code = code };
	va_list args;
	size_t at;

	if (answer > v->answer)
		v->answer = answer;
	va_start(args, format);
	if (vasprintf(&new.why, format, args) < 0)
		new.why = NULL;
	va_end(args);
	if (!new.why)
		return;
	new.todo = todo ? strdup(todo) : NULL;
	for (at = 0; at < v->nfindings && v->findings[at].answer >= answer; at++)
		;
	if (v->nfindings == MAX_FINDINGS) {
		/* No room: the least severe goes. */
		struct finding *last = at < MAX_FINDINGS ? &v->findings[MAX_FINDINGS - 1] : &new;

		free(last->why);
		free(last->todo);
		if (last == &new)
			return;
		v->nfindings--;
	}
	memmove(&v->findings[at + 1], &v->findings[at],
		(v->nfindings - at) * sizeof(v->findings[0]));
	v->findings[at] = new;
	v->nfindings++;
}

/**
 * verdict_measured - it was tried, and it works
 * @v:		the verdict so far
 * @code:	constant name of the finding
 * @format:	as for printf(3): what was seen
 *
 * What was seen counts for more than what was concluded: all other findings become
 * mere information.
 */
void verdict_measured(struct verdict *v, const char *code, const char *format, ...)
{
	const bool wrong = v->answer == ANSWER_NO;
	struct finding seen;
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	for (size_t i = 0; i < v->nfindings; i++)
		v->findings[i].answer = ANSWER_YES;
	if (wrong)
		verdict_add(v, ANSWER_YES, "contradiction", "report this as a bug of nfsp2p",
			    "by the findings above it should not work, but it does");
	/* Last among equals, so move it to the front. */
	verdict_add(v, ANSWER_YES, code, NULL, "%s", text ? text : code);
	seen = v->findings[v->nfindings - 1];
	memmove(&v->findings[1], &v->findings[0], (v->nfindings - 1) * sizeof(v->findings[0]));
	v->findings[0] = seen;
	v->answer = ANSWER_YES;
	free(text);
}

static void check_transport(const struct nfs_mount *m, struct verdict *v)
{
	bool all_rdma = !strcmp(m->proto, "rdma");

	for (size_t i = 0; i < m->nxprts; i++)
		all_rdma &= !strcmp(m->xprts[i].proto, "rdma");
	if (!all_rdma)
		verdict_add(v, ANSWER_NO, "not-rdma",
			    "mount with proto=rdma, if the server and the network can (port=20049)",
			    "the transport of %s is %s, not RDMA", m->target,
			    m->proto[0] ? m->proto : "unknown");
}

/* Devices that the CPU moves data for: no other obstacle matters then. */
static void check_virtual(const struct rnic *r, struct verdict *v)
{
	if (r->virtual_dma)
		verdict_add(v, ANSWER_NO, "virtual-dma",
			    "use an RDMA adapter whose hardware does the DMA",
			    "RDMA device %s has no DMA of its own: the CPU copies", r->name);
}

static void check_kernel(const struct kernel *k, struct verdict *v)
{
	/* No module can add it, so what is said of modules has no use then. */
	if (k->p2pdma == TRI_NO)
		verdict_add(
			v, ANSWER_NO, "no-p2pdma",
			"boot a kernel that has it; on Debian 13, whose own kernel 6.12 has not: "
			"apt install -t trixie-backports linux-image-amd64",
			"kernel %s is built without CONFIG_PCI_P2PDMA, says %s", k->release,
			k->p2pdma_source);
	if (k->series == TRI_YES || k->p2pdma == TRI_NO)
		return;
	if (k->series == TRI_UNKNOWN)
		verdict_add(v, ANSWER_UNKNOWN, "no-module", "modprobe nfs rpcrdma, and try again",
			    "module nfs of kernel %s is not loaded, so it cannot be asked",
			    k->release);
	else if (k->installed)
		verdict_add(v, ANSWER_NO, "not-loaded",
			    "unmount NFS and reload the modules, or reboot",
			    "a module nfs with P2PDMA may be installed in updates/, but the one "
			    "that is "
			    "loaded is without (kernel %s)",
			    k->release);
	else
		verdict_add(v, ANSWER_NO, "no-series",
			    "install the modules of nfs-p2pdma for this kernel, or a kernel with "
			    "the series",
			    "module nfs of kernel %s cannot do P2PDMA: it is without the series",
			    k->release);
}

static void check_switch(const struct kernel *k, struct verdict *v)
{
	if (k->series != TRI_YES || k->enabled == TRI_YES)
		return;
	verdict_add(v, k->enabled == TRI_NO ? ANSWER_NO : ANSWER_UNKNOWN, "off",
		    "echo Y > /sys/module/nfs/parameters/p2pdma",
		    k->enabled == TRI_NO
			    ? "P2PDMA for NFS is turned off: nfs.p2pdma=N"
			    : "nfs.p2pdma, which turns P2PDMA off, has an unknown value");
}

static void check_security(const struct nfs_mount *m, struct verdict *v)
{
	const size_t len = strlen(m->sec);

	/* GSS flavours by name: fs/nfs/super.c, nfs_pseudoflavour_to_name(). */
	if (!strcmp(m->sec, "sys") || !strcmp(m->sec, "null") || !len)
		return;
	if (strcmp(m->sec, "unknown") && m->sec[len - 1] != 'i' && m->sec[len - 1] != 'p')
		return;
	verdict_add(v, ANSWER_NO, "gss", "mount with sec=sys or sec=krb5",
		    "sec=%s of %s makes the CPU read the payload, for integrity or privacy", m->sec,
		    m->target);
}

static void check_layout(const struct nfs_mount *m, struct verdict *v)
{
	if (!m->pnfs[0])
		return;
	/* series/7.3/0033: these two ask the transport of each data server. */
	if (!strcmp(m->pnfs, "LAYOUT_FLEX_FILES") || !strcmp(m->pnfs, "LAYOUT_NFSV4_1_FILES"))
		verdict_add(v, ANSWER_UNKNOWN, "layout-data-servers",
			    "try it on a file: nfsp2p check --probe FILE",
			    "%s has pNFS layouts (%s): it depends on the data servers' transports, "
			    "which the kernel does not show",
			    m->target, m->pnfs);
	else
		verdict_add(v, ANSWER_NO, "layout",
			    "have the server stop pNFS, or mount with vers=4.0",
			    "%s has pNFS layouts (%s) that do not go by RDMA", m->target, m->pnfs);
}

static void check_ways_round(const struct nfs_mount *m, struct verdict *v)
{
	if (m->localio)
		verdict_add(v, ANSWER_NO, "localio",
			    "echo N > /sys/module/nfs/parameters/localio_enabled, and mount again",
			    "the server of %s is this machine, and LOCALIO goes round RPC",
			    m->target);
	/* Never set by RDMA, and of no interest by TCP. */
	if (m->caps & NFS_CAP_READ_PLUS && !strcmp(m->proto, "rdma"))
		verdict_add(v, ANSWER_NO, "read-plus", "mount with vers=4.1",
			    "%s uses READ_PLUS, whose replies mix data with other things",
			    m->target);
}

static void check_device(const struct nfs_mount *m, struct verdict *v)
{
	for (size_t i = 0; i < m->nxprts; i++) {
		const struct nfs_xprt *x = &m->xprts[i];

		if (strcmp(x->proto, "rdma"))
			continue;
		if (x->p2pdma == XPRT_NO)
			verdict_add(
				v, ANSWER_NO, "device",
				"use an RDMA adapter whose driver uses the DMA API",
				"transport %zu of %s says that its RDMA device cannot do P2PDMA",
				i + 1, m->target);
		else if (x->p2pdma == XPRT_UNKNOWN)
			verdict_add(v, ANSWER_UNKNOWN, "never-connected",
				    "access a file on the mount, and try again",
				    "transport %zu of %s has never been connected", i + 1,
				    m->target);
	}
	if (m->more_xprts)
		verdict_add(v, ANSWER_UNKNOWN, "transports", "use fewer: nconnect=16",
			    "%s has more than %d transports: the others were not looked at",
			    m->target, MAX_XPRTS);
}

/* The kernel's own word. It follows from what is above, or from what cannot be seen. */
static void check_capability(const struct kernel *k, const struct nfs_mount *m, struct verdict *v)
{
	if (k->series != TRI_YES || m->caps & NFS_CAP_P2PDMA)
		return;
	verdict_add(
		v, ANSWER_NO, "not-advertised",
		v->answer == ANSWER_NO
			? NULL
			: "mount -o remount; if that does not help, trace nfs:nfs_server_p2pdma "
			  "while mounting: it has the reason (SP4_MACH_CRED, for one)",
		"the kernel has not given %s the capability (bit 32 of caps=0x%llx)", m->target,
		(unsigned long long)m->caps);
}

/**
 * verdict_mount - may a mount use P2P memory, as far as it is up to the mount?
 * @s:		a snapshot
 * @m:		one of its mounts
 * @v:		findings are added
 *
 * The conditions are those of series/7.3/0031 to 0036: nfs_server_p2pdma(),
 * nfs_client_p2pdma() and nfs_direct_ask_p2pdma().
 */
void verdict_mount(const struct snapshot *s, const struct nfs_mount *m, struct verdict *v)
{
	if (!m->have_stats) {
		verdict_add(v, ANSWER_UNKNOWN, "no-stats", NULL,
			    "/proc/self/mountstats has nothing about %s", m->target);
		return;
	}
	check_transport(m, v);
	for (size_t i = 0; i < m->nrnics; i++)
		check_virtual(&s->rnics[m->rnics[i]], v);
	check_kernel(&s->kernel, v);
	check_switch(&s->kernel, v);
	check_security(m, v);
	check_layout(m, v);
	check_ways_round(m, v);
	check_device(m, v);
	check_capability(&s->kernel, m, v);
}

/**
 * verdict_pair - may a mount use a provider's memory?
 * @s:		a snapshot
 * @m:		one of its mounts
 * @p:		one of its providers
 * @v:		filled in, to be freed with verdict_free()
 */
void verdict_pair(const struct snapshot *s, const struct nfs_mount *m, const struct provider *p,
		  struct verdict *v)
{
	*v = (struct verdict){ 0 };
	verdict_mount(s, m, v);
	reach_provider(p, v);
	/* Where there is no RDMA, there is no device to be reached. */
	if (!strcmp(m->proto, "rdma"))
		reach_mount(s, m, p, v);
}

/**
 * verdict_machine - could some mount use a provider's memory? There is none now
 * @s:		a snapshot
 * @p:		one of its providers, or NULL if it has none
 * @v:		filled in, to be freed with verdict_free(); the answer is no: without a
 *		mount nothing is usable
 */
void verdict_machine(const struct snapshot *s, const struct provider *p, struct verdict *v)
{
	*v = (struct verdict){ 0 };
	check_kernel(&s->kernel, v);
	check_switch(&s->kernel, v);
	if (!s->nrnics)
		verdict_add(v, ANSWER_NO, "no-rdma",
			    "an RDMA adapter is needed, and its driver (ls /sys/class/infiniband)",
			    "this machine has no RDMA device");
	for (size_t i = 0; i < s->nrnics; i++)
		check_virtual(&s->rnics[i], v);
	if (p)
		reach_provider(p, v);
	else
		reach_no_provider(&s->kernel, v);
	for (size_t i = 0; p && i < s->nrnics; i++)
		reach_rnic(s, &s->rnics[i], p, v);
	/* Last: the devices and the kernel come first where they are in the way, too. */
	verdict_add(v, ANSWER_NO, "no-mount",
		    "mount -t nfs -o proto=rdma,port=20049 SERVER:/PATH DIR",
		    "nothing is mounted by NFS here");
}

/**
 * verdict_endpoint - may one end of a copy use a provider's memory?
 * @s:		a snapshot
 * @e:		the end: a mount of @s, or a PCI function
 * @p:		one of its providers
 * @v:		filled in, to be freed with verdict_free()
 */
void verdict_endpoint(const struct snapshot *s, const struct endpoint *e, const struct provider *p,
		      struct verdict *v)
{
	if (e->mount) {
		verdict_pair(s, e->mount, p, v);
		return;
	}
	*v = (struct verdict){ 0 };
	reach_provider(p, v);
	reach_function(s, p, e->pci, v);
}

/**
 * verdict_ends - may all ends of a copy use a provider's memory?
 * @s:		a snapshot
 * @ends:	what has to reach the provider
 * @n:		how many; without any, it is up to the provider alone
 * @p:		one of its providers
 * @v:		filled in, to be freed with verdict_free(): the worst verdict, of the first
 *		end among equals, with the sum of the distances
 */
void verdict_ends(const struct snapshot *s, const struct endpoint *ends, size_t n,
		  const struct provider *p, struct verdict *v)
{
	unsigned int distance = 0;

	*v = (struct verdict){ 0 };
	reach_provider(p, v);
	for (size_t i = 0; i < n; i++) {
		struct verdict one;

		verdict_endpoint(s, &ends[i], p, &one);
		distance += one.distance;
		if (!i || one.answer > v->answer) {
			struct verdict worse = one;

			one = *v;
			*v = worse;
		}
		verdict_free(&one);
	}
	v->distance = distance;
}

/* Is verdict @a with provider @p better than @b with provider @q? */
static bool better(const struct verdict *a, const struct provider *p, const struct verdict *b,
		   const struct provider *q)
{
	if (a->answer != b->answer)
		return a->answer < b->answer;
	if (a->distance != b->distance)
		return a->distance < b->distance;
	return p->available > q->available;
}

/**
 * verdict_pick - the best provider for several ends
 * @s:		a snapshot
 * @ends:	what has to reach the provider
 * @n:		how many; none if no end is known, and any provider is as near
 * @bytes:	how much of its memory must be free
 * @v:		filled in, to be freed with verdict_free(): the verdict of the worst end
 *		with the provider that is returned; without one, the reason
 *
 * Usable ones come before those that could not be told, then the nearest, then the one
 * with most free memory.
 *
 * Return: the provider, also if it is not usable (see @v), or NULL if there is none
 * at all.
 */
const struct provider *verdict_pick(const struct snapshot *s, const struct endpoint *ends, size_t n,
				    uint64_t bytes, struct verdict *v)
{
	const struct provider *best = NULL;

	*v = (struct verdict){ 0 };
	for (size_t i = 0; i < s->nproviders; i++) {
		const struct provider *p = &s->providers[i];
		struct verdict one;

		verdict_ends(s, ends, n, p, &one);
		if (p->available < bytes)
			verdict_add(&one, ANSWER_NO, "too-small",
				    "free some of it, or ask for less",
				    "%s has %llu bytes free, and %llu are needed", p->bdf,
				    (unsigned long long)p->available, (unsigned long long)bytes);
		if (!best || better(&one, p, v, best)) {
			struct verdict old = *v;

			*v = one;
			one = old;
			best = p;
		}
		verdict_free(&one);
	}
	if (!best)
		reach_no_provider(&s->kernel, v);
	return best;
}

/**
 * verdict_reason - the decisive finding
 * @v:		a verdict
 *
 * Return: what was found, valid as long as @v is.
 */
const char *verdict_reason(const struct verdict *v)
{
	return v->nfindings ? v->findings[0].why : "nothing was found";
}

/**
 * answer_name - an answer as users and programs read it
 * @answer:	any
 *
 * Return: a constant string.
 */
const char *answer_name(enum answer answer)
{
	static const char *const names[] = {
		[ANSWER_YES] = "yes",
		[ANSWER_UNKNOWN] = "unknown",
		[ANSWER_NO] = "no",
	};

	return names[answer];
}

/**
 * verdict_free - free the findings of a verdict
 * @v:		a verdict, or all zeros; all zeros afterwards
 */
void verdict_free(struct verdict *v)
{
	for (size_t i = 0; i < v->nfindings; i++) {
		free(v->findings[i].why);
		free(v->findings[i].todo);
	}
	*v = (struct verdict){ 0 };
}
