/* SPDX-License-Identifier: GPL-2.0 */
/* One I/O from the start of a file, with all that has to be true afterwards. */
#ifndef TESTS_TRANSFER_H
#define TESTS_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>

#include "io.h"
#include "nfsfile.h"
#include "p2pmem.h"

#define TRANSFER_MIX_LEN (1UL << 20) /* bytes of each transfer of a mix */

/**
 * struct transfer - what is moved
 * @write:	direction, as the file sees it
 * @kind:	where the buffer lives
 * @engine:	interface
 * @len:	bytes
 * @wrapping:	bytes around the payload that the CPU may copy together with it
 */
struct transfer {
	bool write;
	enum mem_kind kind;
	enum io_engine engine;
	size_t len;
	size_t wrapping;
};

void transfer_served(const struct nfsfile *file, const struct transfer *t);
void transfer_refused(const struct nfsfile *file, const struct transfer *t);
void transfer_p2p_mix(const struct nfsfile *file, bool served);
void transfer_ram_mix(const struct nfsfile *file);
int transfer_cleanup(void **state);

#endif
