// SPDX-License-Identifier: GPL-2.0
/* nfsp2p check, list and bench as scripts see them: exit codes, JSON, what is asked about. */
#include <fcntl.h>
#include <ftw.h>
#include <getopt.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "../../tools/nfsp2p/mount.h"
#include "../../tools/nfsp2p/nfsp2p.h"
#include "../../tools/nfsp2p/report.h"
#include "../lib/faketree.h"

#define SWITCH "pci0000:00/0000:00:01.0/0000:01:00.0"

static struct faketree tree;
static char output[65536];

/*
 * A drive and an RDMA device below a switch, another drive elsewhere, where an Intel
 * host bridge lets nothing pass: one good and one bad provider.
 */
static int setup(void **state)
{
	(void)state;
	fake_open(&tree);
	fake_kernel(&tree, "7.3.4-test", true);
	fake_cpu(&tree, "GenuineIntel", 6, "Intel Core");
	fake_pci(&tree, &(struct fake_pci){ "pci0000:00/0000:00:00.0", 0x8086, 0x4650, NULL,
					    FAKE_OLD_PCI, NO_ACS, false, NULL });
	fake_pci(&tree, &(struct fake_pci){ "pci0000:00/0000:00:01.0", 0x8086, 1, "pcieport",
					    FAKE_ROOT_PORT, 0, false, NULL });
	fake_pci(&tree, &(struct fake_pci){ SWITCH, 0x10b5, 1, "pcieport", FAKE_SWITCH_PORT, NO_ACS,
					    false, NULL });
	fake_pci(&tree, &(struct fake_pci){ SWITCH "/0000:03:00.0", 0x144d, 1, "nvme",
					    FAKE_ENDPOINT, NO_ACS, false, NULL });
	fake_p2pmem(&tree, SWITCH "/0000:03:00.0", 1 << 20, true);
	fake_pci(&tree, &(struct fake_pci){ SWITCH "/0000:04:00.0", 0x15b3, 1, "mlx5_core",
					    FAKE_ENDPOINT, NO_ACS, false, NULL });
	fake_rnic(&tree, "mlx5_0", SWITCH "/0000:04:00.0");
	fake_pci(&tree, &(struct fake_pci){ "pci0000:00/0000:00:05.0", 0x144d, 1, "nvme",
					    FAKE_ENDPOINT, NO_ACS, false, NULL });
	fake_p2pmem(&tree, "pci0000:00/0000:00:05.0", 1 << 20, true);
	fake_mount(&tree, &(struct fake_mount){ .target = "/mnt/nfs",
						.proto = "rdma",
						.caps = NFS_CAP_P2PDMA,
						.p2pdma = XPRT_YES });
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_close(&tree);
	return 0;
}

/* Run a command on the tree; what it prints is left in output. */
static int run_with(int (*command)(int argc, char **argv), const char *const args[])
{
	int out = dup(STDOUT_FILENO), argc = 0, rc;
	FILE *file = tmpfile();
	char *argv[16];

	for (; args[argc]; argc++)
		argv[argc] = strdup(args[argc]);
	argv[argc] = NULL;
	fflush(stdout);
	assert_true(dup2(fileno(file), STDOUT_FILENO) >= 0);
	setenv("NFSP2P_ROOT", tree.root, 1);
	optind = 0; /* getopt(3): begin anew */
	rc = command(argc, argv);
	fflush(stdout);
	assert_true(dup2(out, STDOUT_FILENO) >= 0);
	close(out);
	rewind(file);
	output[fread(output, 1, sizeof(output) - 1, file)] = '\0';
	fclose(file);
	for (int i = 0; i < argc; i++)
		free(argv[i]);
	return rc;
}

#define CHECK(...) run_with(cmd_check, (const char *const[]){ "check", __VA_ARGS__ })
#define LIST(...)  run_with(cmd_list, (const char *const[]){ "list", __VA_ARGS__ })

static void test_exit_codes(void **state)
{
	(void)state;
	assert_int_equal(CHECK(NULL), EXIT_NO);
	assert_int_equal(CHECK("--any", NULL), EXIT_YES);
	assert_int_equal(CHECK("--provider", "0000:03:00.0", NULL), EXIT_YES);
	assert_int_equal(CHECK("--provider", "03:00.0", NULL), EXIT_YES);
	assert_int_equal(CHECK("--provider", "00:05.0", NULL), EXIT_NO);
	assert_int_equal(CHECK("--any", "--provider", "00:05.0", NULL), EXIT_NO);
	assert_int_equal(CHECK("/mnt/nfs/file", "--any", NULL), EXIT_YES);
}

/* Never 0 for "could not tell". */
static void test_exit_unknown(void **state)
{
	(void)state;
	fake_file(&tree, "rdma-connections", "nothing\n");
	fake_rnic(&tree, "mlx5_1", "pci0000:00/0000:00:05.0");
	fake_file(&tree, "rdma-connections", "nothing\n");
	assert_int_equal(CHECK("--provider", "03:00.0", NULL), EXIT_UNKNOWN);
	assert_int_equal(CHECK("--any", NULL), EXIT_UNKNOWN);
	fake_file(&tree, "proc/self/mountstats", "x\n");
	assert_int_equal(CHECK(NULL), EXIT_UNKNOWN);
}

static void test_exit_usage(void **state)
{
	(void)state;
	assert_int_equal(CHECK("--nonsense", NULL), EXIT_USAGE);
	assert_int_equal(CHECK("--provider", NULL), EXIT_USAGE);
	assert_int_equal(CHECK("--provider", "nvme0", NULL), EXIT_USAGE);
	assert_int_equal(CHECK("--probe", NULL), EXIT_USAGE);
	assert_int_equal(LIST("--nonsense", NULL), EXIT_USAGE);
	assert_int_equal(LIST("argument", NULL), EXIT_USAGE);
}

static void test_not_a_provider(void **state)
{
	(void)state;
	assert_int_equal(CHECK("--provider", "0000:04:00.0", NULL), EXIT_NO);
	assert_non_null(strstr(output, "0000:04:00.0 offers no P2P memory"));
	assert_int_equal(CHECK("--provider", "0000:99:00.0", NULL), EXIT_NO);
	assert_non_null(strstr(output, "0000:99:00.0 does not exist"));
}

static void test_not_on_nfs(void **state)
{
	(void)state;
	assert_int_equal(CHECK("/home", NULL), EXIT_NO);
	assert_non_null(strstr(output, "/home is not on NFS"));
	assert_int_equal(CHECK("--any", "/home", "/mnt/nfs", NULL), EXIT_YES);
}

static void test_no_mount(void **state)
{
	(void)state;
	fake_file(&tree, "proc/self/mountinfo", "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n");
	assert_int_equal(CHECK(NULL), EXIT_NO);
	assert_non_null(strstr(output, "no NFS mount and 0000:00:05.0: no\n"));
	assert_non_null(strstr(output, "no NFS mount and 0000:03:00.0: no\n"
				       "    no: nothing is mounted by NFS here"));
	assert_non_null(strstr(output, "info: mlx5_0 (0000:04:00.0) reaches 0000:03:00.0"));
	assert_int_equal(CHECK("--any", NULL), EXIT_NO);
	assert_int_equal(CHECK("--provider", "03:00.0", NULL), EXIT_NO);
	assert_null(strstr(output, "0000:00:05.0"));
	assert_int_equal(CHECK("--provider", "04:00.0", NULL), EXIT_NO);
	assert_non_null(strstr(output, "offers no P2P memory"));
}

static void test_no_tree(void **state)
{
	(void)state;
	assert_int_equal(CHECK("--root", "/nonexistent", NULL), EXIT_UNKNOWN);
}

static struct json_object *get(struct json_object *o, const char *key)
{
	struct json_object *value = NULL;

	assert_true(json_object_object_get_ex(o, key, &value));
	return value;
}

static void assert_text(struct json_object *o, const char *key, const char *want)
{
	assert_string_equal(json_object_get_string(get(o, key)), want);
}

/* Which modules are loaded, of which version and series. */
static void test_versions(void **state)
{
	struct json_object *o;

	(void)state;
	fake_file(&tree, "sys/module/nfs/version", "0.1.0+f34210f2e6e0\n");
	fake_file(&tree, "sys/module/rpcrdma/version", "0.1.0+f34210f2e6e0\n");
	assert_int_equal(CHECK(NULL), EXIT_NO);
	assert_non_null(strstr(output, "nfs loaded (version 0.1.0, series f34210f2e6e0), rpcrdma "
				       "loaded, P2PDMA"));
	fake_file(&tree, "sys/module/rpcrdma/version", "0.0.9+000000000000\n");
	assert_int_equal(CHECK(NULL), EXIT_NO);
	assert_non_null(strstr(output, "rpcrdma loaded (0.0.9+000000000000), P2PDMA"));
	assert_int_equal(CHECK("--json", NULL), EXIT_NO);
	o = json_tokener_parse(output);
	assert_text(get(o, "kernel"), "nfs_series", "f34210f2e6e0");
	json_object_put(o);
}

static void test_check_json(void **state)
{
	struct json_object *o, *pairs, *pair;

	(void)state;
	assert_int_equal(CHECK("--json", NULL), EXIT_NO);
	o = json_tokener_parse(output);
	assert_non_null(o);
	assert_text(o, "usable", "no");
	assert_text(get(o, "kernel"), "release", "7.3.4-test");
	pairs = get(o, "pairs");
	assert_int_equal(json_object_array_length(pairs), 2);
	pair = json_object_array_get_idx(pairs, 0);
	assert_text(pair, "provider", "0000:00:05.0");
	assert_text(pair, "usable", "no");
	pair = json_object_array_get_idx(pairs, 1);
	assert_text(pair, "provider", "0000:03:00.0");
	assert_text(pair, "usable", "yes");
	assert_text(pair, "route", "bus-address");
	assert_text(get(pair, "mount"), "target", "/mnt/nfs");
	assert_text(json_object_array_get_idx(get(pair, "findings"), 0), "code", "route-bus");
	json_object_put(o);
}

#define BAD "\xef\xbf\xbd"

static void test_json_text(void **state)
{
	static const char *const rows[][2] = {
		{ "", "" },
		{ "plain", "plain" },
		/* The first and the last character of each length. */
		{ "\x01\x7f", "\x01\x7f" },
		{ "\xc2\x80\xdf\xbf", "\xc2\x80\xdf\xbf" },
		{ "\xe0\xa0\x80\xef\xbf\xbf", "\xe0\xa0\x80\xef\xbf\xbf" },
		{ "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf" },
		{ "\xed\x9f\xbf\xee\x80\x80", "\xed\x9f\xbf\xee\x80\x80" },
		/* Latin-1; continuations alone; cut off at the end, and before a letter. */
		{ "caf\xe9", "caf" BAD },
		{ "\x80z\xbf", BAD "z" BAD },
		{ "\xc2", BAD },
		{ "\xe2\x82", BAD BAD },
		{ "\xe2\x82z", BAD BAD "z" },
		{ "\xf0\x9f\x98", BAD BAD BAD },
		/* Longer than need be; surrogates; too large; never used. */
		{ "\xc0\xaf", BAD BAD },
		{ "\xe0\x9f\xbf", BAD BAD BAD },
		{ "\xf0\x8f\xbf\xbf", BAD BAD BAD BAD },
		{ "\xed\xa0\x80", BAD BAD BAD },
		{ "\xf4\x90\x80\x80", BAD BAD BAD BAD },
		{ "\xf5\xff", BAD BAD },
	};

	(void)state;
	assert_null(json_text(NULL));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct json_object *o = json_text(rows[i][0]);

		assert_string_equal(json_object_get_string(o), rows[i][1]);
		json_object_put(o);
	}
}

/* JSON with no bytes in it that UTF-8 never has. */
static struct json_object *parse_utf8(void)
{
	struct json_object *o = json_tokener_parse(output);

	assert_non_null(o);
	assert_null(strpbrk(output, "\xe9\xfe\xff"));
	return o;
}

static void test_json_names(void **state)
{
	struct json_object *o, *pair;

	(void)state;
	fake_mount(&tree, &(struct fake_mount){ .target = "/mnt/caf\xe9",
						.proto = "tcp",
						.caps = NFS_CAP_P2PDMA,
						.p2pdma = XPRT_YES });
	assert_int_equal(CHECK("--json", "/mnt/caf\xe9/\xff", "/caf\xe9", NULL), EXIT_NO);
	o = parse_utf8();
	pair = json_object_array_get_idx(get(o, "pairs"), 0);
	assert_text(pair, "path", "/mnt/caf" BAD "/" BAD);
	assert_text(get(pair, "mount"), "target", "/mnt/caf" BAD);
	json_object_put(o);
	fake_file(&tree, "sys/class/infiniband/\xff\xfe/ports/1/state", "4: ACTIVE\n");
	assert_int_equal(LIST("--json", NULL), EXIT_YES);
	json_object_put(parse_utf8());
}

static char scratch[PATH_MAX];

/* A file that does not exist, where direct I/O is done. */
static char *scratch_file(void)
{
	snprintf(scratch, sizeof(scratch), "%s/scratch", tree.root);
	return scratch;
}

#define BENCH(...)                                                                                 \
	run_with(cmd_bench, (const char *const[]){ "bench", "--mem", "host", "--seconds", "0.01",  \
						   "--depths", "1", __VA_ARGS__ })

/* Blocks that are larger than the file do not cost the results of the others. */
static void test_bench_large_blocks(void **state)
{
	struct json_object *o, *rows;

	(void)state;
	assert_int_equal(BENCH("--size", "512K", scratch_file(), NULL), EXIT_YES);
	assert_non_null(strstr(output, "write     64K     1 "));
	assert_non_null(strstr(output, "read    1024K     1 left out: larger than"));
	assert_int_equal(BENCH("--json", "--size", "512K", scratch_file(), NULL), EXIT_YES);
	o = json_tokener_parse(output);
	rows = get(o, "results");
	assert_int_equal(json_object_array_length(rows), 6);
	assert_null(get(json_object_array_get_idx(rows, 0), "left_out"));
	assert_non_null(get(json_object_array_get_idx(rows, 0), "host"));
	assert_non_null(get(json_object_array_get_idx(rows, 2), "left_out"));
	assert_null(get(json_object_array_get_idx(rows, 2), "host"));
	json_object_put(o);
	snprintf(scratch, sizeof(scratch), "%s/caf\xe9", tree.root);
	assert_int_equal(BENCH("--json", "--size", "4K", "--blocks", "4K", scratch, NULL),
			 EXIT_YES);
	json_object_put(parse_utf8());
	/* None fits: nothing is measured. */
	assert_int_equal(BENCH("--size", "8K", "--blocks", "64K,1M", scratch_file(), NULL),
			 EXIT_NO);
	assert_string_equal(output, "");
	assert_int_equal(access(scratch, F_OK), -1);
}

/* Nobody gets the answer: one line says so. */
static void full(int (*command)(int argc, char **argv), const char *const args[], int code)
{
	int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO), argc = 0, rc;
	int messages = memfd_create("messages", MFD_CLOEXEC), device = open("/dev/full", O_WRONLY);
	char *argv[16], *text = output;

	for (; args[argc]; argc++)
		argv[argc] = strdup(args[argc]);
	argv[argc] = NULL;
	fflush(stdout);
	assert_true(dup2(device, STDOUT_FILENO) >= 0 && dup2(messages, STDERR_FILENO) >= 0);
	optind = 0;
	rc = command(argc, argv);
	/* What was not written is not for our own output. */
	__fpurge(stdout);
	clearerr(stdout);
	assert_true(dup2(out, STDOUT_FILENO) >= 0 && dup2(err, STDERR_FILENO) >= 0);
	text[pread(messages, text, sizeof(output) - 1, 0)] = '\0';
	for (int i = 0; i < argc; i++)
		free(argv[i]);
	close(out);
	close(err);
	close(messages);
	close(device);
	assert_int_equal(rc, code);
	assert_non_null(strstr(text, "cannot write"));
	assert_non_null(strstr(text, "No space left on device"));
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

#define FULL(command, code, ...) full(command, (const char *const[]){ __VA_ARGS__, NULL }, code)

static void test_full_output(void **state)
{
	(void)state;
	setenv("NFSP2P_ROOT", tree.root, 1);
	FULL(cmd_list, EXIT_NO, "list");
	FULL(cmd_list, EXIT_NO, "list", "--json");
	FULL(cmd_check, EXIT_UNKNOWN, "check");
	FULL(cmd_check, EXIT_UNKNOWN, "check", "--json");
	FULL(cmd_bench, EXIT_NO, "bench", "--mem", "host", "--seconds", "0.01", "--size", "64K",
	     "--blocks", "4K", scratch_file());
	FULL(cmd_bench, EXIT_NO, "bench", "--json", "--mem", "host", "--seconds", "0.01", "--size",
	     "64K", "--blocks", "4K", scratch_file());
}

/* One line for the pair, one for each finding, the decisive one first. */
static void test_check_text(void **state)
{
	(void)state;
	assert_int_equal(CHECK("--provider", "00:05.0", NULL), EXIT_NO);
	assert_non_null(strstr(output,
			       "kernel 7.3.4-test: nfs loaded (0123456789ABCDEF, out of tree), "
			       "rpcrdma loaded, P2PDMA supported and turned on\n"));
	assert_non_null(strstr(output,
			       "/mnt/nfs (192.0.2.1:/export, NFSv4.2, rdma, sec=sys) and "
			       "0000:00:05.0: no\n    no: mlx5_0 (0000:04:00.0) cannot reach"));
	assert_non_null(strstr(output, "; to do: "));
}

static void test_list_text(void **state)
{
	(void)state;
	assert_int_equal(LIST(NULL), EXIT_YES);
	assert_non_null(strstr(output, "0000:03:00.0  nvme            1 MiB"));
	assert_non_null(strstr(output, "  below 0000:01:00.0 > 0000:00:01.0 > pci0000:00\n"));
	assert_non_null(strstr(output, "mlx5_0        0000:04:00.0  mlx5_core"));
}

static void test_list_json(void **state)
{
	struct json_object *o, *provider;

	(void)state;
	assert_int_equal(LIST("--json", NULL), EXIT_YES);
	o = json_tokener_parse(output);
	assert_non_null(o);
	provider = json_object_array_get_idx(get(o, "providers"), 1);
	assert_text(provider, "bdf", "0000:03:00.0");
	assert_text(provider, "size", "1048576");
	assert_int_equal(json_object_array_length(get(provider, "bridges")), 2);
	assert_text(json_object_array_get_idx(get(o, "rdma_devices"), 0), "bdf", "0000:04:00.0");
	json_object_put(o);
}

static char paths[256][PATH_MAX];
static size_t npaths;

static int remember(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	if (type == FTW_F || type == FTW_SL) {
		assert_true(npaths < sizeof(paths) / sizeof(paths[0]));
		snprintf(paths[npaths++], PATH_MAX, "%s", path);
	}
	return 0;
}

/* Something else in the place of a file. */
static void put_odd(const char *path, int variant)
{
	static const char *const contents[] = { "", "\n", "-1\n", "18446744073709551616\n",
						"%s%n\xff\xfe\x80 \\777 - nfs4 \n - nfs4\n" };
	FILE *f;

	if (variant == 0)
		return; /* nothing there */
	if (variant == 1) {
		assert_int_equal(mkdir(path, 0755), 0);
		return;
	}
	if (variant == 2) {
		assert_int_equal(symlink(path, path), 0);
		return;
	}
	f = fopen(path, "w");
	assert_non_null(f);
	if (variant < 8)
		fputs(contents[variant - 3], f);
	for (int i = 0; variant == 8 && i < 20000; i++)
		fputs("rdma 7 0000:03:00.0 ", f);
	fclose(f);
}

/* One file is not what it should be, each of them, in each way: an answer, or none. */
static void test_odd_files(void **state)
{
	char aside[PATH_MAX];

	(void)state;
	npaths = 0;
	assert_int_equal(nftw(tree.root, remember, 16, FTW_PHYS), 0);
	assert_true(npaths > 40);
	snprintf(aside, sizeof(aside), "%s/aside", tree.root);
	for (size_t i = 0; i < npaths; i++) {
		for (int variant = 0; variant < 9; variant++) {
			assert_int_equal(rename(paths[i], aside), 0);
			put_odd(paths[i], variant);
			assert_in_range(LIST(NULL), EXIT_YES, EXIT_UNKNOWN);
			assert_in_range(CHECK("--json", NULL), EXIT_YES, EXIT_UNKNOWN);
			remove(paths[i]);
			assert_int_equal(rename(aside, paths[i]), 0);
		}
	}
	assert_int_equal(LIST("--json", NULL), EXIT_YES);
	assert_int_equal(CHECK("--any", NULL), EXIT_YES);
}

/* More bridges above each other than there can be, all of which redirect; long names. */
static void test_odd_machine(void **state)
{
	char path[2048] = "pci0000:80", name[300];

	(void)state;
	for (unsigned int i = 0; i < 60; i++) {
		snprintf(path + strlen(path), sizeof(path) - strlen(path), "/0000:%02x:00.0",
			 0x90 + i);
		fake_pci(&tree,
			 &(struct fake_pci){ strlen(path) < 400 ? path : SWITCH "/x", 1, 1,
					     "pcieport", FAKE_SWITCH_PORT, 0x1d, false, NULL });
	}
	memset(name, 'n', 250);
	snprintf(name + 250, sizeof(name) - 250, "/ports/1/state");
	snprintf(path, sizeof(path), "sys/class/infiniband/%s", name);
	fake_file(&tree, path, "4: ACTIVE\n");
	fake_file(&tree, "sys/class/infiniband/\xff\xfe/ports/x/state", "4: ACTIVE\n");
	fake_file(&tree, "sys/class/infiniband/mlx5_9/ports/1/gid_attrs/ndevs/0", "%0300d\n", 0);
	fake_link(&tree, "sys/bus/pci/devices/0000:77:00.0", "0000:77:00.0");
	fake_file(&tree, "sys/bus/pci/devices/ffff:76:00.0/p2pmem/size", "1\n");
	assert_int_equal(LIST(NULL), EXIT_YES);
	assert_int_equal(LIST("--json", NULL), EXIT_YES);
	assert_int_equal(CHECK("--json", NULL), EXIT_NO);
	assert_int_equal(CHECK("--any", NULL), EXIT_YES);
}

static void test_help(void **state)
{
	(void)state;
	assert_int_equal(CHECK("--help", NULL), EXIT_YES);
	assert_non_null(strstr(output, "Examples:"));
	assert_int_equal(LIST("--help", NULL), EXIT_YES);
	assert_non_null(strstr(output, "Examples:"));
}

#define T(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(exit_codes), T(exit_unknown),	      T(exit_usage),  T(not_a_provider),
		T(not_on_nfs), T(no_mount),	      T(versions),    T(no_tree),
		T(check_json), T(check_text),	      T(list_text),   T(list_json),
		T(odd_files),  T(odd_machine),	      T(help),	      T(json_text),
		T(json_names), T(bench_large_blocks), T(full_output),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("nfsp2p-commands", tests, NULL, NULL);
}
