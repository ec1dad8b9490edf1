/* SPDX-License-Identifier: GPL-2.0 */
/* Copies one file. */
#ifndef NFSP2P_COPY_H
#define NFSP2P_COPY_H

#include <stdbool.h>

#include "payload.h"
#include "tally.h"

/**
 * struct copier - what copies have in common
 * @payload:	memory in use
 * @want:	how it is to be cut
 * @allow_bounce: host memory may take its place
 * @bounced:	it did, see @why
 * @why:	why it did, or why it cannot be used
 * @preserve:	keep mode, owner (as far as permitted) and times
 * @verify:	compare checksums before the destination gets its name
 * @resume:	go on with earlier copies, and leave what can be gone on with
 * @tally:	what was done
 * @explain:	called when the kernel refuses @payload: fills @why with the reason
 *		that "check" gives, if it knows one
 */
struct copier {
	struct payload payload;
	struct demand want;
	bool allow_bounce, bounced;
	char why[512];
	bool preserve, verify, resume;
	struct tally tally;
	void (*explain)(struct copier *c);
};

int copy_file(struct copier *c, const char *from, const char *to, int open_flags);

#endif
