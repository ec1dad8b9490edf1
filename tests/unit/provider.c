// SPDX-License-Identifier: GPL-2.0
/* Are providers found by their driver, in a made-up /sys/bus/pci/devices? */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/lab.h"
#include "../lib/p2pmem.h"

static char sys[] = "/tmp/provider-XXXXXX";

static void add_device(const char *bdf, const char *driver, bool p2pmem)
{
	char path[PATH_MAX], target[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", sys, bdf);
	assert_int_equal(mkdir(path, 0755), 0);
	if (p2pmem) {
		snprintf(path, sizeof(path), "%s/%s/p2pmem", sys, bdf);
		assert_int_equal(mkdir(path, 0755), 0);
	}
	if (driver) {
		snprintf(path, sizeof(path), "%s/%s/driver", sys, bdf);
		snprintf(target, sizeof(target), "../../drivers/%s", driver);
		assert_int_equal(symlink(target, path), 0);
	}
}

static void expect_provider(enum mem_kind kind, const char *bdf)
{
	char want[PATH_MAX], got[PATH_MAX];

	snprintf(want, sizeof(want), "%s/%s/p2pmem", sys, bdf);
	assert_int_equal(p2pmem_find(sys, kind, got, sizeof(got)), 0);
	assert_string_equal(got, want);
}

static void test_find(void **state)
{
	char path[PATH_MAX];

	(void)state;
	assert_int_equal(p2pmem_find(sys, MEM_CMB, path, sizeof(path)), -ENODEV);
	add_device("0000:01:00.0", "nvme", false);
	add_device("0000:02:00.0", NULL, true);
	add_device("0000:03:00.0", "nvmetcp", true);
	assert_int_equal(p2pmem_find(sys, MEM_CMB, path, sizeof(path)), -ENODEV);
	add_device("0000:04:00.0", "nvme", true);
	add_device("0000:05:00.0", "nvme", true);
	add_device("0000:06:00.0", "barmem", true);
	expect_provider(MEM_CMB, "0000:04:00.0");
	expect_provider(MEM_BAR, "0000:06:00.0");
	assert_int_equal(p2pmem_find(sys, MEM_RAM, path, sizeof(path)), -EINVAL);
}

static void test_ram(void **state)
{
	struct membuf buf;

	(void)state;
	assert_int_equal(membuf_alloc(&buf, MEM_RAM, 5000), 0);
	assert_int_equal(buf.size, 8192);
	buf.data[8191] = 1;
	membuf_free(&buf);
	assert_null(buf.data);
	membuf_free(&buf);
}

static int make_sys(void **state)
{
	(void)state;
	return mkdtemp(sys) ? 0 : -1;
}

static int remove_sys(void **state)
{
	const char *const argv[] = { "rm", "-rf", sys, NULL };

	(void)state;
	return lab_run(argv);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_ram),
	};
	int rc = lab_main_setup(argc, argv);

	return rc ? rc : cmocka_run_group_tests_name("provider", tests, make_sys, remove_sys);
}
