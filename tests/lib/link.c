// SPDX-License-Identifier: GPL-2.0
/* The RDMA device of the guest: see link.h. */
#include "link.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lab.h"

static bool on_rxe;

/**
 * link_use_rxe - change the RDMA device below a mount
 * @rxe:	true for a software device, which cannot carry peer-to-peer memory,
 *		in the place of the virtual RNIC; false for the latter again
 *
 * Does nothing if it is that already; a guest starts with the virtual RNIC.  The
 * client connects again by itself, as soon as it has something to send.  The
 * counters of a virtual RNIC that comes back start at zero.  Fails the running
 * test if one of the two is refused.
 */
void link_use_rxe(bool rxe)
{
	const char *const del[] = { "rdma", "link", "delete", rxe ? "vrnic0" : "rxe0", NULL };
	const char *const add[] = {
		"rdma",	  "link",   "add", rxe ? "rxe0" : "vrnic0", "type", rxe ? "rxe" : "vrnic",
		"netdev", "dummy0", NULL
	};

	if (rxe == on_rxe)
		return;
	assert_int_equal(lab_run(del), 0);
	assert_int_equal(lab_run(add), 0);
	on_rxe = rxe;
}
