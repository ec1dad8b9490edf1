/* SPDX-License-Identifier: GPL-2.0 */
/* The part of a verdict that is about a provider and the way to it. */
#ifndef NFSP2P_REACH_H
#define NFSP2P_REACH_H

#include "verdict.h"

void reach_no_provider(const struct kernel *k, struct verdict *v);
void reach_provider(const struct provider *p, struct verdict *v);
void reach_function(const struct snapshot *s, const struct provider *p, int client,
		    struct verdict *v);
void reach_rnic(const struct snapshot *s, const struct rnic *r, const struct provider *p,
		struct verdict *v);
void reach_mount(const struct snapshot *s, const struct nfs_mount *m, const struct provider *p,
		 struct verdict *v);

#endif
