// SPDX-License-Identifier: GPL-2.0
/* One machine, and what nfsp2p makes of it: see machine.h. */
#include "machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

const struct fake_mount machine_able = {
	.target = "/mnt/nfs", .proto = "rdma", .caps = ABLE_CAPS, .p2pdma = XPRT_YES
};

struct machine machine;

/**
 * machine_setup - begin a test with an empty tree
 * @state:	of cmocka, not used
 *
 * Return: 0.
 */
int machine_setup(void **state)
{
	(void)state;
	fake_open(&machine.tree);
	return 0;
}

/**
 * machine_teardown - give back what a test has used
 * @state:	of cmocka, not used
 *
 * Return: 0.
 */
int machine_teardown(void **state)
{
	(void)state;
	verdict_free(&machine.verdict);
	snapshot_free(&machine.shot);
	fake_close(&machine.tree);
	return 0;
}

/**
 * machine_bridge - add a root port or a port of a switch
 * @path:	as in &struct fake_pci
 * @port:	which of them
 * @acs:	its ACS control register, or NO_ACS
 */
void machine_bridge(const char *path, enum fake_port port, int acs)
{
	fake_pci(&machine.tree,
		 &(struct fake_pci){ path, 0x8086, 0x1234, "pcieport", port, acs, false, NULL });
}

/**
 * machine_host_bridge - add the function that stands for a host bridge
 * @path:	as in &struct fake_pci
 * @vendor:	vendor id
 * @device:	device id
 */
void machine_host_bridge(const char *path, unsigned int vendor, unsigned int device)
{
	fake_pci(&machine.tree, &(struct fake_pci){ path, vendor, device, NULL, FAKE_OLD_PCI,
						    NO_ACS, false, NULL });
}

/**
 * machine_endpoint - add a device
 * @path:	as in &struct fake_pci
 * @vendor:	vendor id
 * @device:	device id
 * @driver:	driver, or NULL
 */
void machine_endpoint(const char *path, unsigned int vendor, unsigned int device,
		      const char *driver)
{
	fake_pci(&machine.tree, &(struct fake_pci){ path, vendor, device, driver, FAKE_ENDPOINT,
						    NO_ACS, false, NULL });
}

/**
 * machine_nvme - add an NVMe drive with a CMB of 64 MiB
 * @path:	as in &struct fake_pci
 */
void machine_nvme(const char *path)
{
	machine_endpoint(path, 0x144d, 0xa80a, "nvme");
	fake_p2pmem(&machine.tree, path, 64 << 20, true);
}

/**
 * machine_mlx5 - add an RDMA device
 * @name:	what it is called
 * @path:	of its function, as in &struct fake_pci
 */
void machine_mlx5(const char *name, const char *path)
{
	machine_endpoint(path, 0x15b3, 0x1021, "mlx5_core");
	fake_rnic(&machine.tree, name, path);
}

/**
 * machine_amd - kernel with the series, EPYC CPU, host bridge
 */
void machine_amd(void)
{
	fake_kernel(&machine.tree, KERNEL, true);
	fake_cpu(&machine.tree, "AuthenticAMD", 0x19, "AMD EPYC 7763");
	machine_host_bridge("pci0000:00/0000:00:00.0", 0x1022, 0x1480);
}

/**
 * machine_intel - kernel with the series, Xeon CPU, two host bridges
 * @bridge_device:	device id of both
 */
void machine_intel(unsigned int bridge_device)
{
	fake_kernel(&machine.tree, KERNEL, true);
	fake_cpu(&machine.tree, "GenuineIntel", 6, "Intel Xeon");
	machine_host_bridge("pci0000:00/0000:00:00.0", 0x8086, bridge_device);
	machine_host_bridge("pci0000:80/0000:80:00.0", 0x8086, bridge_device);
}

/**
 * machine_switch - provider and RDMA device below one switch
 * @acs:	ACS control register of the port above the provider, or NO_ACS
 */
void machine_switch(int acs)
{
	machine_bridge(PORT_A, FAKE_ROOT_PORT, 0x1d);
	machine_bridge(UP, FAKE_SWITCH_PORT, NO_ACS);
	machine_bridge(DOWN_1, FAKE_SWITCH_PORT, acs);
	machine_bridge(DOWN_2, FAKE_SWITCH_PORT, acs == NO_ACS ? NO_ACS : 0);
	machine_nvme(DOWN_1 "/0000:03:00.0");
	machine_mlx5("mlx5_0", DOWN_2 "/0000:04:00.0");
}

/**
 * machine_ports - provider and RDMA device on root ports
 * @second:	the RDMA device's: PORT_B below the provider's host bridge, or PORT_C
 */
void machine_ports(const char *second)
{
	char path[64];

	machine_bridge(PORT_A, FAKE_ROOT_PORT, 0x1d);
	machine_bridge(second, FAKE_ROOT_PORT, 0x1d);
	machine_nvme(PORT_A "/0000:01:00.0");
	snprintf(path, sizeof(path), "%s/0000:81:00.0", second);
	machine_mlx5("mlx5_0", path);
}

/**
 * machine_judge - judge the first mount with the first provider
 * @answer:	what the verdict must be
 * @code:	of the finding that must come first
 */
void machine_judge(enum answer answer, const char *code)
{
	assert_int_equal(snapshot_load(&machine.shot, machine.tree.root), 0);
	assert_true(machine.shot.nmounts > 0);
	assert_true(machine.shot.nproviders > 0);
	verdict_pair(&machine.shot, &machine.shot.mounts[0], &machine.shot.providers[0],
		     &machine.verdict);
	if (machine.verdict.answer != answer || strcmp(machine.verdict.findings[0].code, code))
		fail_msg("wanted %s by %s, got %s by %s: %s", answer_name(answer), code,
			 answer_name(machine.verdict.answer), machine.verdict.findings[0].code,
			 verdict_reason(&machine.verdict));
}

/**
 * machine_judge_mount - add a mount, and judge
 * @mount:	the mount
 * @answer:	as in machine_judge()
 * @code:	as in machine_judge()
 */
void machine_judge_mount(struct fake_mount mount, enum answer answer, const char *code)
{
	fake_mount(&machine.tree, &mount);
	machine_judge(answer, code);
}

/**
 * machine_says - is this text in one of the findings?
 * @text:	a part of what was found, or of what is to be done
 */
bool machine_says(const char *text)
{
	for (size_t i = 0; i < machine.verdict.nfindings; i++) {
		if (strstr(machine.verdict.findings[i].why, text) ||
		    (machine.verdict.findings[i].todo &&
		     strstr(machine.verdict.findings[i].todo, text)))
			return true;
	}
	return false;
}
