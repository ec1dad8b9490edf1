// SPDX-License-Identifier: GPL-2.0
/* nfsp2p on machines of all shapes: what is between a provider and an RDMA device? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "nfsp2p/machine.h"

static void test_amd_server(void **state)
{
	(void)state;
	machine_amd();
	machine_ports(PORT_B);
	machine_judge_mount(machine_able, ANSWER_YES, "route-host-bridge");
	assert_int_equal(machine.verdict.route, ROUTE_HOST_BRIDGE);
	assert_int_equal(machine.verdict.distance, 4);
	assert_true(machine_says("AMD EPYC"));
}

static void test_amd_before_zen(void **state)
{
	(void)state;
	machine_amd();
	fake_cpu(&machine.tree, "AuthenticAMD", 0x15, "AMD Opteron");
	machine_ports(PORT_B);
	machine_judge_mount(machine_able, ANSWER_NO, "unreachable-bridge");
	assert_true(machine_says("0000:00:00.0 [1022:1480]"));
}

static void test_intel_server(void **state)
{
	(void)state;
	machine_intel(0x09a2);
	machine_ports(PORT_C);
	machine_judge_mount(machine_able, ANSWER_YES, "route-host-bridge");
}

static void test_intel_one_bridge_only(void **state)
{
	(void)state;
	machine_intel(0x2f00);
	machine_ports(PORT_C);
	machine_judge_mount(machine_able, ANSWER_NO, "unreachable-bridge");
	assert_true(machine_says("different host bridges"));
}

static void test_intel_same_bridge(void **state)
{
	(void)state;
	machine_intel(0x2f00);
	machine_ports(PORT_B);
	machine_judge_mount(machine_able, ANSWER_YES, "route-host-bridge");
}

static void test_intel_desktop(void **state)
{
	(void)state;
	machine_intel(0x4650);
	machine_ports(PORT_B);
	machine_judge_mount(machine_able, ANSWER_NO, "unreachable-bridge");
	assert_true(machine_says("0000:00:00.0 [8086:4650]"));
	assert_true(machine_says("one PCIe switch"));
}

/* Skylake: no device 00.0 on the root bus, the first root port is on the list. */
static void test_root_port_stands_for_bridge(void **state)
{
	(void)state;
	fake_kernel(&machine.tree, KERNEL, true);
	fake_cpu(&machine.tree, "GenuineIntel", 6, "Intel Xeon");
	machine_ports(PORT_B);
	fake_file(&machine.tree, "sys/devices/" PORT_A "/device", "0x2030\n");
	machine_judge_mount(machine_able, ANSWER_YES, "route-host-bridge");
}

static void test_first_function_is_no_bridge(void **state)
{
	(void)state;
	fake_kernel(&machine.tree, KERNEL, true);
	fake_cpu(&machine.tree, "GenuineIntel", 6, "Intel Xeon");
	machine_ports(PORT_B);
	machine_endpoint("pci0000:00/0000:00:00.1", 0x8086, 0x2030, NULL);
	machine_judge_mount(machine_able, ANSWER_NO, "unreachable-bridge");
}

#define BYSTANDER "pci0000:00/0000:00:09.0"

static enum acs acs_of(const char *bdf)
{
	struct snapshot shot;
	enum acs acs;

	assert_int_equal(snapshot_load(&shot, machine.tree.root), 0);
	acs = shot.pci[pci_find(&shot, bdf)].acs;
	snapshot_free(&shot);
	return acs;
}

/* What has no part in a transfer may be asleep: its configuration is not read. */
static void test_bystander_is_left_alone(void **state)
{
	struct fake_mount mount = machine_able;

	(void)state;
	machine_amd();
	fake_mount(&machine.tree, &mount);
	machine_endpoint(BYSTANDER, 0x10de, 0x1234, NULL);
	assert_int_equal(acs_of("0000:00:09.0"), ACS_NONE);
	fake_file(&machine.tree, "sys/devices/" BYSTANDER "/class", "0x030000\n");
	assert_int_equal(acs_of("0000:00:09.0"), ACS_UNKNOWN);
	fake_file(&machine.tree, "sys/devices/" BYSTANDER "/class", "0x010802\n");
	assert_int_equal(acs_of("0000:00:09.0"), ACS_NONE);
	fake_file(&machine.tree, "sys/devices/" BYSTANDER "/class", "0x030000\n");
	fake_p2pmem(&machine.tree, BYSTANDER, 1 << 20, true);
	assert_int_equal(acs_of("0000:00:09.0"), ACS_NONE);
}

/* A bridge that is not on the list of 7.3 may be on that of a later kernel. */
static void test_newer_kernel(void **state)
{
	(void)state;
	machine_intel(0x4650);
	fake_kernel(&machine.tree, "7.4.0", true);
	machine_ports(PORT_B);
	machine_judge_mount(machine_able, ANSWER_UNKNOWN, "bridge-unknown");
}

static void test_older_kernel_newer_bridge(void **state)
{
	(void)state;
	machine_intel(0x0b25);
	fake_kernel(&machine.tree, "6.12.9", true);
	machine_ports(PORT_B);
	machine_judge_mount(machine_able, ANSWER_UNKNOWN, "bridge-unknown");
}

static void test_switch(void **state)
{
	(void)state;
	machine_intel(0x4650);
	machine_switch(NO_ACS);
	machine_judge_mount(machine_able, ANSWER_YES, "route-bus");
	assert_int_equal(machine.verdict.route, ROUTE_BUS);
	assert_int_equal(machine.verdict.distance, 4);
	assert_true(machine_says("below 0000:01:00.0"));
}

/* ACS is there, but does not redirect. */
static void test_switch_acs_off(void **state)
{
	(void)state;
	machine_intel(0x4650);
	machine_switch(0x11);
	machine_judge_mount(machine_able, ANSWER_YES, "route-bus");
}

static void test_switch_acs(void **state)
{
	(void)state;
	machine_intel(0x4650);
	machine_switch(REDIRECT);
	machine_judge_mount(machine_able, ANSWER_NO, "unreachable-acs");
	assert_true(machine_says("0000:02:00.0 (ReqRedir+CmpltRedir+)"));
	assert_true(machine_says("pci=disable_acs_redir=0000:02:00.0"));
	assert_false(machine_says("0000:02:01.0 ("));
}

static void test_switch_egress_control(void **state)
{
	(void)state;
	machine_intel(0x4650);
	machine_switch(ACS_EGRESS_CONTROL);
	machine_judge_mount(machine_able, ANSWER_NO, "unreachable-acs");
	assert_true(machine_says("EgressCtrl+"));
}

static void test_switch_acs_amd(void **state)
{
	(void)state;
	machine_amd();
	machine_switch(REDIRECT);
	machine_judge_mount(machine_able, ANSWER_YES, "route-host-bridge");
}

/* The bridge that both are below counts: calc_map_type_and_dist() looks at it, too. */
static void test_common_bridge_redirects(void **state)
{
	(void)state;
	machine_intel(0x4650);
	machine_bridge(PORT_A, FAKE_ROOT_PORT, REDIRECT);
	machine_nvme(PORT_A "/0000:01:00.0");
	machine_mlx5("mlx5_0", PORT_A "/0000:01:00.1");
	machine_judge_mount(machine_able, ANSWER_NO, "unreachable-acs");
	assert_true(machine_says("at 0000:00:01.0 (ReqRedir+"));
}

/* Users cannot see ACS. */
static void test_switch_as_user(void **state)
{
	(void)state;
	machine_intel(0x4650);
	machine_switch(NO_ACS);
	fake_pci(&machine.tree, &(struct fake_pci){ DOWN_1, 0x8086, 0x1234, "pcieport",
						    FAKE_SWITCH_PORT, NO_ACS, true, NULL });
	machine_judge_mount(machine_able, ANSWER_UNKNOWN, "acs-unknown");
	assert_true(machine_says("0000:02:00.0"));
	assert_true(machine_says("run as root"));
}

/* ... but on AMD it works either way. */
static void test_switch_as_user_amd(void **state)
{
	(void)state;
	machine_amd();
	machine_switch(NO_ACS);
	fake_pci(&machine.tree, &(struct fake_pci){ DOWN_1, 0x8086, 0x1234, "pcieport",
						    FAKE_SWITCH_PORT, NO_ACS, true, NULL });
	machine_judge_mount(machine_able, ANSWER_YES, "route-either");
}

static void test_gpu(void **state)
{
	(void)state;
	machine_amd();
	machine_bridge(PORT_A, FAKE_ROOT_PORT, 0x1d);
	machine_bridge(UP, FAKE_SWITCH_PORT, NO_ACS);
	machine_bridge(DOWN_1, FAKE_SWITCH_PORT, 0);
	machine_bridge(DOWN_2, FAKE_SWITCH_PORT, 0);
	machine_endpoint(DOWN_1 "/0000:03:00.0", 0x1002, 0x740f, "amdgpu");
	fake_p2pmem(&machine.tree, DOWN_1 "/0000:03:00.0", 64ULL << 30, true);
	machine_mlx5("mlx5_0", DOWN_2 "/0000:04:00.0");
	machine_endpoint(PORT_B "/0000:05:00.0", 0x144d, 0xa80a, "nvme");
	machine_judge_mount(machine_able, ANSWER_YES, "route-bus");
	assert_int_equal(machine.shot.nproviders, 1);
	assert_true(machine.shot.providers[0].size == 64ULL << 30);
	assert_string_equal(machine.shot.pci[machine.shot.providers[0].pci].driver, "amdgpu");
}

/* Intel VMD: drives in a domain of their own, below a function of another. */
static void test_vmd(void **state)
{
	static const char port[] = "pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:06.0";

	(void)state;
	machine_intel(0x4650);
	machine_endpoint("pci0000:00/0000:00:0e.0", 0x8086, 0x201d, "vmd");
	machine_bridge(port, FAKE_ROOT_PORT, 0x1d);
	machine_nvme("pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:06.0/10000:e1:00.0");
	machine_mlx5("mlx5_0", PORT_B "/0000:81:00.0");
	machine_judge_mount(machine_able, ANSWER_NO, "unreachable-bridge");
	assert_string_equal(machine.shot.pci[machine.shot.providers[0].pci].host, "pci10000:e0");
}

static void test_iommu(void **state)
{
	(void)state;
	machine_amd();
	machine_ports(PORT_B);
	fake_file(&machine.tree, "sys/devices/" PORT_B "/0000:81:00.0/iommu_group/type",
		  "DMA-FQ\n");
	machine_judge_mount(machine_able, ANSWER_YES, "route-host-bridge");
	assert_true(machine_says("IOMMU"));
	assert_true(machine_says("DMA-FQ"));
}

static void test_bounced(void **state)
{
	(void)state;
	machine_amd();
	machine_ports(PORT_B);
	fake_file(&machine.tree, "proc/cmdline", "quiet swiotlb=65536,force\n");
	machine_judge_mount(machine_able, ANSWER_NO, "bounced");
}

/* By bus address nothing is bounced. */
static void test_not_bounced(void **state)
{
	(void)state;
	machine_amd();
	machine_switch(NO_ACS);
	fake_file(&machine.tree, "proc/cmdline", "quiet swiotlb=force\n");
	machine_judge_mount(machine_able, ANSWER_YES, "route-bus");
}

#define T(name) cmocka_unit_test_setup_teardown(test_##name, machine_setup, machine_teardown)

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
		T(bystander_is_left_alone),
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
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("nfsp2p-machines", tests, NULL, NULL);
}
