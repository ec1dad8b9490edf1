// SPDX-License-Identifier: GPL-2.0
/*
 * nfsp2p check on a mount with flexfiles layouts: it depends on the data server's
 * transport, which the kernel does not show.  check must not pretend to know.  The probe
 * finds out, by the counters of all transports, and so does cp.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

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
	with_data_server("rdma", USABLE, 0);
}

/* From the mount to the mount: what goes by the data server is counted, both ways. */
static void test_copy(void **state)
{
	char command[512], line[1024], want[64], bdf[32];
	FILE *f;

	(void)state;
	/* Other programs leave it at two: each byte would be written, and counted, twice. */
	lab_put("/sys/module/nfsd/parameters/lab_mirrors", "1");
	opinion_provider(MEM_BAR, bdf);
	snprintf(command, sizeof(command),
		 "nfsp2p cp --provider %s " LAB_MOUNT "/" OPINION_FILE " " LAB_MOUNT "/copy", bdf);
	f = popen(command, "re");
	assert_non_null(f);
	assert_non_null(fgets(line, sizeof(line), f));
	assert_int_equal(pclose(f), 0);
	snprintf(want, sizeof(want), "NFS read %lu (counted)", OPINION_SIZE);
	if (!strstr(line, want))
		fail_msg("wanted '%s': %s", want, line);
	snprintf(want, sizeof(want), "NFS write %lu (counted)", OPINION_SIZE);
	if (!strstr(line, want))
		fail_msg("wanted '%s': %s", want, line);
}

static void test_tcp(void **state)
{
	(void)state;
	with_data_server("tcp", NOT_USABLE, -EREMOTEIO);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		{ "data server by RDMA: check cannot tell, the probe can", test_rdma, NULL, NULL,
		  NULL },
		{ "data server by RDMA: cp counts what goes there", test_copy, NULL, NULL, NULL },
		{ "data server by TCP: check cannot tell, the probe can", test_tcp, NULL, NULL,
		  NULL },
	};
	int rc = lab_main_setup(argc, argv);

	return rc ? rc : _cmocka_run_group_tests("nfsp2p-pnfs", tests, 3, NULL, nfsfile_leave);
}
