/* SPDX-License-Identifier: GPL-2.0 */
/* The RDMA device of the guest, which tests may change. */
#ifndef TESTS_LINK_H
#define TESTS_LINK_H

#include <stdbool.h>

/* Another network of the guest, which the server is on, too. */
#define LINK_SECOND_ADDRESS "10.9.7.1"
#define LINK_SECOND_SHARE   LINK_SECOND_ADDRESS ":/"

void link_use_rxe(bool rxe);
void link_second_up(const char *type);
void link_second_down(void);

#endif
