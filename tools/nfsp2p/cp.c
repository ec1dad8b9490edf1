// SPDX-License-Identifier: GPL-2.0
/* nfsp2p cp: copy files through P2P memory. */
#include <errno.h>
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "choice.h"
#include "copy.h"
#include "ends.h"
#include "evidence.h"
#include "items.h"
#include "message.h"
#include "nfsp2p.h"
#include "progress.h"
#include "seconds.h"
#include "size.h"
#include "walk.h"

/* The command while it runs; the copier comes first, explain() goes back from it. */
struct cp {
	struct copier c;
	char **sources;
	int nsources;
	char *dst;
	bool into; /* @dst is a folder, things go into it */
	bool recursive;
	struct choice choice;
	struct snapshot snapshot;
	struct ends ends;
	struct walk walk;
};

static int help(void)
{
	printf("Usage: nfsp2p cp [OPTION]... SOURCE DEST\n"
	       "       nfsp2p cp [OPTION]... SOURCE... FOLDER\n\n"
	       "Copy files between NFS and anything that speaks O_DIRECT (file, block device,\n"
	       "other NFS mount) through the memory of a PCI device. Stops with the reason if\n"
	       "that is not possible: nothing is bounced unless you allow it.\n\n"
	       "  -r, --recursive     copy folders and what is in them\n"
	       "  -p, --preserve      keep mode, owner (if permitted) and times\n"
	       "      --verify        read both back and compare checksums\n"
	       "      --resume        go on with a copy that was made with --resume; keeps times\n"
	       "      --provider BDF  use the memory of this PCI function (default: the best)\n"
	       "      --allow-bounce  use host memory where P2P memory cannot be used, and say so\n"
	       "      --mem host      use host memory, to compare (default: p2p)\n"
	       "      --block SIZE    bytes of one I/O: 1M, 256K ... (default: rsize, wsize)\n"
	       "      --depth N       how many at once (default: 8, fewer if memory is short)\n"
	       "      --help          this text\n\n"
	       "The last line says which way the payload went: \"counted\" by the kernel, or so\n"
	       "\"by construction\".\n\n"
	       "Examples:\n"
	       "  nfsp2p cp /data/model.bin /mnt/nfs/\n"
	       "  nfsp2p cp -r --verify /mnt/nfs/set /data\n"
	       "  nfsp2p cp --provider 0000:03:00.0 --resume /mnt/nfs/big /data/big\n\n"
	       "Exit status: 0 copied, 1 failed, 2 wrong command line.\n");
	return EXIT_YES;
}

enum {
	OPT_VERIFY = 256,
	OPT_RESUME,
	OPT_PROVIDER,
	OPT_BOUNCE,
	OPT_MEM,
	OPT_BLOCK,
	OPT_DEPTH,
};

static const struct option options[] = {
	{ "recursive", no_argument, NULL, 'r' },
	{ "preserve", no_argument, NULL, 'p' },
	{ "verify", no_argument, NULL, OPT_VERIFY },
	{ "resume", no_argument, NULL, OPT_RESUME },
	{ "provider", required_argument, NULL, OPT_PROVIDER },
	{ "allow-bounce", no_argument, NULL, OPT_BOUNCE },
	{ "mem", required_argument, NULL, OPT_MEM },
	{ "block", required_argument, NULL, OPT_BLOCK },
	{ "depth", required_argument, NULL, OPT_DEPTH },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int set_number(struct cp *cp, int option, const char *text)
{
	uint64_t value;

	if (option == OPT_BLOCK) {
		if (size_parse(text, &value) || !value || value % 4096 || value > 64 << 20)
			return usage_error("cp",
					   "--block wants a multiple of 4K, at most 64M, not '%s'",
					   text);
		cp->c.want.block = value;
		return 0;
	}
	if (size_parse(text, &value) || !value || value > 1024)
		return usage_error("cp", "--depth wants a number from 1 to 1024, not '%s'", text);
	cp->c.want.depth = (unsigned int)value;
	return 0;
}

static int set_option(struct cp *cp, int option)
{
	switch (option) {
	case 'r':
		cp->recursive = true;
		return 0;
	case 'p':
		cp->c.preserve = true;
		return 0;
	case OPT_VERIFY:
		cp->c.verify = true;
		return 0;
	case OPT_RESUME:
		cp->c.resume = true;
		return 0;
	case OPT_PROVIDER:
		cp->choice.provider = optarg;
		return 0;
	case OPT_BOUNCE:
		cp->c.allow_bounce = true;
		return 0;
	case OPT_MEM:
		return choice_mem(&cp->choice, "cp", optarg);
	case OPT_BLOCK:
	case OPT_DEPTH:
		return set_number(cp, option, optarg);
	default:
		return EXIT_USAGE;
	}
}

static void strip_slashes(char *path)
{
	for (size_t n = strlen(path); n > 1 && path[n - 1] == '/'; n--)
		path[n - 1] = '\0';
}

/* Two sources of one name would end up as one file. */
static int same_names(const struct cp *cp)
{
	for (int i = 0; cp->into && i < cp->nsources; i++) {
		for (int j = 0; j < i; j++) {
			const char *a = strrchr(cp->sources[i], '/');
			const char *b = strrchr(cp->sources[j], '/');

			a = a ? a + 1 : cp->sources[i];
			b = b ? b + 1 : cp->sources[j];
			if (!strcmp(a, b))
				return usage_error("cp",
						   "'%s' and '%s' would get the same name in '%s'",
						   cp->sources[j], cp->sources[i], cp->dst);
		}
	}
	return 0;
}

static int parse(struct cp *cp, int argc, char **argv)
{
	struct stat st;
	bool slash;
	int option, rc;

	while ((option = getopt_long(argc, argv, "rRp", options, NULL)) != -1) {
		if (option == 'h')
			exit(help());
		rc = option == '?' ? usage_error("cp", "that is not understood")
				   : set_option(cp, option == 'R' ? 'r' : option);
		if (rc)
			return rc;
	}
	if (argc - optind < 2)
		return usage_error("cp", "%s",
				   argc == optind ? "what is to be copied?"
						  : "where is it to be copied to?");
	rc = choice_check(&cp->choice, "cp");
	if (rc)
		return rc;
	cp->sources = argv + optind;
	cp->nsources = argc - optind - 1;
	cp->dst = argv[argc - 1];
	for (int i = 0; i < cp->nsources; i++)
		strip_slashes(cp->sources[i]);
	slash = cp->dst[0] && cp->dst[strlen(cp->dst) - 1] == '/';
	strip_slashes(cp->dst);
	cp->into = !stat(cp->dst, &st) && S_ISDIR(st.st_mode);
	if (!cp->into && (cp->nsources > 1 || (slash && !cp->recursive)))
		return usage_error("cp", "'%s' is not a folder", cp->dst);
	return same_names(cp);
}

/* The folder that something is or will be in. */
static const char *folder_of(const char *path, char *buf)
{
	snprintf(buf, PATH_MAX, "%s", path);
	return dirname(buf);
}

static int find_ends(struct cp *cp)
{
	char buf[PATH_MAX];
	struct stat st;
	int rc;

	for (int i = 0; i < cp->nsources; i++) {
		rc = ends_add(&cp->ends, &cp->snapshot, cp->sources[i]);
		if (rc)
			return message_error(cp->sources[i], rc, "cannot copy it");
	}
	if (!stat(cp->dst, &st))
		rc = ends_add(&cp->ends, &cp->snapshot, cp->dst);
	else
		rc = ends_add(&cp->ends, &cp->snapshot, folder_of(cp->dst, buf));
	cp->c.want.transfer = cp->ends.transfer;
	return rc ? message_error(cp->dst, rc, "cannot copy to it") : 0;
}

/* The kernel has refused: look again, something may have changed. */
static void explain(struct copier *c)
{
	struct cp *cp = (struct cp *)c, now = { .choice.provider = c->payload.provider };

	snprintf(c->why, sizeof(c->why),
		 "nothing that 'nfsp2p check' looks at speaks against it; the trace event "
		 "nfs:nfs_p2pdma has the kernel's reason");
	if (snapshot_load(&now.snapshot, snapshot_default_root()))
		return;
	now.sources = cp->sources;
	now.nsources = cp->nsources;
	now.dst = cp->dst;
	if (!find_ends(&now) && !ends_choose(&now.ends, &now.snapshot, now.choice.provider,
					     now.c.why, sizeof(now.c.why)))
		snprintf(c->why, sizeof(c->why), "%s", now.c.why);
	snapshot_free(&now.snapshot);
}

static int open_p2p(struct cp *cp)
{
	const struct provider *p = ends_choose(&cp->ends, &cp->snapshot, cp->choice.provider,
					       cp->c.why, sizeof(cp->c.why));
	int rc;

	if (!p)
		return -EREMOTEIO;
	cp->c.want.memory = p->available;
	rc = payload_open(&cp->c.payload, p->bdf, &cp->c.want);
	if (rc)
		snprintf(cp->c.why, sizeof(cp->c.why), "cannot use the memory of %s: %s", p->bdf,
			 strerror(-rc));
	else
		cp->c.why[0] = '\0';
	return rc;
}

static int open_payload(struct cp *cp)
{
	int rc;

	if (!cp->choice.host) {
		rc = open_p2p(cp);
		if (!rc)
			return 0;
		/* Host memory needs the same pipeline. */
		if (cp->c.payload.no_ring)
			return payload_error(&cp->c.payload, rc);
		if (!cp->c.allow_bounce)
			return message_error(
				cp->dst, 0,
				"nothing was copied: %s (--allow-bounce copies through "
				"host memory)",
				cp->c.why);
		message_note("bounces through host memory: %s", cp->c.why);
		cp->c.bounced = true;
		cp->c.want.memory = 0;
	}
	rc = payload_open(&cp->c.payload, NULL, &cp->c.want);
	return rc ? payload_error(&cp->c.payload, rc) : 0;
}

/* Everything that can be wrong before the first byte is moved. */
static int list_items(struct cp *cp)
{
	char to[PATH_MAX];
	struct stat st;
	int rc;

	for (int i = 0; i < cp->nsources; i++) {
		char *from = cp->sources[i];

		rc = walk_target(to, sizeof(to), from, cp->dst, cp->into);
		if (rc)
			return message_error(from, rc, "cannot name its copy");
		if (!stat(from, &st) && S_ISDIR(st.st_mode) && walk_inside(from, to))
			return message_error(from, 0, "cannot be copied into itself, '%s'", to);
		rc = walk_add(&cp->walk, from, to, cp->recursive);
		if (rc)
			return rc;
	}
	return 0;
}

/* Mounts below what was named: nested exports, for one. */
static void add_ends_below(struct cp *cp)
{
	dev_t last = 0;

	for (size_t i = 0; i < cp->walk.n; i++) {
		const struct item *item = &cp->walk.items[i];

		if (S_ISDIR(item->st.st_mode))
			ends_add_below(&cp->ends, &cp->snapshot, item->to);
		else if (S_ISREG(item->st.st_mode) && (!i || item->st.st_dev != last))
			ends_add_below(&cp->ends, &cp->snapshot, item->from);
		if (S_ISREG(item->st.st_mode))
			last = item->st.st_dev;
	}
	cp->c.want.transfer = cp->ends.transfer;
}

/* Some of them were not mounted until now, as nobody had looked into them. */
static int find_ends_below(struct cp *cp)
{
	int rc;

	add_ends_below(cp);
	if (!cp->ends.lost[0])
		return 0;
	cp->ends = (struct ends){ 0 };
	snapshot_free(&cp->snapshot);
	rc = snapshot_load(&cp->snapshot, snapshot_default_root());
	if (rc)
		return message_error("/proc and /sys", rc, "cannot read what this machine has");
	rc = find_ends(cp);
	if (!rc)
		add_ends_below(cp);
	return rc;
}

static int report(struct cp *cp, double start)
{
	struct evidence e = {
		.tally = cp->c.tally,
		.seconds = seconds_now() - start,
		.counters = ends_counted(&cp->ends),
		.provider = cp->c.payload.provider,
		.why_host = cp->c.why,
	};
	bool right;

	e.nfs = cp->ends.lost[0];
	for (size_t i = 0; i < cp->ends.n; i++)
		e.nfs |= cp->ends.ends[i].mount != NULL;
	printf("nfsp2p cp: ");
	right = evidence_print(&e, stdout);
	putchar('\n');
	if (!right)
		return message_error(
			cp->dst, 0,
			"the kernel did not move all of it peer to peer; please report this");
	return fflush(stdout) ? message_error("standard output", -errno, "cannot write") : 0;
}

static int copy_all(struct cp *cp)
{
	double start = seconds_now();
	int rc, failed;

	progress_start(cp->walk.bytes);
	rc = items_copy_files(&cp->c, &cp->walk);
	progress_stop();
	failed = report(cp, start);
	if (rc != -EINTR)
		failed = items_copy_rest(&cp->c, &cp->walk) || failed;
	return rc ? rc : failed;
}

static int run(void *arg)
{
	struct cp *cp = arg;
	int rc;

	rc = find_ends(cp);
	if (!rc)
		rc = list_items(cp);
	if (!rc && cp->recursive)
		rc = find_ends_below(cp);
	cp->c.want.total = cp->walk.bytes;
	if (!rc)
		rc = open_payload(cp);
	if (!rc && cp->recursive)
		ends_count(&cp->ends);
	if (!rc)
		rc = copy_all(cp);
	payload_close(&cp->c.payload);
	walk_free(&cp->walk);
	return rc;
}

/**
 * cmd_cp - "nfsp2p cp"
 * @argc:	number of arguments
 * @argv:	"cp", options and names
 *
 * Return: EXIT_YES, EXIT_NO or EXIT_USAGE; does not return if a signal ended it.
 */
int cmd_cp(int argc, char **argv)
{
	struct cp cp = { .c.explain = explain };
	int rc;

	message_command("cp");
	rc = parse(&cp, argc, argv);
	/* The destination is the last of the names. */
	return rc ? rc : choice_run(&cp.snapshot, cp.sources, (size_t)cp.nsources + 1, run, &cp);
}
