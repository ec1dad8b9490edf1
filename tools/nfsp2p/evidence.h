/* SPDX-License-Identifier: GPL-2.0 */
/* The line that says which way the payload went, and how that is known. */
#ifndef NFSP2P_EVIDENCE_H
#define NFSP2P_EVIDENCE_H

#include <stdbool.h>
#include <stdio.h>

#include "counters.h"
#include "tally.h"

/**
 * struct evidence - what the line is made of
 * @tally:	what cp did
 * @counters:	what the kernel counted meanwhile
 * @nfs:	an NFS mount was part of it
 * @provider:	name of the PCI function, "" for host memory
 * @why_host:	why host memory was used, "" if nobody had to say
 * @seconds:	how long it took
 */
struct evidence {
	struct tally tally;
	struct counters counters;
	bool nfs;
	const char *provider, *why_host;
	double seconds;
};

bool evidence_print(const struct evidence *e, FILE *out);

#endif
