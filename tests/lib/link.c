// SPDX-License-Identifier: GPL-2.0
/* The RDMA device of the guest: see link.h. */
#include "link.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lab.h"

static const char second_net[] = LINK_SECOND_ADDRESS "/24";
static bool on_rxe;
static bool has_second;

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
	lab_must(del);
	lab_must(add);
	on_rxe = rxe;
}

/**
 * link_second_up - add a network with an RDMA device of its own
 * @type:	of the device: "rxe", or "vrnic" for the second virtual RNIC
 *
 * The server answers at LINK_SECOND_SHARE, so a mount can get one more transport,
 * by way of that device.  Fails the running test if it is refused;
 * link_second_down() has to follow in any case.
 */
void link_second_up(const char *type)
{
	static const char *const link[] = { "ip", "link", "add", "dummy7", "type", "dummy", NULL };
	static const char *const addr[] = {
		"ip", "addr", "add", second_net, "dev", "dummy7", NULL
	};
	static const char *const up[] = { "ip", "link", "set", "dummy7", "up", NULL };
	const char *const add[] = { "rdma", "link",   "add",	"second7", "type",
				    type,   "netdev", "dummy7", NULL };

	has_second = true;
	lab_must(link);
	lab_must(addr);
	lab_must(up);
	lab_must(add);
}

/**
 * link_second_down - take that network away, if there is one
 *
 * Nothing may be mounted by way of it any more.
 */
void link_second_down(void)
{
	static const char *const del[] = { "rdma", "link", "delete", "second7", NULL };
	static const char *const link[] = { "ip", "link", "delete", "dummy7", NULL };

	if (!has_second)
		return;
	has_second = false;
	lab_must(del);
	lab_must(link);
}
