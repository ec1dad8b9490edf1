// SPDX-License-Identifier: GPL-2.0
/*
 * nfsp2p check on a mount with flexfiles layouts: it depends on the data server's
 * transport, which the kernel does not show.  check must not pretend to know.  The probe
 * finds out that it is refused, and cannot see the data server's counters if it is not.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "../lib/lab.h"
#include "../lib/opinion.h"

static struct nfsfile file = NFSFILE_CLOSED;

static void with_data_server(const char *netid, int wanted, int does)
{
	const char *const extra[] = { "--pnfs", netid, NULL };
	struct opinion opinion, probe;
	int done;

	nfsfile_close(&file);
	if (lab_mount_with("4.2", "rdma", extra))
		fail_msg("lab-nfs up --pnfs %s failed", netid);
	nfsfile_open(&file, OPINION_FILE, OPINION_SIZE);
	opinion = opinion_ask("", "", MEM_BAR);
	probe = opinion_ask("", "--probe", MEM_BAR);
	done = opinion_try(&file, MEM_BAR);
	if (opinion.status != UNKNOWN || !opinion_decisive(&opinion, "layout-data-servers"))
		fail_msg("status %d: %s", opinion.status, opinion.codes);
	if (probe.status != wanted)
		fail_msg("probe: status %d: %s", probe.status, probe.codes);
	assert_int_equal(done, does);
}

static void test_rdma(void **state)
{
	(void)state;
	with_data_server("rdma", UNKNOWN, 0);
}

static void test_tcp(void **state)
{
	(void)state;
	with_data_server("tcp", NOT_USABLE, -EREMOTEIO);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		{ "data server by RDMA: neither check nor the probe can tell", test_rdma, NULL,
		  NULL, NULL },
		{ "data server by TCP: check cannot tell, the probe can", test_tcp, NULL, NULL,
		  NULL },
	};
	int rc = lab_main_setup(argc, argv);

	return rc ? rc : _cmocka_run_group_tests("nfsp2p-pnfs", tests, 2, NULL, nfsfile_leave);
}
