/* SPDX-License-Identifier: GPL-2.0 */
/* What cp and bench have in common: whose memory to use, and a snapshot to judge by. */
#ifndef NFSP2P_CHOICE_H
#define NFSP2P_CHOICE_H

#include <stdbool.h>
#include <stddef.h>

#include "snapshot.h"

/**
 * struct choice - whose memory is to be used
 * @provider:	name of a PCI function, NULL for the best
 * @host:	--mem host
 * @p2p:	--mem p2p
 */
struct choice {
	const char *provider;
	bool host, p2p;
};

int choice_mem(struct choice *c, const char *command, const char *text);
int choice_check(const struct choice *c, const char *command);
int choice_run(struct snapshot *s, char *const *paths, size_t n, int (*work)(void *arg), void *arg);

#endif
