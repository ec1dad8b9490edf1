// SPDX-License-Identifier: GPL-2.0
/* The line of evidence: see evidence.h. */
#include "evidence.h"

#include <inttypes.h>
#include <stdio.h>

/* One direction over NFS; false if the kernel counted less than we moved. */
static bool add_nfs(FILE *out, const char *what, uint64_t moved, uint64_t counted, bool counts)
{
	if (!moved)
		return true;
	fprintf(out, ", %s %" PRIu64, what, moved);
	if (!counts)
		fprintf(out, " (by construction; not counted for this mount)");
	else if (counted == moved)
		fprintf(out, " (counted)");
	else if (counted > moved)
		fprintf(out, " (counted %" PRIu64 ": with repeats, and with what others do there)",
			counted);
	else
		fprintf(out, " (WRONG: counted %" PRIu64 " only)", counted);
	return !counts || counted >= moved;
}

static uint64_t local(const uint64_t by_kind[FILE_KINDS])
{
	return by_kind[FILE_LOCAL] + by_kind[FILE_BLOCK];
}

static bool add_p2p(const struct evidence *e, FILE *out)
{
	const struct tally *t = &e->tally;
	const struct counters *c = &e->counters;
	bool right;

	if (!e->provider[0] && !t->p2p_read[FILE_NFS] && !local(t->p2p_read))
		return true;
	fprintf(out, "; peer to peer by %s", e->provider[0] ? e->provider : "a provider");
	if (local(t->p2p_read))
		fprintf(out, ", local read %" PRIu64 " (by construction)", local(t->p2p_read));
	right = add_nfs(out, "NFS read", t->p2p_read[FILE_NFS], c->p2p_read, c->counted);
	right &= add_nfs(out, "NFS write", t->p2p_written[FILE_NFS], c->p2p_write, c->counted);
	if (local(t->p2p_written))
		fprintf(out, ", local write %" PRIu64 " (by construction)", local(t->p2p_written));
	if (!t->p2p_read[FILE_NFS] && !local(t->p2p_read))
		fprintf(out, ", 0");
	return right;
}

static void add_host(const struct evidence *e, FILE *out)
{
	const struct tally *t = &e->tally;

	fprintf(out, "; through host memory %" PRIu64, t->host + t->tail);
	if (t->host)
		fprintf(out, " (%s%s)", e->why_host[0] ? "bounced: " : "as asked for", e->why_host);
	else if (t->tail)
		fprintf(out, " (by construction: ends of files that O_DIRECT does not take)");
	else
		fprintf(out, " (by construction)");
	if (t->verified)
		fprintf(out, "; read to verify %" PRIu64, t->verified);
}

static void add_copies(const struct evidence *e, FILE *out)
{
	if (!e->nfs) {
		fprintf(out, "; copied by the CPU 0 (by construction)");
		return;
	}
	if (!e->counters.counted) {
		fprintf(out, "; copied by the CPU: not counted for this mount");
		return;
	}
	fprintf(out, "; copied by the CPU %" PRIu64 " (counted", e->counters.copied);
	if (e->tally.records)
		fprintf(out, ", %" PRIu64 " of them records for --resume", e->tally.records);
	if (e->tally.verified && e->counters.copied)
		fprintf(out, ", with what was read to verify");
	fprintf(out, ")");
}

/**
 * evidence_print - print the line
 * @e:		what it is made of
 * @out:	where to; no line feed is added
 *
 * "counted" is what the kernel's transports say (series/7.3/0037; pull-up and
 * fix-up of net/sunrpc/xprtrdma).  "By construction" is what cannot be otherwise:
 * the block layer refuses peer-to-peer memory where the drive cannot reach it, and
 * has no bounce buffer for it (block/bio.c, bio_iov_iter_get_pages()).
 *
 * Return: false if the kernel's figures contradict ours.
 */
bool evidence_print(const struct evidence *e, FILE *out)
{
	const struct tally *t = &e->tally;
	bool right;

	fprintf(out, "%" PRIu64 " file%s, %" PRIu64 " bytes", t->files, t->files == 1 ? "" : "s",
		t->bytes);
	if (t->skipped)
		fprintf(out, " (%" PRIu64 " complete before)", t->skipped);
	fprintf(out, " in %.3f s, %.1f MiB/s", e->seconds,
		e->seconds > 0 ? (double)t->bytes / e->seconds / 0x1p20 : 0.0);
	right = add_p2p(e, out);
	add_host(e, out);
	add_copies(e, out);
	return right;
}
