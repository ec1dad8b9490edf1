/* SPDX-License-Identifier: GPL-2.0 */
/* Which host bridges the kernel trusts to pass P2P transfers on. */
#ifndef NFSP2P_HOSTBRIDGE_H
#define NFSP2P_HOSTBRIDGE_H

#include "snapshot.h"

enum tri hostbridge_passes(const struct snapshot *s, int provider, int client, struct path *path);

#endif
