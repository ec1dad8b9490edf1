// SPDX-License-Identifier: GPL-2.0
/* nfsp2p check: may NFS mounts use P2P memory, and if not, why? */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nfsp2p.h"
#include "probe.h"
#include "reach.h"
#include "report.h"
#include "snapshot.h"

/**
 * struct question - what the command line asks
 * @paths:	files or mount points; all NFS mounts if there are none
 * @npaths:	how many
 * @bdf:	the provider that is asked about, NULL for all
 * @root:	recorded tree, or ""
 * @any:	one usable pair is enough
 * @json:	print JSON
 * @probe:	try it
 */
struct question {
	char **paths;
	size_t npaths;
	const char *bdf;
	const char *root;
	bool any, json, probe;
};

/**
 * struct tally - the answers so far
 * @n:		how many pairs were answered so, by &enum answer
 * @pairs:	the pairs for JSON, NULL for text
 */
struct tally {
	unsigned int n[ANSWER_NO + 1];
	struct json_object *pairs;
};

static int help(void)
{
	printf("Usage: nfsp2p check [OPTION]... [PATH]...\n\n"
	       "For each NFS mount (or the mount of each PATH) and each provider of P2P memory:\n"
	       "can direct I/O use that memory, why not, and what is to be done?\n\n"
	       "  --provider BDF  ask about one provider only\n"
	       "  --any           it is enough if one pair is usable\n"
	       "  --probe         try it: read a file (PATH, or one in that folder) into each\n"
	       "                  provider's memory, and see by the kernel's counters which way\n"
	       "                  the bytes came\n"
	       "  --json          for programs\n"
	       "  --root DIR      judge a recorded tree (DIR/proc, DIR/sys), not this machine\n"
	       "  --help          this text\n\n"
	       "Run as root to see all there is: ACS, and the reasons of refusals.\n\n"
	       "Exit status: 0 every pair asked about is usable (--any: one is), 1 one is not\n"
	       "(--any: none is), 2 wrong command line, 3 could not tell.\n\n"
	       "Examples:\n"
	       "  nfsp2p check\n"
	       "  nfsp2p check --any /mnt/nfs && echo 'use it'\n"
	       "  nfsp2p check --probe --provider 0000:03:00.0 /mnt/nfs/file\n"
	       "  nfsp2p check --json | jq -r '.pairs[].findings[0].why'\n");
	return EXIT_YES;
}

static void print_pair(const struct nfs_mount *m, const char *path, const char *bdf,
		       const struct verdict *v)
{
	if (m)
		printf("%s (%s, NFSv%s, %s, sec=%s) and %s: %s\n", path ? path : m->target,
		       m->source, m->vers[0] ? m->vers : "?", m->proto[0] ? m->proto : "?",
		       m->sec[0] ? m->sec : "?", bdf ? bdf : "any provider",
		       answer_name(v->answer));
	else
		printf("%s and %s: %s\n", path ? path : "no NFS mount", bdf ? bdf : "any provider",
		       answer_name(v->answer));
	report_findings(v);
}

static struct json_object *json_mount(const struct nfs_mount *m)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "target", json_text(m->target));
	json_object_object_add(o, "source", json_text(m->source));
	json_object_object_add(o, "version", json_text(m->vers));
	json_object_object_add(o, "transport", json_text(m->proto));
	json_object_object_add(o, "security", json_text(m->sec));
	json_object_object_add(o, "rsize", json_object_new_int64(m->rsize));
	json_object_object_add(o, "wsize", json_object_new_int64(m->wsize));
	return o;
}

static void answer(struct tally *t, const struct nfs_mount *m, const char *path, const char *bdf,
		   struct verdict *v)
{
	t->n[v->answer]++;
	if (t->pairs) {
		struct json_object *o = json_verdict(v);

		json_object_object_add(o, "mount", m ? json_mount(m) : NULL);
		json_object_object_add(o, "path", json_text(path));
		json_object_object_add(o, "provider", json_text(bdf));
		json_object_array_add(t->pairs, o);
	} else {
		print_pair(m, path, bdf, v);
	}
	verdict_free(v);
}

static void ask_pair(const struct question *q, const struct snapshot *s, struct tally *t,
		     const struct nfs_mount *m, const char *path, const struct provider *p)
{
	struct verdict v;

	verdict_pair(s, m, p, &v);
	if (path && !q->root[0])
		probe_o_direct(path, &v);
	if (q->probe)
		probe_pair(m, p, path ? path : m->target, &v);
	answer(t, m, path, p->bdf, &v);
}

/* What was asked about is none. */
static void add_no_provider(const struct question *q, const struct snapshot *s, struct verdict *v)
{
	verdict_add(v, ANSWER_NO, "not-a-provider", "see nfsp2p list", "PCI device %s %s", q->bdf,
		    pci_find(s, q->bdf) == NO_PCI ? "does not exist" : "offers no P2P memory");
}

/* A mount, or (without one) a path that is not on NFS, with every provider. */
static void ask_mount(const struct question *q, const struct snapshot *s, struct tally *t,
		      const struct nfs_mount *m, const char *path)
{
	const struct provider *only = q->bdf ? provider_find(s, q->bdf) : NULL;
	struct verdict v = { 0 };

	if (!m && mount_missing(s, path)) {
		verdict_add(&v, ANSWER_UNKNOWN, "mount-unknown",
			    "name it by a mount that findmnt(8) shows, and try again",
			    "%s is on NFS, but on none of the mounts in /proc/self/mountinfo",
			    path);
	} else if (!m) {
		verdict_add(&v, ANSWER_NO, "not-nfs", "name a file on an NFS mount",
			    "%s is not on NFS", path);
	} else if (only) {
		ask_pair(q, s, t, m, path, only);
		return;
	} else if (q->bdf) {
		verdict_mount(s, m, &v);
		add_no_provider(q, s, &v);
	} else if (!s->nproviders) {
		verdict_mount(s, m, &v);
		reach_no_provider(&s->kernel, &v);
	}
	if (v.nfindings) {
		answer(t, m, path, q->bdf, &v);
		return;
	}
	for (size_t i = 0; i < s->nproviders; i++)
		ask_pair(q, s, t, m, path, &s->providers[i]);
}

/* Nothing is mounted: what would a mount find? */
static void ask_machine(const struct question *q, const struct snapshot *s, struct tally *t)
{
	const struct provider *only = q->bdf ? provider_find(s, q->bdf) : NULL;
	struct verdict v;

	for (size_t i = 0; i < s->nproviders; i++) {
		if (q->bdf && &s->providers[i] != only)
			continue;
		verdict_machine(s, &s->providers[i], &v);
		answer(t, NULL, NULL, s->providers[i].bdf, &v);
	}
	if (only || (!q->bdf && s->nproviders))
		return;
	verdict_machine(s, NULL, &v);
	if (q->bdf)
		add_no_provider(q, s, &v);
	answer(t, NULL, NULL, q->bdf, &v);
}

static void ask_all(const struct question *q, const struct snapshot *s, struct tally *t)
{
	for (size_t i = 0; i < q->npaths; i++) {
		const struct nfs_mount *m;
		int rc = mount_of_path(s, q->paths[i], &m);

		if (rc) {
			fprintf(stderr, "nfsp2p check: cannot look at %s: %s\n", q->paths[i],
				strerror(-rc));
			t->n[ANSWER_UNKNOWN]++;
		} else {
			ask_mount(q, s, t, m, q->paths[i]);
		}
	}
	for (size_t i = 0; !q->npaths && i < s->nmounts; i++)
		ask_mount(q, s, t, &s->mounts[i], NULL);
	if (!q->npaths && !s->nmounts)
		ask_machine(q, s, t);
}

static enum answer sum_up(const struct tally *t, bool any)
{
	if (any && t->n[ANSWER_YES])
		return ANSWER_YES;
	if (any)
		return t->n[ANSWER_UNKNOWN] ? ANSWER_UNKNOWN : ANSWER_NO;
	if (t->n[ANSWER_NO])
		return ANSWER_NO;
	return t->n[ANSWER_UNKNOWN] || !t->n[ANSWER_YES] ? ANSWER_UNKNOWN : ANSWER_YES;
}

static int print_json(const struct question *q, const struct snapshot *s, struct tally *t)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "version", json_text(NFSP2P_VERSION));
	json_object_object_add(o, "usable", json_text(answer_name(sum_up(t, q->any))));
	json_object_object_add(o, "kernel", json_kernel(&s->kernel));
	json_object_object_add(o, "pairs", t->pairs);
	return report_json(o);
}

static int check(const struct question *q)
{
	static const int codes[] = {
		[ANSWER_YES] = EXIT_YES,
		[ANSWER_UNKNOWN] = EXIT_UNKNOWN,
		[ANSWER_NO] = EXIT_NO,
	};
	struct tally t = { 0 };
	struct snapshot s;
	int rc = snapshot_load_for(&s, q->root, q->paths, q->npaths);

	if (rc) {
		fprintf(stderr, "nfsp2p check: cannot read %s/proc and %s/sys: %s\n", q->root,
			q->root, strerror(-rc));
		snapshot_free(&s);
		return EXIT_UNKNOWN;
	}
	if (q->json)
		t.pairs = json_object_new_array();
	else
		report_kernel(&s.kernel);
	ask_all(q, &s, &t);
	rc = q->json ? print_json(q, &s, &t) : report_flush();
	snapshot_free(&s);
	if (rc) {
		fprintf(stderr, "nfsp2p check: cannot write the answer: %s\n", strerror(-rc));
		return EXIT_UNKNOWN;
	}
	return codes[sum_up(&t, q->any)];
}

/**
 * cmd_check - nfsp2p check
 * @argc:	arguments, the command's name included
 * @argv:	the same
 *
 * Return: an exit code.
 */
int cmd_check(int argc, char **argv)
{
	static const struct option options[] = {
		{ "any", no_argument, NULL, 'a' },
		{ "json", no_argument, NULL, 'j' },
		{ "probe", no_argument, NULL, 'p' },
		{ "provider", required_argument, NULL, 'P' },
		{ "root", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct question q = { .root = snapshot_default_root() };
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'a':
			q.any = true;
			break;
		case 'j':
			q.json = true;
			break;
		case 'p':
			q.probe = true;
			break;
		case 'P':
			q.bdf = optarg;
			break;
		case 'r':
			q.root = optarg;
			break;
		case 'h':
			return help();
		default:
			return EXIT_USAGE;
		}
	}
	if (q.probe && q.root[0])
		return usage_error("check", "--probe: a recorded tree cannot be tried");
	if (q.bdf && !pci_is_name(q.bdf))
		return usage_error(
			"check",
			"--provider %s: not the address of a PCI device, like 0000:03:00.0", q.bdf);
	q.paths = argv + optind;
	q.npaths = (size_t)(argc - optind);
	return check(&q);
}
