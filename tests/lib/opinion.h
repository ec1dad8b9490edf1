/* SPDX-License-Identifier: GPL-2.0 */
/* What nfsp2p check says about the lab's mount, and what the kernel then does. */
#ifndef TESTS_OPINION_H
#define TESTS_OPINION_H

#include <stdbool.h>

#include "nfsfile.h"
#include "p2pmem.h"

#define OPINION_FILE "check" /* on the mount: what is asked about */
#define OPINION_SIZE 65536UL /* of one I/O, bytes */

/* Exit codes of nfsp2p(1). */
enum {
	USABLE = 0,
	NOT_USABLE = 1,
	UNKNOWN = 3,
};

/**
 * struct opinion - what nfsp2p check says about one pair
 * @status:	its exit code
 * @codes:	the codes of its findings, each with a space behind it
 */
struct opinion {
	int status;
	char codes[512];
};

void opinion_provider(enum mem_kind kind, char bdf[32]);
struct opinion opinion_ask(const char *prefix, const char *options, enum mem_kind kind);
bool opinion_decisive(const struct opinion *opinion, const char *code);
int opinion_try(const struct nfsfile *file, enum mem_kind kind);

#endif
