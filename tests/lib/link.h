/* SPDX-License-Identifier: GPL-2.0 */
/* The RDMA device of the guest, which tests may change. */
#ifndef TESTS_LINK_H
#define TESTS_LINK_H

#include <stdbool.h>

void link_use_rxe(bool rxe);

#endif
