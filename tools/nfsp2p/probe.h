/* SPDX-License-Identifier: GPL-2.0 */
/* Try it: read a file into a provider's memory, and see which way the bytes came. */
#ifndef NFSP2P_PROBE_H
#define NFSP2P_PROBE_H

#include "verdict.h"

void probe_pair(const struct nfs_mount *m, const struct provider *p, const char *path,
		struct verdict *v);
void probe_o_direct(const char *path, struct verdict *v);

#endif
