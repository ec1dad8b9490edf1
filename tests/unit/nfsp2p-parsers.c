// SPDX-License-Identifier: GPL-2.0
/* What nfsp2p reads: right from good files, and nothing worse than that from bad ones. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "../../tools/nfsp2p/counters.h"
#include "../../tools/nfsp2p/kernel.h"
#include "../../tools/nfsp2p/pciconfig.h"
#include "../../tools/nfsp2p/report.h"
#include "../../tools/nfsp2p/trace.h"
#include "../../tools/nfsp2p/tree.h"
#include "nfsp2p/machine.h"

static void load(void)
{
	assert_int_equal(snapshot_load(&machine.shot, machine.tree.root), 0);
}

static void test_mount(void **state)
{
	const struct nfs_mount *m;
	struct counters c;

	(void)state;
	fake_mount(&machine.tree, &(struct fake_mount){ .target = "/mnt/nfs",
							.proto = "rdma",
							.caps = NFS_CAP_P2PDMA | 0x17,
							.p2pdma = XPRT_YES,
							.read = 1ULL << 40 });
	load();
	assert_int_equal(machine.shot.nmounts, 1);
	m = &machine.shot.mounts[0];
	assert_string_equal(m->source, "192.0.2.1:/export");
	assert_string_equal(m->vers, "4.2");
	assert_string_equal(m->sec, "sys");
	assert_string_equal(m->pnfs, "");
	assert_int_equal(m->rsize, 1048576);
	assert_int_equal(m->wsize, 524288);
	assert_true(m->caps == (NFS_CAP_P2PDMA | 0x17));
	assert_int_equal(m->nxprts, 1);
	counters_sum(&machine.shot, m, &c);
	assert_true(c.counted);
	assert_true(c.p2p_read == 1ULL << 40);
	assert_int_equal(c.p2p_write, 2048);
	assert_int_equal(c.refused, 3);
	assert_int_equal(c.copied, 120);
}

/* A kernel without the series has four columns less: nothing is taken for them. */
static void test_mount_stock(void **state)
{
	struct counters c;

	(void)state;
	fake_mount(&machine.tree,
		   &(struct fake_mount){ .target = "/a", .proto = "rdma", .p2pdma = -1 });
	load();
	assert_int_equal(machine.shot.mounts[0].xprts[0].p2pdma, XPRT_SILENT);
	counters_sum(&machine.shot, &machine.shot.mounts[0], &c);
	assert_false(c.counted);
	assert_int_equal(c.copied, 120);
}

/* White space is written in octal, and what is mounted on top comes last. */
static void test_mount_names(void **state)
{
	(void)state;
	fake_mount(&machine.tree,
		   &(struct fake_mount){ .target = "/a\\040b\\134c", .proto = "tcp" });
	fake_mount(&machine.tree,
		   &(struct fake_mount){ .target = "/a\\040b\\134c", .proto = "rdma" });
	load();
	assert_int_equal(machine.shot.nmounts, 2);
	assert_string_equal(machine.shot.mounts[0].target, "/a b\\c");
	assert_string_equal(machine.shot.mounts[0].proto, "tcp");
	assert_string_equal(machine.shot.mounts[1].proto, "rdma");
}

static void test_mount_of_path(void **state)
{
	const struct nfs_mount *m;

	(void)state;
	fake_mount(&machine.tree, &(struct fake_mount){ .target = "/mnt", .proto = "tcp" });
	fake_mount(&machine.tree, &(struct fake_mount){ .target = "/mnt/a", .proto = "rdma" });
	load();
	assert_int_equal(mount_of_path(&machine.shot, "/mnt/a/file", &m), 0);
	assert_ptr_equal(m, &machine.shot.mounts[1]);
	assert_int_equal(mount_of_path(&machine.shot, "/mnt/ab", &m), 0);
	assert_ptr_equal(m, &machine.shot.mounts[0]);
	assert_int_equal(mount_of_path(&machine.shot, "/srv/x", &m), 0);
	assert_null(m);
}

static void test_mountstats_cut_off(void **state)
{
	char *whole;
	size_t len;

	(void)state;
	fake_mount(&machine.tree,
		   &(struct fake_mount){ .target = "/mnt", .proto = "rdma", .p2pdma = 2 });
	assert_int_equal(
		tree_read(&whole, &len, 1 << 20, machine.tree.root, "/proc/self/mountstats"), 0);
	for (size_t n = 0; n < len; n++) {
		struct nfs_mount m = { .target = (char[]){ "/mnt" } };
		char *part = malloc(n + 1);

		memcpy(part, whole, n);
		part[n] = '\0';
		mountstats_parse(part, &m, 1);
		/* Four columns, or none of them. */
		if (m.nxprts && m.xprts[0].p2pdma != XPRT_SILENT)
			assert_true(m.xprts[0].refused == 3 || n < len);
		free(part);
	}
	free(whole);
}

static void test_many_transports(void **state)
{
	(void)state;
	fake_mount(&machine.tree, &(struct fake_mount){ .target = "/mnt", .proto = "rdma" });
	for (int i = 0; i < 3 * MAX_XPRTS; i++)
		fake_append(&machine.tree, "proc/self/mountstats", "\txprt:\trdma 1 2 3\n");
	load();
	assert_int_equal(machine.shot.mounts[0].nxprts, MAX_XPRTS);
	assert_true(machine.shot.mounts[0].more_xprts);
}

static void test_unknown_p2pdma_state(void **state)
{
	(void)state;
	fake_mount(&machine.tree,
		   &(struct fake_mount){ .target = "/mnt", .proto = "rdma", .p2pdma = 7 });
	load();
	assert_int_equal(machine.shot.mounts[0].xprts[0].p2pdma, XPRT_SILENT);
}

static void test_cpuinfo(void **state)
{
	char other[] = "Processor\t: ARMv8\nFeatures\t: fp\n\n", empty[] = "";
	char hygon[] = "vendor_id\t: HygonGenuine\ncpu family\t: 24\n\n"
		       "vendor_id\t: AuthenticAMD\ncpu family\t: 25\n";
	struct kernel k = { 0 };

	(void)state;
	kernel_parse_cpuinfo(empty, &k);
	assert_int_equal(k.amd_zen, TRI_UNKNOWN);
	kernel_parse_cpuinfo(other, &k);
	assert_int_equal(k.amd_zen, TRI_NO);
	kernel_parse_cpuinfo(hygon, &k);
	assert_int_equal(k.amd_zen, TRI_NO);
}

/* Debian's modules have neither a version nor a srcversion, but a build id. */
static void test_build_id(void **state)
{
	static const unsigned char note[] = "\4\0\0\0\4\0\0\0\3\0\0\0GNU\0\xde\xad\xbe\xef";
	static const char place[] = "sys/module/nfs/notes/.note.gnu.build-id";
	struct kernel k;

	(void)state;
	fake_bytes(&machine.tree, place, note, sizeof(note) - 1);
	kernel_load(machine.tree.root, &k);
	assert_string_equal(k.version, "build id deadbeef");
	/* Cut off, and far too long. */
	fake_bytes(&machine.tree, place, note, 7);
	kernel_load(machine.tree.root, &k);
	assert_string_equal(k.version, "");
	fake_file(&machine.tree, place, "%0500d", 0);
	kernel_load(machine.tree.root, &k);
	assert_true(strlen(k.version) < sizeof(k.version));
	fake_file(&machine.tree, "sys/module/nfs/version", "7.3-1\n");
	kernel_load(machine.tree.root, &k);
	assert_string_equal(k.version, "7.3-1");
}

/* Lists that lead to themselves, or out of the data: in a buffer of that very size. */
static void test_config_bad(void **state)
{
	(void)state;
	for (size_t n = 0; n <= PCI_CONFIG_SIZE; n += n < 300 ? 1 : 97) {
		unsigned char *data = malloc(n + 1);
		struct pci_function f;

		memset(data, 0xff, n);
		pciconfig_parse(data, n, &f);
		for (size_t i = 0; i < n; i++)
			data[i] = i < 0x100 ? 0x50 : 0x10;
		pciconfig_parse(data, n, &f);
		memset(data, 0, n);
		pciconfig_parse(data, n, &f);
		assert_int_equal(f.acs, n < 256 ? ACS_UNKNOWN : ACS_NONE);
		free(data);
	}
}

static void test_connections(void **state)
{
	char text[] = "mlx5_0 rpcrdma 192.0.2.1 20049\nshort line\n\n"
		      "mlx5_1 rpcrdma fe80::1 20049 and more\nx y z port\n";
	struct rdma_conn *conns;
	size_t n;

	(void)state;
	assert_int_equal(rdma_conns_parse(text, &conns, &n), 0);
	assert_int_equal(n, 2);
	assert_string_equal(conns[1].address, "fe80::1");
	assert_int_equal(conns[1].port, 20049);
	free(conns);
}

static void test_trace(void **state)
{
	char text[] =
		"# tracer: nop p2pdma=off\n"
		" x-1 [000] ..... 1.0: nfs_p2pdma: fileid=00:2d:2 offset=0 p2pdma=unreachable\n"
		" x-1 [000] ..... 1.1: nfs_p2pdma: fileid=00:2d:2 offset=0 p2pdma=allowed\n"
		" x-1 [000] ..... 1.2: nfs_other: p2pdma=off\n";
	char none[] = " x-1 [000] ..... 1.1: nfs_p2pdma: fileid=00:2d:2 offset=0 p2pdma=allowed\n";
	char reason[8];

	(void)state;
	assert_int_equal(trace_parse(text, reason, sizeof(reason)), 0);
	assert_string_equal(reason, "unreach"); /* cut to its place */
	assert_int_equal(trace_parse(none, reason, sizeof(reason)), -ENOENT);
}

static void test_numbers(void **state)
{
	static const struct {
		const char *text;
		int rc;
		uint64_t value;
	} cases[] = {
		{ "4096\n", 0, 4096 },
		{ "0x1af4", 0, 0x1af4 },
		{ "18446744073709551615\n", 0, UINT64_MAX },
		{ "18446744073709551616\n", -EINVAL, 0 },
		{ "-1\n", -EINVAL, 0 },
		{ "12 apples\n", -EINVAL, 0 },
		{ "\n", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t value = 0;

		fake_file(&machine.tree, "n", "%s", cases[i].text);
		assert_int_equal(tree_u64(&value, machine.tree.root, "/n"), cases[i].rc);
		assert_true(value == cases[i].value);
	}
}

/* What is no regular file is not waited for. */
static void test_no_regular_file(void **state)
{
	char path[128], *data;

	(void)state;
	assert_int_equal(tree_path(path, sizeof(path), machine.tree.root, "/fifo"), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(tree_read(&data, NULL, 100, machine.tree.root, "/fifo"), -EINVAL);
	assert_int_equal(tree_read(&data, NULL, 100, machine.tree.root, "/"), -EINVAL);
	assert_int_equal(tree_read(&data, NULL, 100, "", "/dev/zero"), -EINVAL);
}

static void test_limit(void **state)
{
	size_t len;
	char *data;

	(void)state;
	fake_file(&machine.tree, "long", "%010000d", 7);
	assert_int_equal(tree_read(&data, &len, 5000, machine.tree.root, "/long"), 0);
	assert_int_equal(len, 5000);
	assert_int_equal(strlen(data), 5000);
	free(data);
}

/* Paths that go round in circles, names that are none, links to nowhere. */
static void test_hostile_sysfs(void **state)
{
	struct path path;

	(void)state;
	fake_mount(&machine.tree,
		   &(struct fake_mount){ .target = "/mnt", .proto = "rdma", .p2pdma = 2 });
	fake_link(&machine.tree, "sys/bus/pci/devices/0000:01:00.0",
		  "../../../devices/pci0000:00/0000:02:00.0/0000:01:00.0");
	fake_link(&machine.tree, "sys/bus/pci/devices/0000:02:00.0",
		  "../../../devices/pci0000:00/0000:01:00.0/0000:02:00.0");
	fake_link(&machine.tree, "sys/bus/pci/devices/0000:03:00.0", "nowhere");
	fake_file(&machine.tree, "sys/bus/pci/devices/0000:04:00.0", "a file\n");
	fake_file(&machine.tree, "sys/bus/pci/devices/0000:05:00.0/p2pmem/size", "much\n");
	fake_file(&machine.tree, "sys/bus/pci/devices/0000:05:00.0/config", "x");
	fake_file(&machine.tree, "sys/bus/pci/devices/0000:05:00.0/driver", "no link\n");
	fake_file(&machine.tree, "sys/bus/pci/devices/%n%n%s/p2pmem/size", "1\n");
	fake_file(&machine.tree, "sys/bus/pci/devices/0000:00000000000000000000000000/x", "1\n");
	fake_link(&machine.tree, "sys/class/infiniband/loop", "loop");
	fake_file(&machine.tree, "sys/class/infiniband/%s%s%n/ports/1/state", "4: ACTIVE\n");
	load();
	assert_int_equal(machine.shot.npci, 5);
	assert_int_equal(machine.shot.nproviders, 1);
	assert_int_equal(machine.shot.nrnics, 2);
	topology_path(&machine.shot, pci_find(&machine.shot, "01:00.0"),
		      pci_find(&machine.shot, "0000:05:00.0"), &path);
	assert_int_equal(path.route, ROUTE_UNKNOWN);
	for (size_t i = 0; i < machine.shot.npci; i++) {
		char text[40];

		path_text(&machine.shot, (int)i, text, sizeof(text));
	}
	for (size_t i = 0; i < machine.shot.nproviders; i++) {
		struct verdict v;

		verdict_pair(&machine.shot, &machine.shot.mounts[0], &machine.shot.providers[i],
			     &v);
		assert_int_not_equal(v.answer, ANSWER_YES);
		verdict_free(&v);
	}
}

static void test_names_of_functions(void **state)
{
	(void)state;
	assert_true(pci_is_name("0000:03:00.0"));
	assert_true(pci_is_name("03:00.0"));
	assert_true(pci_is_name("10000:e1:00.0"));
	assert_false(pci_is_name("03:00.8"));
	assert_false(pci_is_name("0000:03:00.0 "));
	assert_false(pci_is_name("nvme0n1"));
	assert_false(pci_is_name(""));
	assert_false(pci_is_name("../../../etc/passwd"));
}

static void test_sizes(void **state)
{
	char text[SIZE_TEXT];

	(void)state;
	assert_string_equal(size_text(text, 0), "0 B");
	assert_string_equal(size_text(text, 64 << 20), "64 MiB");
	assert_string_equal(size_text(text, 511), "511 B");
	assert_string_equal(size_text(text, 66977793), "63.9 MiB");
	assert_string_equal(size_text(text, UINT64_MAX), "17592186044416.0 MiB");
}

#define T(name) cmocka_unit_test_setup_teardown(test_##name, machine_setup, machine_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(mount),
		T(mount_stock),
		T(mount_names),
		T(mount_of_path),
		T(mountstats_cut_off),
		T(many_transports),
		T(unknown_p2pdma_state),
		T(cpuinfo),
		T(build_id),
		T(config_bad),
		T(connections),
		T(trace),
		T(numbers),
		T(no_regular_file),
		T(limit),
		T(hostile_sysfs),
		T(names_of_functions),
		T(sizes),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("nfsp2p-parsers", tests, NULL, NULL);
}
