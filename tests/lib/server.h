/* SPDX-License-Identifier: GPL-2.0 */
/* What tests do to the NFS server of the guest. */
#ifndef TESTS_SERVER_H
#define TESTS_SERVER_H

void server_restart(void);
void server_threads(const char *threads);

#endif
