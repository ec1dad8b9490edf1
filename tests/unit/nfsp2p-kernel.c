// SPDX-License-Identifier: GPL-2.0
/*
 * What nfsp2p says of kernels, of machines on which nothing is mounted, and of what the
 * kernel has counted.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../tools/nfsp2p/counters.h"
#include "../../tools/nfsp2p/kernel.h"
#include "nfsp2p/machine.h"

#define LTS	 "6.12.94+deb13-amd64"
#define SWITCHES "sys/kernel/sunrpc/xprt-switches/"

/* As the file of linux-image-6.12 has them, with what is around. */
static const char lts_config[] = "CONFIG_PCI=y\n"
				 "CONFIG_PCI_PASID=y\n"
				 "# CONFIG_PCI_P2PDMA is not set\n"
				 "CONFIG_PCI_LABEL=y\n";

static void load(void)
{
	assert_int_equal(snapshot_load(&machine.shot, machine.tree.root), 0);
}

/* Debian 13 with its own kernel: no provider, as there can be none. */
static void debian_lts(void)
{
	fake_kernel(&machine.tree, LTS, false);
	fake_cpu(&machine.tree, "AuthenticAMD", 0x19, "AMD EPYC 7763");
	machine_bridge(PORT_A, FAKE_ROOT_PORT, 0x1d);
	machine_endpoint(PORT_A "/0000:01:00.0", 0x144d, 0xa80a, "nvme");
	machine_mlx5("mlx5_0", PORT_B "/0000:81:00.0");
	fake_mount(&machine.tree, &(struct fake_mount){ .target = "/mnt/nfs",
							.proto = "rdma",
							.caps = 0xdffbfe3f,
							.p2pdma = -1 });
}

static void expect_no_p2pdma(const char *source)
{
	struct verdict *v = &machine.verdict;

	load();
	assert_int_equal(machine.shot.nproviders, 0);
	assert_int_equal(machine.shot.kernel.p2pdma, TRI_NO);
	verdict_mount(&machine.shot, &machine.shot.mounts[0], v);
	assert_int_equal(v->answer, ANSWER_NO);
	assert_string_equal(v->findings[0].code, "no-p2pdma");
	assert_true(machine_says(LTS));
	assert_true(machine_says(source));
	assert_true(machine_says("trixie-backports"));
	/* Modules cannot help, so nobody is told to install them. */
	assert_false(machine_says("nfs-p2pdma"));
}

static void test_debian_lts(void **state)
{
	(void)state;
	debian_lts();
	fake_file(&machine.tree, "boot/config-" LTS, "%s", lts_config);
	expect_no_p2pdma("/boot/config-" LTS);
}

/* In a container there is no /boot: the kernel's symbols tell. */
static void test_symbols(void **state)
{
	(void)state;
	debian_lts();
	fake_file(&machine.tree, "proc/kallsyms",
		  "0000000000000000 T pci_enable_device\n"
		  "0000000000000000 t pci_p2pdma_add_resource_not\n");
	expect_no_p2pdma("/proc/kallsyms");
}

static void test_symbols_there(void **state)
{
	(void)state;
	debian_lts();
	fake_file(&machine.tree, "proc/kallsyms",
		  "0000000000000000 T pci_enable_device\n"
		  "0000000000000000 T pci_p2pdma_add_resource\n");
	load();
	assert_int_equal(machine.shot.kernel.p2pdma, TRI_YES);
}

/* That there is no provider proves nothing. */
static void test_config_unknown(void **state)
{
	(void)state;
	debian_lts();
	load();
	assert_int_equal(machine.shot.kernel.p2pdma, TRI_UNKNOWN);
	assert_null(verdict_pick(&machine.shot, &(struct endpoint){ .pci = NO_PCI }, 1, 4096,
				 &machine.verdict));
	assert_string_equal(machine.verdict.findings[0].code, "no-provider");
	assert_true(machine_says("not known if the kernel is built with CONFIG_PCI_P2PDMA"));
}

static void test_config_text(void **state)
{
	(void)state;
	assert_int_equal(kernel_parse_config(lts_config), TRI_NO);
	assert_int_equal(kernel_parse_config("CONFIG_PCI=y\nCONFIG_PCI_P2PDMA=y"), TRI_YES);
	assert_int_equal(kernel_parse_config("CONFIG_PCI=y\nCONFIG_PCI_P2PDMA=yes\n"), TRI_NO);
	assert_int_equal(kernel_parse_config("CONFIG_PCI=y\n#CONFIG_PCI_P2PDMA=y\n"), TRI_NO);
	assert_int_equal(kernel_parse_config("<html>\n"), TRI_UNKNOWN);
	assert_int_equal(kernel_parse_config(""), TRI_UNKNOWN);
	assert_int_equal(kernel_parse_config("\n\n"), TRI_UNKNOWN);
}

/* The modules of the packages say which series they have: packaging/README.md. */
static void test_series(void **state)
{
	static const struct {
		const char *version, *series;
	} rows[] = {
		{ "0.1.0+f34210f2e6e0", "f34210f2e6e0" },
		{ "0.1.0+dfsg+f34210f2e6e0", "f34210f2e6e0" },
		{ "7.3.4-1+deb13", "" },
		{ "0.1.0+f34210f2e6e", "" },
		{ "0.1.0+f34210f2e6eZ", "" },
		{ "+", "" },
	};
	char path[128];
	struct kernel k;

	(void)state;
	machine_amd();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fake_file(&machine.tree, "sys/module/nfs/version", "%s\n", rows[i].version);
		kernel_load(machine.tree.root, &k);
		assert_string_equal(k.version, rows[i].version);
		assert_string_equal(k.series_id, rows[i].series);
	}
	/* A version of that kind proves no series. */
	fake_kernel(&machine.tree, KERNEL, false);
	snprintf(path, sizeof(path), "%s/sys/module/nfs/parameters/p2pdma", machine.tree.root);
	assert_int_equal(remove(path), 0);
	fake_file(&machine.tree, "sys/module/nfs/version", "0.1.0+f34210f2e6e0\n");
	kernel_load(machine.tree.root, &k);
	assert_string_equal(k.series_id, "");
}

static void judge_machine(const char *first)
{
	load();
	verdict_machine(&machine.shot, machine.shot.nproviders ? machine.shot.providers : NULL,
			&machine.verdict);
	assert_int_equal(machine.verdict.answer, ANSWER_NO);
	assert_string_equal(machine.verdict.findings[0].code, first);
	assert_true(machine_says("nothing is mounted by NFS"));
}

/* As after booting, before anything is mounted. */
static void unmounted(void)
{
	fake_file(&machine.tree, "proc/self/mountinfo", "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n");
}

/* Nothing but the mount is missing: the way is told. */
static void test_no_mount(void **state)
{
	(void)state;
	machine_amd();
	machine_ports(PORT_B);
	unmounted();
	judge_machine("no-mount");
	assert_true(machine_says("mlx5_0 (0000:81:00.0) reaches 0000:01:00.0 through the host "
				 "bridge"));
	assert_true(machine_says("proto=rdma,port=20049"));
}

static void test_no_mount_unreachable(void **state)
{
	(void)state;
	machine_intel(0x4650);
	machine_ports(PORT_B);
	unmounted();
	judge_machine("unreachable-bridge");
}

static void test_no_mount_virtual(void **state)
{
	(void)state;
	machine_amd();
	machine_nvme(PORT_A "/0000:01:00.0");
	fake_rnic(&machine.tree, "rxe0", NULL);
	unmounted();
	judge_machine("virtual-dma");
}

static void test_no_rdma(void **state)
{
	(void)state;
	machine_amd();
	machine_nvme(PORT_A "/0000:01:00.0");
	unmounted();
	judge_machine("no-rdma");
}

static void test_nothing(void **state)
{
	(void)state;
	debian_lts();
	fake_file(&machine.tree, "boot/config-" LTS, "%s", lts_config);
	unmounted();
	judge_machine("no-p2pdma");
	assert_true(machine_says("no p2pmem/ in sysfs"));
}

static void fake_counts(const char *xprt, const char *read, const char *write)
{
	char path[128];

	snprintf(path, sizeof(path), SWITCHES "%s/p2pdma_read_bytes", xprt);
	fake_file(&machine.tree, path, "%s\n", read);
	snprintf(path, sizeof(path), SWITCHES "%s/p2pdma_write_bytes", xprt);
	fake_file(&machine.tree, path, "%s\n", write);
	snprintf(path, sizeof(path), SWITCHES "%s/p2pdma_refused", xprt);
	fake_file(&machine.tree, path, "1\n");
}

/* Data servers' transports are in switches of their own. */
static void test_counters_of_machine(void **state)
{
	struct counters c = { .copied = 7 };

	(void)state;
	counters_of_machine(machine.tree.root, &c);
	assert_false(c.counted);
	fake_counts("switch-0/xprt-0-rdma", "1000", "20");
	fake_counts("switch-1/xprt-3-rdma", "4096", "1");
	fake_counts("switch-1/xprt-4-rdma", "5", "0");
	/* One that is closed, one of a kernel without the series, and what is no transport. */
	fake_counts("switch-2/xprt-5-rdma", "<closed>", "<closed>");
	fake_file(&machine.tree, SWITCHES "switch-3/xprt-6-tcp/dstaddr", "192.0.2.1\n");
	fake_counts("switch-1/other", "9999", "9999");
	counters_of_machine(machine.tree.root, &c);
	assert_true(c.counted && c.of_machine);
	assert_int_equal(c.p2p_read, 5101);
	assert_int_equal(c.p2p_write, 21);
	assert_int_equal(c.refused, 3);
	assert_int_equal(c.copied, 7);
}

#define T(name) cmocka_unit_test_setup_teardown(test_##name, machine_setup, machine_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(debian_lts),	     T(symbols), T(symbols_there), T(config_unknown),
		T(config_text),	     T(series),	 T(no_mount),	   T(no_mount_unreachable),
		T(no_mount_virtual), T(no_rdma), T(nothing),	   T(counters_of_machine),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("nfsp2p-kernel", tests, NULL, NULL);
}
