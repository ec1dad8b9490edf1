// SPDX-License-Identifier: GPL-2.0
/*
 * The capability bit of a mount: set where, and only where, the transport can
 * carry peer-to-peer memory; also after remount and beside another mount.  And
 * what the wider capability word must not have changed: the other bits.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/counters.h"
#include "../lib/lab.h"

/*
 * include/linux/nfs_fs_sb.h: NFS_CAP_READ_PLUS must be clear on RDMA, as its
 * decoder moves payload.  NFS_CAP_MOVEABLE is bit 31: read through a 32-bit
 * signed integer it would appear and disappear with the bits above.
 */
#define CAP_READ_PLUS (1ULL << 29)
#define CAP_MOVEABLE  (1ULL << 31)
#define CAP_LOW	      0xffffffffULL

static const char served[] = "10.9.9.1:" LAB_EXPORT;

static bool rdma_can(void)
{
	return !strcmp(lab_rnic(), "vrnic");
}

static uint64_t caps_of(const char *dir)
{
	struct mount_stats st;

	if (mount_stats_read(dir, &st))
		fail_msg("%s is no NFS mount", dir);
	return st.caps;
}

static void mount_it(const char *version, const char *proto)
{
	if (lab_mount(version, proto))
		fail_msg("lab-nfs up --vers %s --proto %s failed", version, proto);
}

static void check_bit(uint64_t caps, bool want, const char *when)
{
	if (!!(caps & CAP_P2PDMA) != want)
		fail_msg("%s: caps=0x%" PRIx64 ", but NFS_CAP_P2PDMA must be %s", when, caps,
			 want ? "set" : "clear");
}

static void test_mount(void **state)
{
	const char *version = *state;
	uint64_t tcp, rdma;

	mount_it(version, "tcp");
	tcp = caps_of(LAB_MOUNT);
	check_bit(tcp, false, "TCP");
	mount_it(version, "rdma");
	rdma = caps_of(LAB_MOUNT);
	check_bit(rdma, rdma_can(), "RDMA");
	assert_int_equal(rdma & CAP_READ_PLUS, 0);
	/* But for READ_PLUS, the transport changes no capability. */
	assert_int_equal(tcp & CAP_LOW & ~CAP_READ_PLUS, rdma & CAP_LOW);
	assert_int_equal(!!(rdma & CAP_MOVEABLE),
			 !strcmp(version, "4.1") || !strcmp(version, "4.2"));
	/* Nothing but the one new bit. */
	assert_int_equal(rdma >> 32, rdma_can());
}

static void test_remount(void **state)
{
	const char *version = *state;
	static const char *const ro[] = { "mount", "-o", "remount,ro", LAB_MOUNT, NULL };
	static const char *const rw[] = { "mount", "-o", "remount,rw", LAB_MOUNT, NULL };
	uint64_t caps;

	mount_it(version, "rdma");
	caps = caps_of(LAB_MOUNT);
	lab_must(ro);
	check_bit(caps_of(LAB_MOUNT), rdma_can(), "remounted read-only");
	lab_must(rw);
	assert_int_equal(caps_of(LAB_MOUNT), caps);
}

static void test_reconnect(void **state)
{
	const char *version = *state;
	static const char *const ls[] = { "ls", "-l", LAB_MOUNT, NULL };
	uint64_t caps;

	mount_it(version, "rdma");
	caps = caps_of(LAB_MOUNT);
	assert_return_code(nic_control("kill"), 0);
	lab_must(ls);
	assert_int_equal(caps_of(LAB_MOUNT), caps);
}

static void test_nconnect(void **state)
{
	const char *version = *state;
	static const char *const four[] = { "--nconnect", "4", NULL };

	/* The last of them are not connected yet when the bit is decided. */
	assert_int_equal(lab_mount_with(version, "rdma", four), 0);
	check_bit(caps_of(LAB_MOUNT), rdma_can(), "nconnect=4");
}

/*
 * NFSv4 finds out that it is the same server and shares the transport, so only
 * NFSv3 has both at once.
 */
static void test_two_mounts(void **state)
{
	static const char options[] = "vers=3,proto=tcp,port=2049,mountproto=tcp,nosharecache";
	uint64_t caps;

	(void)state;
	mount_it("3", "rdma");
	caps = caps_of(LAB_MOUNT);
	lab_mount_second(options, served);
	check_bit(caps_of(LAB_SECOND), false, "TCP beside RDMA");
	assert_int_equal(caps_of(LAB_MOUNT), caps);
	lab_unmount_second();
	assert_int_equal(caps_of(LAB_MOUNT), caps);
}

static int leave(void **state)
{
	(void)state;
	return lab_unmount();
}

#define KINDS_OF_TEST 4

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		CMUnitTestFunction func;
	} kinds[KINDS_OF_TEST] = {
		{ "mount", test_mount },
		{ "remount", test_remount },
		{ "reconnect", test_reconnect },
		{ "nconnect=4", test_nconnect },
	};
	static struct CMUnitTest tests[4 * KINDS_OF_TEST + 1];
	static char names[4 * KINDS_OF_TEST][64];
	int rc = lab_main_setup(argc, argv);
	size_t n = 0;

	if (rc)
		return rc;
	for (const char *const *v = lab_versions; *v; v++) {
		for (int k = 0; k < KINDS_OF_TEST; k++) {
			/* Only the virtual RNIC can drop its connections. */
			if (kinds[k].func == test_reconnect && !rdma_can())
				continue;
			snprintf(names[n], sizeof(names[n]), "v%s %s", *v, kinds[k].name);
			tests[n] = (struct CMUnitTest){
				.name = names[n],
				.test_func = kinds[k].func,
				.initial_state = (void *)(uintptr_t)*v,
			};
			n++;
		}
	}
	tests[n++] = (struct CMUnitTest){
		.name = "v3 second mount over TCP",
		.test_func = test_two_mounts,
	};
	return _cmocka_run_group_tests("caps", tests, n, NULL, leave);
}
