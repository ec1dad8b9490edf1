// SPDX-License-Identifier: GPL-2.0
/*
 * The verdicts of nfsp2p on machines of all shapes: what is between a provider and
 * an RDMA device, which CPU and kernel, how NFS is mounted.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../tools/nfsp2p/verdict.h"
#include "../lib/faketree.h"

#define KERNEL	  "7.3.4-test"
#define ABLE_CAPS (NFS_CAP_P2PDMA | 0xdffbfe3f)

/* The places of an NVMe drive and an RDMA device: two root ports, or one switch. */
#define PORT_A	 "pci0000:00/0000:00:01.0"
#define PORT_B	 "pci0000:00/0000:00:02.0"
#define PORT_C	 "pci0000:80/0000:80:01.0"
#define UP	 PORT_A "/0000:01:00.0"
#define DOWN_1	 UP "/0000:02:00.0"
#define DOWN_2	 UP "/0000:02:01.0"
#define REDIRECT (ACS_REQUEST_REDIRECT | ACS_COMPLETION_REDIRECT)

static const struct fake_mount able = {
	.target = "/mnt/nfs", .proto = "rdma", .caps = ABLE_CAPS, .p2pdma = XPRT_YES
};

static struct faketree tree;
static struct snapshot shot;
static struct verdict verdict;

static int setup(void **state)
{
	(void)state;
	fake_open(&tree);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	verdict_free(&verdict);
	snapshot_free(&shot);
	fake_close(&tree);
	return 0;
}

static void bridge(const char *path, enum fake_port port, int acs)
{
	fake_pci(&tree,
		 &(struct fake_pci){ path, 0x8086, 0x1234, "pcieport", port, acs, false, NULL });
}

static void host_bridge(const char *path, unsigned int vendor, unsigned int device)
{
	fake_pci(&tree, &(struct fake_pci){ path, vendor, device, NULL, FAKE_OLD_PCI, NO_ACS, false,
					    NULL });
}

static void endpoint(const char *path, unsigned int vendor, unsigned int device, const char *driver)
{
	fake_pci(&tree, &(struct fake_pci){ path, vendor, device, driver, FAKE_ENDPOINT, NO_ACS,
					    false, NULL });
}

static void nvme(const char *path)
{
	endpoint(path, 0x144d, 0xa80a, "nvme");
	fake_p2pmem(&tree, path, 64 << 20, true);
}

static void mlx5(const char *name, const char *path)
{
	endpoint(path, 0x15b3, 0x1021, "mlx5_core");
	fake_rnic(&tree, name, path);
}

static void amd(void)
{
	fake_kernel(&tree, KERNEL, true);
	fake_cpu(&tree, "AuthenticAMD", 0x19, "AMD EPYC 7763");
	host_bridge("pci0000:00/0000:00:00.0", 0x1022, 0x1480);
}

static void intel(unsigned int bridge_device)
{
	fake_kernel(&tree, KERNEL, true);
	fake_cpu(&tree, "GenuineIntel", 6, "Intel Xeon");
	host_bridge("pci0000:00/0000:00:00.0", 0x8086, bridge_device);
	host_bridge("pci0000:80/0000:80:00.0", 0x8086, bridge_device);
}

/* Provider and device below a switch, whose first downstream port has @acs. */
static void switch_box(int acs)
{
	bridge(PORT_A, FAKE_ROOT_PORT, 0x1d);
	bridge(UP, FAKE_SWITCH_PORT, NO_ACS);
	bridge(DOWN_1, FAKE_SWITCH_PORT, acs);
	bridge(DOWN_2, FAKE_SWITCH_PORT, acs == NO_ACS ? NO_ACS : 0);
	nvme(DOWN_1 "/0000:03:00.0");
	mlx5("mlx5_0", DOWN_2 "/0000:04:00.0");
}

/* The same on root ports of one host bridge, or of two. */
static void two_ports(const char *second)
{
	char path[64];

	bridge(PORT_A, FAKE_ROOT_PORT, 0x1d);
	bridge(second, FAKE_ROOT_PORT, 0x1d);
	nvme(PORT_A "/0000:01:00.0");
	snprintf(path, sizeof(path), "%s/0000:81:00.0", second);
	mlx5("mlx5_0", path);
}

/* Judge the first mount with the first provider. */
static void judge(enum answer answer, const char *code)
{
	assert_int_equal(snapshot_load(&shot, tree.root), 0);
	assert_true(shot.nmounts > 0);
	assert_true(shot.nproviders > 0);
	verdict_pair(&shot, &shot.mounts[0], &shot.providers[0], &verdict);
	if (verdict.answer != answer || strcmp(verdict.findings[0].code, code))
		fail_msg("wanted %s by %s, got %s by %s: %s", answer_name(answer), code,
			 answer_name(verdict.answer), verdict.findings[0].code,
			 verdict_reason(&verdict));
}

static void judge_mount(struct fake_mount mount, enum answer answer, const char *code)
{
	fake_mount(&tree, &mount);
	judge(answer, code);
}

static bool says(const char *text)
{
	for (size_t i = 0; i < verdict.nfindings; i++) {
		if (strstr(verdict.findings[i].why, text) ||
		    (verdict.findings[i].todo && strstr(verdict.findings[i].todo, text)))
			return true;
	}
	return false;
}

static void test_amd_server(void **state)
{
	(void)state;
	amd();
	two_ports(PORT_B);
	judge_mount(able, ANSWER_YES, "route-host-bridge");
	assert_int_equal(verdict.route, ROUTE_HOST_BRIDGE);
	assert_int_equal(verdict.distance, 4);
	assert_true(says("AMD EPYC"));
}

static void test_amd_before_zen(void **state)
{
	(void)state;
	amd();
	fake_cpu(&tree, "AuthenticAMD", 0x15, "AMD Opteron");
	two_ports(PORT_B);
	judge_mount(able, ANSWER_NO, "unreachable-bridge");
	assert_true(says("0000:00:00.0 [1022:1480]"));
}

static void test_intel_server(void **state)
{
	(void)state;
	intel(0x09a2);
	two_ports(PORT_C);
	judge_mount(able, ANSWER_YES, "route-host-bridge");
}

static void test_intel_one_bridge_only(void **state)
{
	(void)state;
	intel(0x2f00);
	two_ports(PORT_C);
	judge_mount(able, ANSWER_NO, "unreachable-bridge");
	assert_true(says("different host bridges"));
}

static void test_intel_same_bridge(void **state)
{
	(void)state;
	intel(0x2f00);
	two_ports(PORT_B);
	judge_mount(able, ANSWER_YES, "route-host-bridge");
}

static void test_intel_desktop(void **state)
{
	(void)state;
	intel(0x4650);
	two_ports(PORT_B);
	judge_mount(able, ANSWER_NO, "unreachable-bridge");
	assert_true(says("0000:00:00.0 [8086:4650]"));
	assert_true(says("one PCIe switch"));
}

/* Skylake: no device 00.0 on the root bus, the first root port is on the list. */
static void test_root_port_stands_for_bridge(void **state)
{
	(void)state;
	fake_kernel(&tree, KERNEL, true);
	fake_cpu(&tree, "GenuineIntel", 6, "Intel Xeon");
	two_ports(PORT_B);
	fake_file(&tree, "sys/devices/" PORT_A "/device", "0x2030\n");
	judge_mount(able, ANSWER_YES, "route-host-bridge");
}

static void test_first_function_is_no_bridge(void **state)
{
	(void)state;
	fake_kernel(&tree, KERNEL, true);
	fake_cpu(&tree, "GenuineIntel", 6, "Intel Xeon");
	two_ports(PORT_B);
	endpoint("pci0000:00/0000:00:00.1", 0x8086, 0x2030, NULL);
	judge_mount(able, ANSWER_NO, "unreachable-bridge");
}

/* A bridge that is not on the list of 7.3 may be on that of a later kernel. */
static void test_newer_kernel(void **state)
{
	(void)state;
	intel(0x4650);
	fake_kernel(&tree, "7.4.0", true);
	two_ports(PORT_B);
	judge_mount(able, ANSWER_UNKNOWN, "bridge-unknown");
}

static void test_older_kernel_newer_bridge(void **state)
{
	(void)state;
	intel(0x0b25);
	fake_kernel(&tree, "6.12.9", true);
	two_ports(PORT_B);
	judge_mount(able, ANSWER_UNKNOWN, "bridge-unknown");
}

static void test_switch(void **state)
{
	(void)state;
	intel(0x4650);
	switch_box(NO_ACS);
	judge_mount(able, ANSWER_YES, "route-bus");
	assert_int_equal(verdict.route, ROUTE_BUS);
	assert_int_equal(verdict.distance, 4);
	assert_true(says("below 0000:01:00.0"));
}

/* ACS is there, but does not redirect. */
static void test_switch_acs_off(void **state)
{
	(void)state;
	intel(0x4650);
	switch_box(0x11);
	judge_mount(able, ANSWER_YES, "route-bus");
}

static void test_switch_acs(void **state)
{
	(void)state;
	intel(0x4650);
	switch_box(REDIRECT);
	judge_mount(able, ANSWER_NO, "unreachable-acs");
	assert_true(says("0000:02:00.0 (ReqRedir+CmpltRedir+)"));
	assert_true(says("pci=disable_acs_redir=0000:02:00.0"));
	assert_false(says("0000:02:01.0 ("));
}

static void test_switch_egress_control(void **state)
{
	(void)state;
	intel(0x4650);
	switch_box(ACS_EGRESS_CONTROL);
	judge_mount(able, ANSWER_NO, "unreachable-acs");
	assert_true(says("EgressCtrl+"));
}

static void test_switch_acs_amd(void **state)
{
	(void)state;
	amd();
	switch_box(REDIRECT);
	judge_mount(able, ANSWER_YES, "route-host-bridge");
}

/* The bridge that both are below counts: calc_map_type_and_dist() looks at it, too. */
static void test_common_bridge_redirects(void **state)
{
	(void)state;
	intel(0x4650);
	bridge(PORT_A, FAKE_ROOT_PORT, REDIRECT);
	nvme(PORT_A "/0000:01:00.0");
	mlx5("mlx5_0", PORT_A "/0000:01:00.1");
	judge_mount(able, ANSWER_NO, "unreachable-acs");
	assert_true(says("at 0000:00:01.0 (ReqRedir+"));
}

/* Users cannot see ACS. */
static void test_switch_as_user(void **state)
{
	(void)state;
	intel(0x4650);
	switch_box(NO_ACS);
	fake_pci(&tree, &(struct fake_pci){ DOWN_1, 0x8086, 0x1234, "pcieport", FAKE_SWITCH_PORT,
					    NO_ACS, true, NULL });
	judge_mount(able, ANSWER_UNKNOWN, "acs-unknown");
	assert_true(says("0000:02:00.0"));
	assert_true(says("run as root"));
}

/* ... but on AMD it works either way. */
static void test_switch_as_user_amd(void **state)
{
	(void)state;
	amd();
	switch_box(NO_ACS);
	fake_pci(&tree, &(struct fake_pci){ DOWN_1, 0x8086, 0x1234, "pcieport", FAKE_SWITCH_PORT,
					    NO_ACS, true, NULL });
	judge_mount(able, ANSWER_YES, "route-either");
}

static void test_gpu(void **state)
{
	(void)state;
	amd();
	bridge(PORT_A, FAKE_ROOT_PORT, 0x1d);
	bridge(UP, FAKE_SWITCH_PORT, NO_ACS);
	bridge(DOWN_1, FAKE_SWITCH_PORT, 0);
	bridge(DOWN_2, FAKE_SWITCH_PORT, 0);
	endpoint(DOWN_1 "/0000:03:00.0", 0x1002, 0x740f, "amdgpu");
	fake_p2pmem(&tree, DOWN_1 "/0000:03:00.0", 64ULL << 30, true);
	mlx5("mlx5_0", DOWN_2 "/0000:04:00.0");
	endpoint(PORT_B "/0000:05:00.0", 0x144d, 0xa80a, "nvme");
	judge_mount(able, ANSWER_YES, "route-bus");
	assert_int_equal(shot.nproviders, 1);
	assert_true(shot.providers[0].size == 64ULL << 30);
	assert_string_equal(shot.pci[shot.providers[0].pci].driver, "amdgpu");
}

/* Intel VMD: drives in a domain of their own, below a function of another. */
static void test_vmd(void **state)
{
	static const char port[] = "pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:06.0";

	(void)state;
	intel(0x4650);
	endpoint("pci0000:00/0000:00:0e.0", 0x8086, 0x201d, "vmd");
	bridge(port, FAKE_ROOT_PORT, 0x1d);
	nvme("pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:06.0/10000:e1:00.0");
	mlx5("mlx5_0", PORT_B "/0000:81:00.0");
	judge_mount(able, ANSWER_NO, "unreachable-bridge");
	assert_string_equal(shot.pci[shot.providers[0].pci].host, "pci10000:e0");
}

static void test_iommu(void **state)
{
	(void)state;
	amd();
	two_ports(PORT_B);
	fake_file(&tree, "sys/devices/" PORT_B "/0000:81:00.0/iommu_group/type", "DMA-FQ\n");
	judge_mount(able, ANSWER_YES, "route-host-bridge");
	assert_true(says("IOMMU"));
	assert_true(says("DMA-FQ"));
}

static void test_bounced(void **state)
{
	(void)state;
	amd();
	two_ports(PORT_B);
	fake_file(&tree, "proc/cmdline", "quiet swiotlb=65536,force\n");
	judge_mount(able, ANSWER_NO, "bounced");
}

/* By bus address nothing is bounced. */
static void test_not_bounced(void **state)
{
	(void)state;
	amd();
	switch_box(NO_ACS);
	fake_file(&tree, "proc/cmdline", "quiet swiotlb=force\n");
	judge_mount(able, ANSWER_YES, "route-bus");
}

static void test_tcp(void **state)
{
	(void)state;
	amd();
	nvme("pci0000:00/0000:00:01.0/0000:01:00.0");
	bridge(PORT_A, FAKE_ROOT_PORT, 0);
	judge_mount((struct fake_mount){ .target = "/mnt/nfs", .proto = "tcp", .caps = 0xdffbfe3f },
		    ANSWER_NO, "not-rdma");
	assert_true(says("proto=rdma"));
}

static void test_virtual_device(void **state)
{
	(void)state;
	amd();
	nvme("pci0000:00/0000:00:01.0/0000:01:00.0");
	fake_rnic(&tree, "rxe0", NULL);
	judge_mount((struct fake_mount){ .target = "/mnt/nfs",
					 .proto = "rdma",
					 .caps = 0xdffbfe3f,
					 .p2pdma = XPRT_NO },
		    ANSWER_NO, "virtual-dma");
	assert_true(says("rxe0"));
}

/* A real PCI function whose driver copies, all the same. */
static void test_hfi1(void **state)
{
	(void)state;
	amd();
	nvme("pci0000:00/0000:00:01.0/0000:01:00.0");
	endpoint("pci0000:00/0000:00:02.0", 0x8086, 0x24f0, "hfi1");
	fake_rnic(&tree, "hfi1_0", "pci0000:00/0000:00:02.0");
	judge_mount(able, ANSWER_NO, "virtual-dma");
}

/* Rather an old kernel, without anything of ours. */
static void stock(const char *release)
{
	fake_kernel(&tree, release, false);
	fake_cpu(&tree, "AuthenticAMD", 0x19, "AMD EPYC 7763");
	two_ports(PORT_B);
}

static const struct fake_mount silent = {
	.target = "/mnt/nfs", .proto = "rdma", .caps = 0xdffbfe3f, .p2pdma = -1
};

static void test_old_kernel(void **state)
{
	(void)state;
	stock("6.1.0-28-amd64");
	judge_mount(silent, ANSWER_NO, "no-series");
	assert_true(says("6.1.0-28-amd64"));
}

static void test_before_allocate(void **state)
{
	char path[128];

	(void)state;
	stock("5.15.0");
	snprintf(path, sizeof(path), "%s/sys/devices/" PORT_A "/0000:01:00.0/p2pmem/allocate",
		 tree.root);
	assert_int_equal(remove(path), 0);
	judge_mount(silent, ANSWER_NO, "no-series");
	assert_true(says("Linux 6.2"));
}

static void test_installed_not_loaded(void **state)
{
	(void)state;
	stock(KERNEL);
	fake_file(&tree, "lib/modules/" KERNEL "/modules.dep",
		  "kernel/fs/nfs/nfs.ko.xz: kernel/fs/lockd/lockd.ko.xz\n"
		  "updates/nfs-p2pdma/nfs.ko: updates/nfs-p2pdma/sunrpc.ko\n");
	judge_mount(silent, ANSWER_NO, "not-loaded");
	assert_true(says("reboot"));
}

/* Other modules there that depend on nfs.ko do not count. */
static void test_other_module_installed(void **state)
{
	(void)state;
	stock(KERNEL);
	fake_file(&tree, "lib/modules/" KERNEL "/modules.dep",
		  "updates/dkms/other.ko: kernel/fs/nfs/nfs.ko.xz\n");
	judge_mount(silent, ANSWER_NO, "no-series");
}

static void test_turned_off(void **state)
{
	(void)state;
	amd();
	two_ports(PORT_B);
	fake_file(&tree, "sys/module/nfs/parameters/p2pdma", "N\n");
	judge_mount(able, ANSWER_NO, "off");
	assert_true(says("/sys/module/nfs/parameters/p2pdma"));
}

static void judge_able(struct fake_mount changes, enum answer answer, const char *code)
{
	amd();
	two_ports(PORT_B);
	changes.target = able.target;
	changes.proto = able.proto;
	if (!changes.caps)
		changes.caps = ABLE_CAPS;
	if (!changes.p2pdma)
		changes.p2pdma = XPRT_YES;
	judge_mount(changes, answer, code);
}

static void test_krb5p(void **state)
{
	(void)state;
	judge_able((struct fake_mount){ .sec = "krb5p", .caps = 0xdffbfe3f }, ANSWER_NO, "gss");
	/* The consequence comes behind the cause. */
	assert_string_equal(verdict.findings[1].code, "not-advertised");
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
	assert_true(says("nfs_server_p2pdma"));
}

static void test_never_connected(void **state)
{
	(void)state;
	amd();
	two_ports(PORT_B);
	judge_mount((struct fake_mount){ .target = "/mnt/nfs",
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
	amd();
	two_ports(PORT_B);
	fake_p2pmem(&tree, PORT_A "/0000:01:00.0", 64 << 20, false);
	judge_mount(able, ANSWER_NO, "not-published");
}

static void test_not_permitted(void **state)
{
	(void)state;
	amd();
	two_ports(PORT_B);
	fake_mount(&tree, &able);
	assert_int_equal(snapshot_load(&shot, tree.root), 0);
	shot.providers[0].access = ACCESS_DENIED;
	verdict_pair(&shot, &shot.mounts[0], &shot.providers[0], &verdict);
	assert_int_equal(verdict.answer, ANSWER_NO);
	assert_string_equal(verdict.findings[0].code, "not-permitted");
}

static void test_full(void **state)
{
	(void)state;
	amd();
	two_ports(PORT_B);
	fake_file(&tree, "sys/devices/" PORT_A "/0000:01:00.0/p2pmem/available", "0\n");
	judge_mount(able, ANSWER_NO, "full");
}

/* Which of two devices a mount uses is known by its connections only. */
static void test_two_devices(void **state)
{
	(void)state;
	intel(0x4650);
	switch_box(NO_ACS);
	mlx5("mlx5_1", PORT_B "/0000:81:00.0");
	fake_file(&tree, "rdma-connections",
		  "mlx5_1 rpcrdma 198.51.100.7 20049\n"
		  "mlx5_0 rpcrdma 192.0.2.1 20049\n"
		  "mlx5_1 rpcrdma 192.0.2.1 40001\n"
		  "mlx5_1 nvme_rdma 192.0.2.1 20049\n");
	judge_mount(able, ANSWER_YES, "route-bus");
}

static void test_two_devices_in_use(void **state)
{
	(void)state;
	intel(0x4650);
	switch_box(NO_ACS);
	mlx5("mlx5_1", PORT_B "/0000:81:00.0");
	judge_mount(able, ANSWER_NO, "unreachable-bridge");
	assert_true(says("mlx5_1 (0000:81:00.0) cannot reach"));
	assert_true(says("mlx5_0 (0000:04:00.0) reaches"));
}

static void test_device_unknown(void **state)
{
	(void)state;
	intel(0x4650);
	switch_box(NO_ACS);
	mlx5("mlx5_1", PORT_B "/0000:81:00.0");
	fake_file(&tree, "rdma-connections", "nothing\n");
	judge_mount(able, ANSWER_UNKNOWN, "device-unknown");
}

static void test_no_stats(void **state)
{
	(void)state;
	amd();
	two_ports(PORT_B);
	fake_mount(&tree, &able);
	fake_file(&tree, "proc/self/mountstats",
		  "device /dev/sda1 mounted on / with fstype ext4\n");
	judge(ANSWER_UNKNOWN, "no-stats");
}

/* The nearer of two providers, for a mount and the drive at the other end. */
static void test_pick(void **state)
{
	struct endpoint ends[2];
	const struct provider *p;

	(void)state;
	amd();
	switch_box(NO_ACS);
	nvme(PORT_B "/0000:81:00.0");
	fake_mount(&tree, &able);
	fake_file(&tree, "sys/devices/" PORT_B "/0000:81:00.0/p2pmem/available", "1073741824\n");
	fake_link(&tree, "sys/dev/block/259:3",
		  "../../devices/" DOWN_1 "/0000:03:00.0/nvme/nvme0/nvme0n1/nvme0n1p1");
	assert_int_equal(snapshot_load(&shot, tree.root), 0);
	assert_int_equal(shot.nproviders, 2);
	ends[0] = (struct endpoint){ .mount = &shot.mounts[0] };
	ends[1] = (struct endpoint){ .pci = pci_of_block(&shot, 259, 3) };
	p = verdict_pick(&shot, ends, 2, 1 << 20, &verdict);
	assert_non_null(p);
	assert_string_equal(p->bdf, "0000:03:00.0");
	assert_int_equal(verdict.answer, ANSWER_YES);
	verdict_free(&verdict);
	/* Too small: the other one. */
	p = verdict_pick(&shot, ends, 2, 1 << 30, &verdict);
	assert_string_equal(p->bdf, "0000:81:00.0");
	verdict_free(&verdict);
	p = verdict_pick(&shot, ends, 2, 2ULL << 30, &verdict);
	assert_non_null(p);
	assert_int_equal(verdict.answer, ANSWER_NO);
	assert_string_equal(verdict.findings[0].code, "too-small");
	verdict_free(&verdict);
	/* A device mapper's device has no function. */
	ends[1].pci = pci_of_block(&shot, 253, 0);
	p = verdict_pick(&shot, ends, 2, 4096, &verdict);
	assert_non_null(p);
	assert_int_equal(verdict.answer, ANSWER_UNKNOWN);
	assert_string_equal(verdict.findings[0].code, "no-function");
}

static void test_pick_none(void **state)
{
	struct endpoint end = { .pci = NO_PCI };

	(void)state;
	amd();
	assert_int_equal(snapshot_load(&shot, tree.root), -ENOENT);
	assert_null(verdict_pick(&shot, &end, 1, 4096, &verdict));
	assert_int_equal(verdict.answer, ANSWER_NO);
	assert_string_equal(verdict.findings[0].code, "no-provider");
}

static void test_measured(void **state)
{
	(void)state;
	amd();
	two_ports(PORT_B);
	judge_mount(able, ANSWER_YES, "route-host-bridge");
	verdict_add(&verdict, ANSWER_UNKNOWN, "doubt", NULL, "a doubt");
	assert_int_equal(verdict.answer, ANSWER_UNKNOWN);
	verdict_measured(&verdict, "seen", "%d bytes", 7);
	assert_int_equal(verdict.answer, ANSWER_YES);
	assert_string_equal(verdict.findings[0].code, "seen");
	assert_false(says("bug of nfsp2p"));
	verdict_add(&verdict, ANSWER_NO, "not-published", NULL, "an obstacle");
	verdict_measured(&verdict, "seen", "again");
	assert_int_equal(verdict.answer, ANSWER_YES);
	assert_true(says("bug of nfsp2p"));
}

/* More findings than there is room for: the answer is not lost. */
static void test_many_findings(void **state)
{
	(void)state;
	for (int i = 0; i < 2 * MAX_FINDINGS; i++)
		verdict_add(&verdict, ANSWER_YES, "good", NULL, "number %d", i);
	verdict_add(&verdict, ANSWER_NO, "bad", NULL, "the last");
	assert_int_equal(verdict.answer, ANSWER_NO);
	assert_int_equal(verdict.nfindings, MAX_FINDINGS);
	assert_string_equal(verdict.findings[0].code, "bad");
}

#define T(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(amd_server),
		T(amd_before_zen),
		T(intel_server),
		T(intel_one_bridge_only),
		T(intel_same_bridge),
		T(intel_desktop),
		T(root_port_stands_for_bridge),
		T(first_function_is_no_bridge),
		T(newer_kernel),
		T(older_kernel_newer_bridge),
		T(switch),
		T(switch_acs_off),
		T(switch_acs),
		T(switch_egress_control),
		T(switch_acs_amd),
		T(common_bridge_redirects),
		T(switch_as_user),
		T(switch_as_user_amd),
		T(gpu),
		T(vmd),
		T(iommu),
		T(bounced),
		T(not_bounced),
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
	return cmocka_run_group_tests_name("nfsp2p-machines", tests, NULL, NULL);
}
