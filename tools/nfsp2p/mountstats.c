// SPDX-License-Identifier: GPL-2.0
/*
 * The parser of /proc/self/mountstats: see mount.h.
 *
 * Source of the format: fs/nfs/super.c, nfs_show_stats() and what it calls, and
 * net/sunrpc/xprtrdma/transport.c, xprt_rdma_print_stats(), with series/7.3/0037
 * for the last four columns.
 */
#include "mount.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Columns of "xprt: rdma", counted from 0 behind the name. */
enum {
	COLUMN_PULLUP = 15,
	COLUMN_FIXUP = 16,
	COLUMN_P2PDMA = 27,
	COLUMN_READ,
	COLUMN_WRITE,
	COLUMN_REFUSED,
	COLUMNS,
};

/* Undo what the kernel does to names: white space and backslashes are octal digits. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' &&
		    from[2] <= '7' && from[3] >= '0' && from[3] <= '7') {
			*to = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

/* The mount that "device SOURCE mounted on TARGET with fstype TYPE ..." begins. */
static struct nfs_mount *begins(char *line, struct nfs_mount *mounts, size_t n)
{
	char *target = strstr(line, " mounted on "), *type;

	if (!target)
		return NULL;
	target += strlen(" mounted on ");
	type = strstr(target, " with fstype ");
	if (!type)
		return NULL;
	*type = '\0';
	type += strlen(" with fstype ");
	if (strncmp(type, "nfs ", 4) && strncmp(type, "nfs4 ", 5))
		return NULL;
	unescape(target);
	/* Mounts on top of each other come in the order of mountinfo. */
	for (size_t i = 0; i < n; i++) {
		if (!mounts[i].have_stats && !strcmp(mounts[i].target, target)) {
			mounts[i].have_stats = true;
			return &mounts[i];
		}
	}
	return NULL;
}

/* "opts: rw,vers=4.2,rsize=...": what is not needed is passed over. */
static void parse_options(char *list, struct nfs_mount *m)
{
	char *option;

	while ((option = strsep(&list, ","))) {
		char *value = strchr(option, '=');

		if (!value)
			continue;
		*value++ = '\0';
		if (!strcmp(option, "vers"))
			snprintf(m->vers, sizeof(m->vers), "%s", value);
		else if (!strcmp(option, "proto"))
			snprintf(m->proto, sizeof(m->proto), "%s", value);
		else if (!strcmp(option, "sec"))
			snprintf(m->sec, sizeof(m->sec), "%s", value);
		else if (!strcmp(option, "rsize"))
			m->rsize = (unsigned int)strtoul(value, NULL, 10);
		else if (!strcmp(option, "wsize"))
			m->wsize = (unsigned int)strtoul(value, NULL, 10);
	}
}

/* "nfsv4: bm0=...,pnfs=LAYOUT_FLEX_FILES,lease_time=..." */
static void parse_nfsv4(char *list, struct nfs_mount *m)
{
	char *option;

	while ((option = strsep(&list, ","))) {
		if (!strncmp(option, "pnfs=", 5) && strcmp(option + 5, "not configured"))
			snprintf(m->pnfs, sizeof(m->pnfs), "%s", option + 5);
	}
}

static void parse_xprt(const char *line, struct nfs_mount *m)
{
	const size_t len = strcspn(line, " ");
	uint64_t column[COLUMNS] = { 0 };
	struct nfs_xprt *x;
	int n = 0;

	if (m->nxprts == MAX_XPRTS) {
		m->more_xprts = true;
		return;
	}
	x = &m->xprts[m->nxprts++];
	*x = (struct nfs_xprt){ .p2pdma = XPRT_SILENT };
	snprintf(x->proto, sizeof(x->proto), "%.*s", (int)(len < 8 ? len : 7), line);
	if (strcmp(x->proto, "rdma"))
		return;
	line += len;
	for (; n < COLUMNS; n++) {
		char *end;

		column[n] = strtoull(line, &end, 10);
		if (end == line)
			break;
		line = end;
	}
	x->pullup = column[COLUMN_PULLUP];
	x->fixup = column[COLUMN_FIXUP];
	/* A state that is not known yet is a reason to say so, not to guess. */
	if (n < COLUMNS || column[COLUMN_P2PDMA] > XPRT_YES)
		return;
	x->p2pdma = (enum xprt_p2pdma)column[COLUMN_P2PDMA];
	x->read = column[COLUMN_READ];
	x->write = column[COLUMN_WRITE];
	x->refused = column[COLUMN_REFUSED];
}

/**
 * mountstats_parse - take the options and counters of NFS mounts from mountstats
 * @text:	contents of /proc/self/mountstats; is changed
 * @mounts:	those of mountinfo, with their targets; what mountstats has is filled in
 * @n:		how many
 *
 * Return: how many of them were found.
 */
int mountstats_parse(char *text, struct nfs_mount *mounts, size_t n)
{
	struct nfs_mount *m = NULL;
	char *rest = text, *line;
	int found = 0;

	while ((line = strsep(&rest, "\n"))) {
		if (!strncmp(line, "device ", 7)) {
			m = begins(line, mounts, n);
			found += m != NULL;
			continue;
		}
		line += strspn(line, "\t ");
		if (!m)
			continue;
		if (!strncmp(line, "opts:\t", 6))
			parse_options(line + 6, m);
		else if (!strncmp(line, "caps:\tcaps=", 11))
			m->caps = strtoull(line + 11, NULL, 16);
		else if (!strncmp(line, "nfsv4:\t", 7))
			parse_nfsv4(line + 7, m);
		else if (!strncmp(line, "xprt:\t", 6))
			parse_xprt(line + 6, m);
	}
	return found;
}
