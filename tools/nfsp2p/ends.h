/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The mounts and devices that a copy goes between: which provider suits them,
 * and what the kernel counted for them.
 */
#ifndef NFSP2P_ENDS_H
#define NFSP2P_ENDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "counters.h"
#include "snapshot.h"
#include "verdict.h"

#define MAX_ENDS 32

/**
 * struct ends - mounts and devices, each once
 * @ends:	what verdicts are asked for
 * @n:		how many
 * @before:	counters of the mounts among them: of the snapshot, or when ends_count()
 *		was called
 * @transfer:	largest rsize or wsize, 0 without NFS
 * @lost:	something on an NFS mount that is not among them, "" if there is none: its
 *		counters are not known
 * @not_direct:	a file whose file system does no direct I/O, "" if there is none
 */
struct ends {
	struct endpoint ends[MAX_ENDS];
	size_t n;
	struct counters before[MAX_ENDS];
	size_t transfer;
	char lost[256];
	char not_direct[256];
};

int ends_add(struct ends *e, const struct snapshot *s, const char *path);
void ends_add_below(struct ends *e, const struct snapshot *s, const char *path);
const struct provider *ends_choose(const struct ends *e, const struct snapshot *s, const char *bdf,
				   char *why, size_t n);
void ends_count(struct ends *e);
struct counters ends_counted(const struct ends *e);

#endif
