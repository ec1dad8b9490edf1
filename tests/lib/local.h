/* SPDX-License-Identifier: GPL-2.0 */
/* LOCALIO: a client that serves READ and WRITE from the server's own file. */
#ifndef TESTS_LOCAL_H
#define TESTS_LOCAL_H

#include <stdbool.h>
#include <stdint.h>

#include "nfsfile.h"

#define LOCAL_LEN (256UL << 10) /* bytes that local_serves() reads and writes */

bool local_exists(void);
void local_switch(bool on);
void local_probe_v3(void);
uint64_t local_data_rpcs(void);
bool local_serves(const struct nfsfile *file);
void local_wait(const struct nfsfile *file);

#endif
