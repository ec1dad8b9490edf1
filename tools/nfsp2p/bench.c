// SPDX-License-Identifier: GPL-2.0
/* nfsp2p bench: P2P memory beside host memory. */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "choice.h"
#include "ends.h"
#include "file.h"
#include "message.h"
#include "nfsp2p.h"
#include "report.h"
#include "size.h"
#include "stop.h"

#define MAX_LIST  16
#define MAX_BLOCK (64ULL << 20)

/* The command while it runs. */
struct bench {
	char *path;
	struct choice choice;
	uint64_t size;
	uint64_t blocks[MAX_LIST], depths[MAX_LIST];
	size_t nblocks, ndepths;
	double seconds;
	bool json, force, read_only;
	bool made; /* the file is ours, and goes in the end */
	struct file file;
	struct snapshot snapshot;
	struct ends ends;
	const struct provider *p2p; /* NULL: host memory alone */
	struct bench_result result;
};

static int help(void)
{
	printf("Usage: nfsp2p bench [OPTION]... FILE\n\n"
	       "Read and write FILE with P2P memory and with host memory, one after the other, "
	       "and\n"
	       "compare. FILE is made, and removed in the end, if it does not exist.\n\n"
	       "      --force          overwrite FILE, if it exists\n"
	       "      --read-only      measure reading alone; FILE must exist\n"
	       "      --size SIZE      of the part of FILE that is used (default: 256M)\n"
	       "      --blocks LIST    bytes of one I/O (default: 4K,64K,1M)\n"
	       "      --depths LIST    how many at once (default: 1,8)\n"
	       "      --seconds N      time for each measurement (default: 2)\n"
	       "      --provider BDF   use the memory of this PCI function (default: the best)\n"
	       "      --mem p2p|host   measure one kind of memory alone\n"
	       "      --json           for programs\n"
	       "      --help           this text\n\n"
	       "Examples:\n"
	       "  nfsp2p bench /mnt/nfs/scratch\n"
	       "  nfsp2p bench --read-only --blocks 1M --depths 1,4,16 /mnt/nfs/data.bin\n"
	       "  nfsp2p bench --json /mnt/nfs/scratch | jq .results\n\n"
	       "Exit status: 0 measured, 1 failed, 2 wrong command line.\n");
	return EXIT_YES;
}

enum {
	OPT_FORCE = 256,
	OPT_READ_ONLY,
	OPT_SIZE,
	OPT_BLOCKS,
	OPT_DEPTHS,
	OPT_SECONDS,
	OPT_PROVIDER,
	OPT_MEM,
	OPT_JSON,
};

static const struct option options[] = {
	{ "force", no_argument, NULL, OPT_FORCE },
	{ "read-only", no_argument, NULL, OPT_READ_ONLY },
	{ "size", required_argument, NULL, OPT_SIZE },
	{ "blocks", required_argument, NULL, OPT_BLOCKS },
	{ "depths", required_argument, NULL, OPT_DEPTHS },
	{ "seconds", required_argument, NULL, OPT_SECONDS },
	{ "provider", required_argument, NULL, OPT_PROVIDER },
	{ "mem", required_argument, NULL, OPT_MEM },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

/* "4K,64K": multiples of @unit, none above @most. */
static int parse_list(char *text, uint64_t unit, uint64_t most, uint64_t *list, size_t *n)
{
	char *save, *word;

	*n = 0;
	for (word = strtok_r(text, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		uint64_t value;

		if (*n == MAX_LIST || size_parse(word, &value) || !value || value % unit ||
		    value > most)
			return -EINVAL;
		list[(*n)++] = value;
	}
	return *n ? 0 : -EINVAL;
}

static int set_seconds(struct bench *b)
{
	char *end;

	b->seconds = strtod(optarg, &end);
	if (end == optarg || *end || !(b->seconds > 0 && b->seconds <= 3600))
		return usage_error("bench", "--seconds wants a number up to 3600, not '%s'",
				   optarg);
	return 0;
}

static int set_option(struct bench *b, int option)
{
	switch (option) {
	case OPT_FORCE:
		b->force = true;
		return 0;
	case OPT_READ_ONLY:
		b->read_only = true;
		return 0;
	case OPT_SIZE:
		if (size_parse(optarg, &b->size) || !b->size || b->size % 4096)
			return usage_error("bench", "--size wants a multiple of 4K, not '%s'",
					   optarg);
		return 0;
	case OPT_BLOCKS:
		if (parse_list(optarg, 4096, MAX_BLOCK, b->blocks, &b->nblocks))
			return usage_error("bench",
					   "--blocks wants up to %d multiples of 4K, none "
					   "above 64M, with commas",
					   MAX_LIST);
		return 0;
	case OPT_DEPTHS:
		if (parse_list(optarg, 1, 1024, b->depths, &b->ndepths))
			return usage_error("bench",
					   "--depths wants up to %d numbers from 1 to "
					   "1024, with commas",
					   MAX_LIST);
		return 0;
	case OPT_SECONDS:
		return set_seconds(b);
	case OPT_PROVIDER:
		b->choice.provider = optarg;
		return 0;
	case OPT_MEM:
		return choice_mem(&b->choice, "bench", optarg);
	case OPT_JSON:
		b->json = true;
		return 0;
	default:
		return usage_error("bench", "that is not understood");
	}
}

static int parse(struct bench *b, int argc, char **argv)
{
	int option, rc;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'h')
			exit(help());
		rc = set_option(b, option);
		if (rc)
			return rc;
	}
	if (argc - optind != 1)
		return usage_error("bench", "one file, please");
	rc = choice_check(&b->choice, "bench");
	if (rc)
		return rc;
	if (b->force && b->read_only)
		return usage_error("bench", "--read-only overwrites nothing: --force has no use");
	b->path = argv[optind];
	return 0;
}

/* The file has to be there in full, or reads would find holes. */
static int fill(struct bench *b)
{
	struct demand want = { .block = 1 << 20, .depth = 2 };
	struct payload payload;
	int rc;

	if (b->size < want.block)
		want.block = b->size;
	rc = payload_open(&payload, NULL, &want);
	if (rc)
		return payload_error(&payload, rc);
	memset(payload.mem.data, 0x5a, payload.mem.size);
	rc = measure_fill(&payload.ring, b->file.fd, b->size);
	payload_close(&payload);
	if (!rc && fsync(b->file.fd))
		rc = -errno;
	return rc && rc != -EINTR ? message_error(b->path, rc, "cannot fill it") : rc;
}

/* A file that exists is somebody's data. */
static int open_file(struct bench *b)
{
	int flags = b->read_only ? O_RDONLY : O_RDWR;
	int rc;

	if (!b->read_only && access(b->path, F_OK)) {
		flags |= O_CREAT | O_EXCL;
		b->made = true;
	} else if (!b->read_only && !b->force)
		return message_error(b->path, 0,
				     "exists: --force overwrites it, --read-only only "
				     "reads it");
	/* A block device that is mounted is not for us, whatever --force says. */
	rc = file_open(&b->file, b->path, flags | (b->force && !b->made ? O_EXCL : 0), 0600);
	if (rc) {
		b->made = false;
		return message_error(b->path, rc, "cannot open");
	}
	if (b->file.kind == FILE_OTHER)
		return message_error(b->path, 0,
				     "its file system does not do direct I/O, as far "
				     "as it says (statx)");
	if (b->read_only || b->file.kind == FILE_BLOCK) {
		if (b->file.id.size < b->size)
			b->size = b->file.id.size / 4096 * 4096;
		return b->size ? 0 : message_error(b->path, 0, "is too small");
	}
	return 0;
}

static int choose(struct bench *b)
{
	char folder[PATH_MAX], why[512];
	int rc;

	snprintf(folder, sizeof(folder), "%s", b->path);
	rc = ends_add(&b->ends, &b->snapshot, access(b->path, F_OK) ? dirname(folder) : b->path);
	if (rc)
		return message_error(b->path, rc, "cannot use it");
	if (b->choice.host)
		return 0;
	b->p2p = ends_choose(&b->ends, &b->snapshot, b->choice.provider, why, sizeof(why));
	return b->p2p ? 0
		      : message_error(b->path, 0,
				      "nothing was measured: %s (--mem host measures host memory "
				      "alone)",
				      why);
}

/* One size and depth, in one kind of memory. */
static int score_one(struct bench *b, const struct cell *cell, bool p2p, struct score *score)
{
	struct demand want = { .block = cell->geometry.block, .depth = cell->geometry.depth };
	struct payload payload;
	int rc;

	rc = payload_open(&payload, p2p ? b->p2p->bdf : NULL, &want);
	/* It need not have room for all that was asked for: the line has a gap. */
	if (rc == -ENOMEM && p2p && !payload.no_ring) {
		message_note("%s has no room for %u blocks of %zu bytes: left out", b->p2p->bdf,
			     want.depth, want.block);
		return 0;
	}
	if (rc)
		return payload_error(&payload, rc);
	/* Else all of it might be one page of zeros. */
	if (!p2p)
		memset(payload.mem.data, 0x5a, payload.mem.size);
	rc = measure(&payload.ring, b->file.fd, b->file.align, cell->write, b->size, b->seconds,
		     score);
	payload_close(&payload);
	if (p2p)
		*(cell->write ? &b->result.moved_write : &b->result.moved_read) += score->bytes;
	return rc && rc != -EINTR ? message_error(b->path, rc, "cannot %s with %s",
						  cell->write ? "write" : "read",
						  p2p ? "P2P memory" : "host memory")
				  : rc;
}

/* Why a size of blocks is left out, or NULL if it is not. */
static const char *misfit(const struct bench *b, uint64_t block)
{
	if (block > b->size)
		return "left out: larger than what is used of the file";
	if (block % b->file.align)
		return "left out: direct I/O to the file wants other multiples";
	return NULL;
}

static bool any_fits(const struct bench *b)
{
	for (size_t i = 0; i < b->nblocks; i++) {
		if (!misfit(b, b->blocks[i]))
			return true;
	}
	return false;
}

static int measure_cell(struct bench *b, struct cell *cell)
{
	int rc = 0;

	cell->left_out = misfit(b, cell->geometry.block);
	if (cell->left_out)
		return 0;
	if (b->p2p)
		rc = score_one(b, cell, true, &cell->p2p);
	if (!rc && !b->choice.p2p)
		rc = score_one(b, cell, false, &cell->host);
	return rc;
}

static int measure_all(struct bench *b)
{
	struct cell *cell = b->result.cells;
	int rc = 0;

	for (int write = !b->read_only; write >= 0; write--) {
		for (size_t i = 0; i < b->nblocks; i++) {
			for (size_t j = 0; j < b->ndepths && !rc; j++, cell++) {
				cell->write = write;
				cell->geometry.block = b->blocks[i];
				cell->geometry.depth = (unsigned int)b->depths[j];
				rc = measure_cell(b, cell);
			}
		}
	}
	b->result.n = (size_t)(cell - b->result.cells);
	return rc;
}

static int report(struct bench *b)
{
	struct bench_result *r = &b->result;
	struct counters counters = ends_counted(&b->ends);
	int rc;

	r->file = b->path;
	r->provider = b->p2p ? b->p2p->bdf : "";
	r->nfs = b->file.kind == FILE_NFS && counters.counted;
	r->counted_read = counters.p2p_read;
	r->counted_write = counters.p2p_write;
	rc = b->json ? bench_json(r) : bench_table(r);
	if (rc)
		return message_error("standard output", rc, "cannot write");
	if (r->nfs && (r->counted_read < r->moved_read || r->counted_write < r->moved_write))
		return message_error(
			b->path, 0,
			"the kernel did not move all of it peer to peer; please report this");
	return 0;
}

static int measure_file(struct bench *b)
{
	int rc;

	if (!any_fits(b))
		return message_error(
			b->path, 0,
			"no size of --blocks fits: %llu bytes are used, in multiples of %u",
			(unsigned long long)b->size, b->file.align);
	rc = b->read_only ? 0 : fill(b);
	if (rc)
		return rc;
	b->result.cells = calloc(2 * b->nblocks * b->ndepths, sizeof(*b->result.cells));
	if (!b->result.cells)
		return message_error("memory", -ENOMEM, "cannot start");
	ends_count(&b->ends);
	rc = measure_all(b);
	rc = rc ? rc : report(b);
	free(b->result.cells);
	return rc;
}

static int run(void *arg)
{
	struct bench *b = arg;
	int rc = choose(b);

	if (!rc)
		rc = open_file(b);
	if (!rc)
		rc = measure_file(b);
	file_close(&b->file);
	if (b->made && unlink(b->path))
		message_error(b->path, -errno, "cannot remove it");
	return rc;
}

/**
 * cmd_bench - "nfsp2p bench"
 * @argc:	number of arguments
 * @argv:	"bench", options and a name
 *
 * Return: EXIT_YES, EXIT_NO or EXIT_USAGE; does not return if a signal ended it.
 */
int cmd_bench(int argc, char **argv)
{
	struct bench b = {
		.size = 256 << 20,
		.blocks = { 4 << 10, 64 << 10, 1 << 20 },
		.nblocks = 3,
		.depths = { 1, 8 },
		.ndepths = 2,
		.seconds = 2,
		.file.fd = -1,
	};
	int rc;

	message_command("bench");
	rc = parse(&b, argc, argv);
	return rc ? rc : choice_run(&b.snapshot, &b.path, 1, run, &b);
}
