/* SPDX-License-Identifier: GPL-2.0 */
/* Sizes as people write them. */
#ifndef NFSP2P_SIZE_H
#define NFSP2P_SIZE_H

#include <stdint.h>

int size_parse(const char *text, uint64_t *bytes);

#endif
