// SPDX-License-Identifier: GPL-2.0
/* Do the readers of counters find the right numbers, and miss none silently? */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/counters.h"
#include "../lib/lab.h"

static FILE *text(const char *s)
{
	FILE *f = fmemopen((void *)(uintptr_t)s, strlen(s), "r");

	assert_non_null(f);
	return f;
}

/* Two mounts at one place, another protocol, another file system. */
static const char mounts[] =
	"device proc mounted on /proc with fstype proc\n"
	"device nfsd mounted on /mnt/nfs with fstype nfsd\n"
	"device a:/ mounted on /mnt/other with fstype nfs4 statvers=1.1\n"
	"\tcaps:\tcaps=0x1,wtmult=512,dtsize=32768,bsize=0,namlen=255\n"
	"\txprt:\ttcp 0 0 2 0 0 31 31 0 31 0 2 0 0\n"
	"\t        READ: 7 7 0 1 2 3 4 5 0\n"
	"device a:/ mounted on /mnt/nfs with fstype nfs statvers=1.1\n"
	"\tcaps:\tcaps=0x7,wtmult=512,dtsize=32768,bsize=0,namlen=255\n"
	"device a:/ mounted on /mnt/nfs with fstype nfs4 statvers=1.1\n"
	"\topts:\trw,vers=4.2,proto=rdma\n"
	"\tage:\t7\n"
	"\tcaps:\tcaps=0x1dffbfe3f,wtmult=512,dtsize=262144,bsize=0\n"
	"\tnfsv4:\tbm0=0xfdffbfff,bm1=0x40f9be3e,acl=0x3,sessions,pnfs=LAYOUT_SCSI,lease_time=10\n"
	"\tsec:\tflavor=1,pseudoflavor=1\n"
	"\tevents:\t1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 \n"
	"\tRPC iostats version: 1.1  p/v: 100003/4 (nfs)\n"
	"\txprt:\trdma 0 0 1 0 0 12 12 0 12 0 1 2 3 16272 684 111 222 32420 5 0 0 0 0 4 0 0 0\n"
	"\txprt:\trdma 0 0 1 0 0 12 12 0 12 0 1 2 3 16272 684 1000 2000 32420 50 0 0 0 0 4 0 0 0 "
	"77 88\n"
	"\tper-op statistics\n"
	"\t        NULL: 1 1 0 40 24 65 5 72 0\n"
	"\t        READ: 21 22 0 2300 2400 25 26 27 0\n"
	"\t       WRITE: 31 32 0 3300 3400 35 36 37 1\n"
	"\t      COMMIT: 41 42 0 4300 4400 45 46 47 0\n"
	"\t   READ_PLUS: 91 92 0 9300 9400 95 96 97 0\n"
	"\t   LAYOUTGET: 51 52 0 5300 5400 55 56 57 0\n"
	"device tmp mounted on /tmp with fstype tmpfs\n";

static void test_mountstats(void **state)
{
	struct mount_stats st;
	FILE *f = text(mounts);

	(void)state;
	assert_int_equal(mount_stats_parse(f, "/mnt/nfs", &st), 0);
	fclose(f);
	assert_true(st.caps == 0x1dffbfe3fULL);
	assert_true(st.rdma);
	assert_int_equal(st.pullup, 1111);
	assert_int_equal(st.fixup, 2222);
	assert_int_equal(st.failed_marshal, 55);
	assert_int_equal(st.read.ops, 21);
	assert_int_equal(st.read.sent, 2300);
	assert_int_equal(st.write.ops, 31);
	assert_int_equal(st.write.sent, 3300);
	assert_int_equal(st.commit.ops, 41);
	assert_int_equal(st.layoutget.ops, 51);
	assert_string_equal(st.pnfs, "LAYOUT_SCSI");
	assert_int_equal(st.pnfs_reads, 26);
	assert_int_equal(st.pnfs_writes, 27);
}

static void test_mountstats_tcp(void **state)
{
	struct mount_stats st;
	FILE *f = text(mounts);

	(void)state;
	assert_int_equal(mount_stats_parse(f, "/mnt/other", &st), 0);
	fclose(f);
	assert_true(st.caps == 1);
	assert_false(st.rdma);
	assert_int_equal(st.pullup, 0);
	assert_int_equal(st.read.ops, 7);
	assert_int_equal(st.write.ops, 0);
	assert_string_equal(st.pnfs, "");
}

static void test_mountstats_none(void **state)
{
	struct mount_stats st;
	FILE *f = text(mounts);

	(void)state;
	assert_int_equal(mount_stats_parse(f, "/mnt", &st), -ENOENT);
	fclose(f);
	f = text("device nfsd mounted on /mnt/nfs with fstype nfsd\n");
	/* "nfsd" begins like "nfs" but has no statistics. */
	mount_stats_parse(f, "/proc/fs/nfsd", &st);
	fclose(f);
}

static const char nic[] = "bdf 0000:04:00.0\n"
			  "ram_read_bytes 1\n"
			  "ram_write_bytes 2\n"
			  "p2p_bus_read_bytes 3\n"
			  "p2p_bus_write_bytes 4\n"
			  "p2p_iommu_read_bytes 5\n"
			  "p2p_iommu_write_bytes 18446744073709551615\n"
			  "dma_faults 7\n"
			  "skipped_bytes 99\n"
			  "connects 8\n"
			  "kills 9\n"
			  "paused 1\n"
			  "send 10\n"
			  "rdma_read 11\n"
			  "rdma_write 12\n";

static void test_nic(void **state)
{
	struct nic_stats sum = { .ram_read = 100 };
	FILE *f = text(nic);

	(void)state;
	assert_int_equal(nic_stats_parse(f, &sum), 0);
	fclose(f);
	/* Several devices add up. */
	assert_int_equal(sum.ram_read, 101);
	assert_int_equal(sum.ram_write, 2);
	assert_int_equal(sum.bus_read, 3);
	assert_int_equal(sum.bus_write, 4);
	assert_int_equal(sum.iommu_read, 5);
	assert_true(sum.iommu_write == UINT64_MAX);
	assert_int_equal(sum.faults, 7);
	assert_int_equal(sum.connects, 8);
	assert_int_equal(sum.kills, 9);
	assert_int_equal(sum.paused, 1);
	assert_int_equal(sum.sends, 10);
	assert_int_equal(sum.rdma_reads, 11);
	assert_int_equal(sum.rdma_writes, 12);
}

static void test_nic_incomplete(void **state)
{
	struct nic_stats sum = { 0 };
	FILE *f = text(strchr(nic, '\n') + 1 + strlen("ram_read_bytes 1\n"));

	(void)state;
	assert_int_equal(nic_stats_parse(f, &sum), -EPROTO);
	fclose(f);
}

static void test_pins(void **state)
{
	struct pin_stats st;
	FILE *f = text("nr_free_pages 5\nnr_foll_pin_acquired 4097\n"
		       "nr_foll_pin_released 4096\nnr_foll_pin_other 3\n");

	(void)state;
	assert_int_equal(pin_stats_parse(f, &st), 0);
	fclose(f);
	assert_int_equal(st.acquired, 4097);
	assert_int_equal(st.released, 4096);
	f = text("nr_foll_pin_acquired 4097\n");
	assert_int_equal(pin_stats_parse(f, &st), -EPROTO);
	fclose(f);
}

static void test_server(void **state)
{
	struct server_stats st;
	FILE *f = text("rc 0 0 9\n"
		       "proc3 22 0 1 2 3 4 5 106 207 8 9 10 11 12 13 14 15 16 17 18 19 20 321\n"
		       "proc4 2 0 77\n"
		       "proc4ops 40 0 0 0 3 4 1005 6 7 8 9 10 11 12 13 14 15 16 17 18 19 "
		       "20 21 22 23 24 2025 26 27 28 29 30 31 32 33 34 35 36 37 3038 39\n");

	(void)state;
	assert_int_equal(server_stats_parse(f, &st), 0);
	fclose(f);
	assert_int_equal(st.reads, 106 + 2025);
	assert_int_equal(st.writes, 207 + 3038);
	assert_int_equal(st.commits, 321 + 1005);
	f = text("rc 0 0 9\n");
	assert_int_equal(server_stats_parse(f, &st), -EPROTO);
	fclose(f);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mountstats),	cmocka_unit_test(test_mountstats_tcp),
		cmocka_unit_test(test_mountstats_none), cmocka_unit_test(test_nic),
		cmocka_unit_test(test_nic_incomplete),	cmocka_unit_test(test_pins),
		cmocka_unit_test(test_server),
	};
	int rc = lab_main_setup(argc, argv);

	return rc ? rc : cmocka_run_group_tests_name("parsers", tests, NULL, NULL);
}
