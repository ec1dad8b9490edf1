/* SPDX-License-Identifier: GPL-2.0 */
/* Is what landed what was sent? */
#ifndef NFSP2P_VERIFY_H
#define NFSP2P_VERIFY_H

#include <stddef.h>
#include <stdint.h>

#include "file.h"

#define DIGEST_SIZE 16 /* XXH3-128 */

int digest_file(const struct file *f, uint64_t size, unsigned char digest[DIGEST_SIZE],
		uint64_t *bytes);

#endif
