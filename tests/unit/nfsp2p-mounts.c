// SPDX-License-Identifier: GPL-2.0
/* nfsp2p on mounts, kernels and devices of all kinds, where nothing is in the way. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "nfsp2p/machine.h"

static void test_tcp(void **state)
{
	(void)state;
	machine_amd();
	machine_nvme("pci0000:00/0000:00:01.0/0000:01:00.0");
	machine_bridge(PORT_A, FAKE_ROOT_PORT, 0);
	machine_judge_mount(
		(struct fake_mount){ .target = "/mnt/nfs", .proto = "tcp", .caps = 0xdffbfe3f },
		ANSWER_NO, "not-rdma");
	assert_true(machine_says("proto=rdma"));
}

static void test_virtual_device(void **state)
{
	(void)state;
	machine_amd();
	machine_nvme("pci0000:00/0000:00:01.0/0000:01:00.0");
	fake_rnic(&machine.tree, "rxe0", NULL);
	machine_judge_mount((struct fake_mount){ .target = "/mnt/nfs",
						 .proto = "rdma",
						 .caps = 0xdffbfe3f,
						 .p2pdma = XPRT_NO },
			    ANSWER_NO, "virtual-dma");
	assert_true(machine_says("rxe0"));
}

/* A real PCI function whose driver copies, all the same. */
static void test_hfi1(void **state)
{
	(void)state;
	machine_amd();
	machine_nvme("pci0000:00/0000:00:01.0/0000:01:00.0");
	machine_endpoint("pci0000:00/0000:00:02.0", 0x8086, 0x24f0, "hfi1");
	fake_rnic(&machine.tree, "hfi1_0", "pci0000:00/0000:00:02.0");
	machine_judge_mount(machine_able, ANSWER_NO, "virtual-dma");
}

/* Rather an old kernel, without anything of ours. */
static void stock(const char *release)
{
	fake_kernel(&machine.tree, release, false);
	fake_cpu(&machine.tree, "AuthenticAMD", 0x19, "AMD EPYC 7763");
	machine_ports(PORT_B);
}

static const struct fake_mount silent = {
	.target = "/mnt/nfs", .proto = "rdma", .caps = 0xdffbfe3f, .p2pdma = -1
};

static void test_old_kernel(void **state)
{
	(void)state;
	stock("6.1.0-28-amd64");
	machine_judge_mount(silent, ANSWER_NO, "no-series");
	assert_true(machine_says("6.1.0-28-amd64"));
}

static void test_before_allocate(void **state)
{
	char path[128];

	(void)state;
	stock("5.15.0");
	snprintf(path, sizeof(path), "%s/sys/devices/" PORT_A "/0000:01:00.0/p2pmem/allocate",
		 machine.tree.root);
	assert_int_equal(remove(path), 0);
	machine_judge_mount(silent, ANSWER_NO, "no-series");
	assert_true(machine_says("Linux 6.2"));
}

static void test_installed_not_loaded(void **state)
{
	(void)state;
	stock(KERNEL);
	fake_file(&machine.tree, "lib/modules/" KERNEL "/modules.dep",
		  "kernel/fs/nfs/nfs.ko.xz: kernel/fs/lockd/lockd.ko.xz\n"
		  "updates/nfs-p2pdma/nfs.ko: updates/nfs-p2pdma/sunrpc.ko\n");
	machine_judge_mount(silent, ANSWER_NO, "not-loaded");
	assert_true(machine_says("reboot"));
}

/* Other modules there that depend on nfs.ko do not count. */
static void test_other_module_installed(void **state)
{
	(void)state;
	stock(KERNEL);
	fake_file(&machine.tree, "lib/modules/" KERNEL "/modules.dep",
		  "updates/dkms/other.ko: kernel/fs/nfs/nfs.ko.xz\n");
	machine_judge_mount(silent, ANSWER_NO, "no-series");
}

static void test_turned_off(void **state)
{
	(void)state;
	machine_amd();
	machine_ports(PORT_B);
	fake_file(&machine.tree, "sys/module/nfs/parameters/p2pdma", "N\n");
	machine_judge_mount(machine_able, ANSWER_NO, "off");
	assert_true(machine_says("/sys/module/nfs/parameters/p2pdma"));
}

static void judge_able(struct fake_mount changes, enum answer answer, const char *code)
{
	machine_amd();
	machine_ports(PORT_B);
	changes.target = machine_able.target;
	changes.proto = machine_able.proto;
	if (!changes.caps)
		changes.caps = ABLE_CAPS;
	if (!changes.p2pdma)
		changes.p2pdma = XPRT_YES;
	machine_judge_mount(changes, answer, code);
}

static void test_krb5p(void **state)
{
	(void)state;
	judge_able((struct fake_mount){ .sec = "krb5p", .caps = 0xdffbfe3f }, ANSWER_NO, "gss");
	/* The consequence comes behind the cause. */
	assert_string_equal(machine.verdict.findings[1].code, "not-advertised");
}

static void test_krb5i(void **state)
{
	(void)state;
	judge_able((struct fake_mount){ .sec = "krb5i", .caps = 0xdffbfe3f }, ANSWER_NO, "gss");
}

static void test_krb5(void **state)
{
	(void)state;
	judge_able((struct fake_mount){ .sec = "krb5" }, ANSWER_YES, "route-host-bridge");
}

static void test_block_layout(void **state)
{
	(void)state;
	judge_able((struct fake_mount){ .pnfs = "LAYOUT_SCSI", .caps = 0xdffbfe3f }, ANSWER_NO,
		   "layout");
}

static void test_flexfiles(void **state)
{
	(void)state;
	judge_able((struct fake_mount){ .pnfs = "LAYOUT_FLEX_FILES" }, ANSWER_UNKNOWN,
		   "layout-data-servers");
}

static void test_localio(void **state)
{
	(void)state;
	judge_able((struct fake_mount){ .localio = true }, ANSWER_NO, "localio");
}

static void test_read_plus(void **state)
{
	(void)state;
	judge_able((struct fake_mount){ .caps = NFS_CAP_READ_PLUS }, ANSWER_NO, "read-plus");
}

static void test_capability_alone(void **state)
{
	(void)state;
	judge_able((struct fake_mount){ .caps = 0xdffbfe3f }, ANSWER_NO, "not-advertised");
	assert_true(machine_says("nfs_server_p2pdma"));
}

static void test_never_connected(void **state)
{
	(void)state;
	machine_amd();
	machine_ports(PORT_B);
	machine_judge_mount((struct fake_mount){ .target = "/mnt/nfs",
						 .proto = "rdma",
						 .caps = ABLE_CAPS,
						 .p2pdma = XPRT_UNKNOWN },
			    ANSWER_UNKNOWN, "never-connected");
}

static void test_incapable_transport(void **state)
{
	(void)state;
	judge_able((struct fake_mount){ .p2pdma = XPRT_NO }, ANSWER_NO, "device");
}

static void test_not_published(void **state)
{
	(void)state;
	machine_amd();
	machine_ports(PORT_B);
	fake_p2pmem(&machine.tree, PORT_A "/0000:01:00.0", 64 << 20, false);
	machine_judge_mount(machine_able, ANSWER_NO, "not-published");
}

static void test_not_permitted(void **state)
{
	(void)state;
	machine_amd();
	machine_ports(PORT_B);
	fake_mount(&machine.tree, &machine_able);
	assert_int_equal(snapshot_load(&machine.shot, machine.tree.root), 0);
	machine.shot.providers[0].access = ACCESS_DENIED;
	verdict_pair(&machine.shot, &machine.shot.mounts[0], &machine.shot.providers[0],
		     &machine.verdict);
	assert_int_equal(machine.verdict.answer, ANSWER_NO);
	assert_string_equal(machine.verdict.findings[0].code, "not-permitted");
}

static void test_full(void **state)
{
	(void)state;
	machine_amd();
	machine_ports(PORT_B);
	fake_file(&machine.tree, "sys/devices/" PORT_A "/0000:01:00.0/p2pmem/available", "0\n");
	machine_judge_mount(machine_able, ANSWER_NO, "full");
}

/* Which of two devices a mount uses is known by its connections only. */
static void test_two_devices(void **state)
{
	(void)state;
	machine_intel(0x4650);
	machine_switch(NO_ACS);
	machine_mlx5("mlx5_1", PORT_B "/0000:81:00.0");
	fake_file(&machine.tree, "rdma-connections",
		  "mlx5_1 rpcrdma 198.51.100.7 20049\n"
		  "mlx5_0 rpcrdma 192.0.2.1 20049\n"
		  "mlx5_1 rpcrdma 192.0.2.1 40001\n"
		  "mlx5_1 nvme_rdma 192.0.2.1 20049\n");
	machine_judge_mount(machine_able, ANSWER_YES, "route-bus");
}

static void test_two_devices_in_use(void **state)
{
	(void)state;
	machine_intel(0x4650);
	machine_switch(NO_ACS);
	machine_mlx5("mlx5_1", PORT_B "/0000:81:00.0");
	machine_judge_mount(machine_able, ANSWER_NO, "unreachable-bridge");
	assert_true(machine_says("mlx5_1 (0000:81:00.0) cannot reach"));
	assert_true(machine_says("mlx5_0 (0000:04:00.0) reaches"));
}

static void test_device_unknown(void **state)
{
	(void)state;
	machine_intel(0x4650);
	machine_switch(NO_ACS);
	machine_mlx5("mlx5_1", PORT_B "/0000:81:00.0");
	fake_file(&machine.tree, "rdma-connections", "nothing\n");
	machine_judge_mount(machine_able, ANSWER_UNKNOWN, "device-unknown");
}

static void test_no_stats(void **state)
{
	(void)state;
	machine_amd();
	machine_ports(PORT_B);
	fake_mount(&machine.tree, &machine_able);
	fake_file(&machine.tree, "proc/self/mountstats",
		  "device /dev/sda1 mounted on / with fstype ext4\n");
	machine_judge(ANSWER_UNKNOWN, "no-stats");
}

/* The nearer of two providers, for a mount and the drive at the other end. */
static void test_pick(void **state)
{
	struct endpoint ends[2];
	const struct provider *p;

	(void)state;
	machine_amd();
	machine_switch(NO_ACS);
	machine_nvme(PORT_B "/0000:81:00.0");
	fake_mount(&machine.tree, &machine_able);
	fake_file(&machine.tree, "sys/devices/" PORT_B "/0000:81:00.0/p2pmem/available",
		  "1073741824\n");
	fake_link(&machine.tree, "sys/dev/block/259:3",
		  "../../devices/" DOWN_1 "/0000:03:00.0/nvme/nvme0/nvme0n1/nvme0n1p1");
	assert_int_equal(snapshot_load(&machine.shot, machine.tree.root), 0);
	assert_int_equal(machine.shot.nproviders, 2);
	ends[0] = (struct endpoint){ .mount = &machine.shot.mounts[0] };
	ends[1] = (struct endpoint){ .pci = pci_of_block(&machine.shot, 259, 3) };
	p = verdict_pick(&machine.shot, ends, 2, 1 << 20, &machine.verdict);
	assert_non_null(p);
	assert_string_equal(p->bdf, "0000:03:00.0");
	assert_int_equal(machine.verdict.answer, ANSWER_YES);
	verdict_free(&machine.verdict);
	/* Too small: the other one. */
	p = verdict_pick(&machine.shot, ends, 2, 1 << 30, &machine.verdict);
	assert_string_equal(p->bdf, "0000:81:00.0");
	verdict_free(&machine.verdict);
	p = verdict_pick(&machine.shot, ends, 2, 2ULL << 30, &machine.verdict);
	assert_non_null(p);
	assert_int_equal(machine.verdict.answer, ANSWER_NO);
	assert_string_equal(machine.verdict.findings[0].code, "too-small");
	verdict_free(&machine.verdict);
	/* A device mapper's device has no function. */
	ends[1].pci = pci_of_block(&machine.shot, 253, 0);
	p = verdict_pick(&machine.shot, ends, 2, 4096, &machine.verdict);
	assert_non_null(p);
	assert_int_equal(machine.verdict.answer, ANSWER_UNKNOWN);
	assert_string_equal(machine.verdict.findings[0].code, "no-function");
}

static void test_pick_none(void **state)
{
	struct endpoint end = { .pci = NO_PCI };

	(void)state;
	machine_amd();
	assert_int_equal(snapshot_load(&machine.shot, machine.tree.root), -ENOENT);
	assert_null(verdict_pick(&machine.shot, &end, 1, 4096, &machine.verdict));
	assert_int_equal(machine.verdict.answer, ANSWER_NO);
	assert_string_equal(machine.verdict.findings[0].code, "no-provider");
}

static void test_measured(void **state)
{
	(void)state;
	machine_amd();
	machine_ports(PORT_B);
	machine_judge_mount(machine_able, ANSWER_YES, "route-host-bridge");
	verdict_add(&machine.verdict, ANSWER_UNKNOWN, "doubt", NULL, "a doubt");
	assert_int_equal(machine.verdict.answer, ANSWER_UNKNOWN);
	verdict_measured(&machine.verdict, "seen", "%d bytes", 7);
	assert_int_equal(machine.verdict.answer, ANSWER_YES);
	assert_string_equal(machine.verdict.findings[0].code, "seen");
	assert_false(machine_says("bug of nfsp2p"));
	verdict_add(&machine.verdict, ANSWER_NO, "not-published", NULL, "an obstacle");
	verdict_measured(&machine.verdict, "seen", "again");
	assert_int_equal(machine.verdict.answer, ANSWER_YES);
	assert_true(machine_says("bug of nfsp2p"));
}

/* More findings than there is room for: the answer is not lost. */
static void test_many_findings(void **state)
{
	(void)state;
	for (int i = 0; i < 2 * MAX_FINDINGS; i++)
		verdict_add(&machine.verdict, ANSWER_YES, "good", NULL, "number %d", i);
	verdict_add(&machine.verdict, ANSWER_NO, "bad", NULL, "the last");
	assert_int_equal(machine.verdict.answer, ANSWER_NO);
	assert_int_equal(machine.verdict.nfindings, MAX_FINDINGS);
	assert_string_equal(machine.verdict.findings[0].code, "bad");
}

#define T(name) cmocka_unit_test_setup_teardown(test_##name, machine_setup, machine_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(tcp),
		T(virtual_device),
		T(hfi1),
		T(old_kernel),
		T(before_allocate),
		T(installed_not_loaded),
		T(other_module_installed),
		T(turned_off),
		T(krb5p),
		T(krb5i),
		T(krb5),
		T(block_layout),
		T(flexfiles),
		T(localio),
		T(read_plus),
		T(capability_alone),
		T(never_connected),
		T(incapable_transport),
		T(not_published),
		T(not_permitted),
		T(full),
		T(two_devices),
		T(two_devices_in_use),
		T(device_unknown),
		T(no_stats),
		T(pick),
		T(pick_none),
		T(measured),
		T(many_findings),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("nfsp2p-mounts", tests, NULL, NULL);
}
