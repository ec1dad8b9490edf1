// SPDX-License-Identifier: GPL-2.0
/*
 * The provider of peer-to-peer memory goes away while I/O from or to it is in
 * flight, and comes back; the RDMA device, below the same mount, is another one,
 * which cannot reach the provider, or the mount has both.  What is known of the one
 * pair must not be taken for the other.
 *
 * Runs in the topology "mixed".
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../lib/evidence.h"
#include "../lib/flight.h"
#include "../lib/io.h"
#include "../lib/lab.h"
#include "../lib/link.h"
#include "../lib/nfsfile.h"
#include "../lib/pattern.h"
#include "../lib/rows.h"

#define DRIVERS	 "/sys/bus/pci/drivers/"
#define NAME	 "provider"
#define OPTIONS	 "vers=4.2,proto=rdma,port=20049,max_connect=2"
#define SIZE	 (4UL << 20)
#define OLD_SEED 1
#define NEW_SEED 2
#define NAP	 100000 /* us */
#define PATIENCE 300	/* times */

static struct nfsfile file = NFSFILE_CLOSED;
static struct flight flight;
static struct membuf buf, ram;
static char provider[32];      /* BDF of one that is unbound, or "" */
static char near_function[32]; /* BDF of the virtual NIC that is unbound, or "" */
static pid_t unbinder;

static const char *driver_of(enum mem_kind kind)
{
	return kind == MEM_CMB ? "nvme" : "barmem";
}

static void driver_put(const char *driver, const char *what, const char *bdf)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), DRIVERS "%s/%s", driver, what);
	lab_put(path, bdf);
}

/* The first function, by address, that a driver is bound to. */
static void first_function(const char *driver, char *bdf, size_t n)
{
	char pattern[PATH_MAX];
	glob_t found;

	snprintf(pattern, sizeof(pattern), DRIVERS "%s/*:*", driver);
	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	snprintf(bdf, n, "%s", strrchr(found.gl_pathv[0], '/') + 1);
	globfree(&found);
}

/* What of the machine's address space the provider has. */
static void resources(char *text, size_t n)
{
	char path[PATH_MAX];
	size_t len;
	FILE *f;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/resource", provider);
	f = fopen(path, "re");
	assert_non_null(f);
	len = fread(text, 1, n - 1, f);
	text[len] = '\0';
	fclose(f);
}

static void wait_until_provided(enum mem_kind kind)
{
	uint64_t bytes;

	for (int i = 0; i < PATIENCE; i++) {
		if (!p2pmem_available(kind, &bytes))
			return;
		usleep(NAP);
	}
	fail_msg("the %s did not come back", mem_name(kind));
}

static void bind_provider(enum mem_kind kind)
{
	if (!provider[0])
		return;
	driver_put(driver_of(kind), "bind", provider);
	provider[0] = '\0';
	wait_until_provided(kind);
}

static void rebind(enum mem_kind kind)
{
	char before[1024], after[1024];

	first_function(driver_of(kind), provider, sizeof(provider));
	resources(before, sizeof(before));
	driver_put(driver_of(kind), "unbind", provider);
	resources(after, sizeof(after));
	assert_string_equal(after, before);
	bind_provider(kind);
}

/* Which of the two virtual NICs: the first idle one, by address, is taken. */
static void use_far_function(bool far)
{
	static const char *const del[] = { "rdma", "link", "delete", "vrnic0", NULL };
	static const char *const add[] = { "rdma",  "link",   "add",	"vrnic0", "type",
					   "vrnic", "netdev", "dummy0", NULL };

	if (far == !!near_function[0])
		return;
	lab_must(del);
	if (far) {
		first_function("vrnic", near_function, sizeof(near_function));
		driver_put("vrnic", "unbind", near_function);
	} else {
		driver_put("vrnic", "bind", near_function);
		near_function[0] = '\0';
	}
	lab_must(add);
}

static void mount_plain(const struct subject *s)
{
	nfsfile_mount(&file, s->version, "rdma", NAME, 2 * SIZE);
}

static void prepare(const struct subject *s, struct evidence *before)
{
	nfsfile_server_fill(&file, 2 * SIZE, OLD_SEED, 0);
	evidence_start(before);
	assert_int_equal(membuf_alloc(&buf, s->kind, SIZE), 0);
	if (s->write)
		pattern_fill(buf.data, SIZE, NEW_SEED, 0);
}

static void check_served(const struct subject *s)
{
	struct expected exp = { .pins = PINS_AT_LEAST };
	struct evidence before;

	prepare(s, &before);
	expected_add(&exp, s->write, s->kind, buf.data, SIZE);
	assert_int_equal(io_one(IO_SYNC, s->write, file.client, buf.data, SIZE, 0), SIZE);
	nfsfile_server_check(&file, SIZE, s->write ? NEW_SEED : OLD_SEED, 0);
	nfsfile_buffer_check(buf.data, SIZE, s->write ? NEW_SEED : OLD_SEED, 0, mem_name(s->kind));
	membuf_free(&buf);
	evidence_check(&before, &exp);
}

/* With memory behind what is refused: not even that may have been sent. */
static void check_refused(const struct subject *s)
{
	const struct expected nothing = { .pins = PINS_BALANCED };
	struct evidence before;
	struct iovec iov[2];

	prepare(s, &before);
	assert_int_equal(membuf_alloc(&ram, MEM_RAM, SIZE), 0);
	pattern_fill(ram.data, SIZE, NEW_SEED, SIZE);
	iov[0] = (struct iovec){ buf.data, SIZE };
	iov[1] = (struct iovec){ ram.data, SIZE };
	assert_int_equal(io_vec(IO_SYNC, s->write, file.client, iov, 2, 0), -EREMOTEIO);
	nfsfile_server_check(&file, 2 * SIZE, OLD_SEED, 0);
	nfsfile_buffer_check(ram.data, SIZE, NEW_SEED, SIZE, "RAM buffer");
	membuf_free(&buf);
	membuf_free(&ram);
	evidence_no_data_rpc(&before, false);
	evidence_check(&before, &nothing);
}

/* The new device is connected to, and what it can do is known, by then. */
static void check_ram(const struct subject *s)
{
	const struct subject of_ram = { .version = s->version, .write = s->write };

	check_served(&of_ram);
}

/* All of the buffer has been extracted: nobody needs its mapping any more. */
static void wait_until_pinned(const struct evidence *before)
{
	struct pin_stats now;

	for (int i = 0; i < PATIENCE; i++) {
		assert_return_code(pin_stats_read(&now), 0);
		if (now.acquired - before->pins.acquired >= SIZE / 4096)
			return;
		usleep(NAP);
	}
	fail_msg("the buffer has not been pinned");
}

static void start_unbind(enum mem_kind kind)
{
	char path[PATH_MAX];

	first_function(driver_of(kind), provider, sizeof(provider));
	snprintf(path, sizeof(path), DRIVERS "%s/unbind", driver_of(kind));
	unbinder = fork();
	assert_true(unbinder >= 0);
	if (!unbinder) {
		int fd = open(path, O_WRONLY | O_CLOEXEC);

		_exit(fd < 0 || write(fd, provider, strlen(provider)) < 0);
	}
}

static bool unbound(void)
{
	int status;

	if (waitpid(unbinder, &status, WNOHANG) != unbinder)
		return false;
	unbinder = 0;
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

static void test_unbind(void **state)
{
	const struct subject *s = *state;
	struct evidence before, after;
	struct iovec iov;

	mount_plain(s);
	prepare(s, &before);
	iov = (struct iovec){ buf.data, SIZE };
	flight_pause("pause");
	flight_start(&flight, s->write, file.client, &iov, 1);
	wait_until_pinned(&before);
	start_unbind(s->kind);
	/* Its mapping is gone by now, but for the NIC. */
	usleep(10 * NAP);
	assert_false(unbound());
	assert_false(flight_is_over(&flight));
	assert_return_code(nic_control("resume"), 0);
	assert_int_equal(flight_end(&flight), SIZE);
	if (s->write)
		nfsfile_server_check(&file, SIZE, NEW_SEED, 0);
	for (int i = 0; unbinder && i < PATIENCE; i++) {
		if (!unbound())
			usleep(NAP);
	}
	assert_int_equal(unbinder, 0);
	membuf_free(&buf);
	bind_provider(s->kind);
	evidence_check_pins(&before);
	evidence_take(&after);
	assert_int_equal(after.nic.faults, before.nic.faults);
	check_served(s);
}

static void test_verdict(void **state)
{
	const struct subject *s = *state;

	mount_plain(s);
	check_served(s);
	rebind(s->kind);
	check_served(s);
	use_far_function(true);
	check_ram(s);
	check_refused(s);
	rebind(s->kind);
	check_refused(s);
	use_far_function(false);
	check_ram(s);
	check_served(s);
}

/*
 * Session trunking: a second connection, by the device that cannot reach the
 * provider.  The first one still can, but nobody knows which of them an RPC takes.
 */
static void test_trunk(void **state)
{
	static const char *const trunk[] = { "-o", "max_connect=2", NULL };
	const struct subject *s = *state;

	nfsfile_close(&file);
	assert_int_equal(lab_mount_with(s->version, "rdma", trunk), 0);
	nfsfile_open(&file, NAME, 2 * SIZE);
	check_served(s);
	link_second_up("vrnic");
	lab_mount_second(OPTIONS, LINK_SECOND_SHARE);
	lab_unmount_second();
	check_ram(s);
	check_refused(s);
}

static int cleanup_trunk(void)
{
	membuf_free(&buf);
	membuf_free(&ram);
	nfsfile_close(&file);
	umount2(LAB_SECOND, MNT_DETACH);
	umount2(LAB_MOUNT, MNT_DETACH);
	link_second_down();
	return 0;
}

static int cleanup(void **state)
{
	const struct subject *s = *state;

	if (s->func == test_trunk)
		return cleanup_trunk();
	nic_control("resume");
	flight_end(&flight);
	if (unbinder > 0)
		waitpid(unbinder, NULL, 0);
	unbinder = 0;
	membuf_free(&buf);
	membuf_free(&ram);
	bind_provider(s->kind);
	use_far_function(false);
	return 0;
}

static const struct subject table[] = {
	{ test_unbind, "v3 write CMB, unbound in the middle", "3", true, MEM_CMB },
	{ test_unbind, "v3 read BAR, unbound in the middle", "3", false, MEM_BAR },
	{ test_verdict, "v3 read CMB, provider and device change", "3", false, MEM_CMB },
	{ test_unbind, "v4.2 write BAR, unbound in the middle", "4.2", true, MEM_BAR },
	{ test_unbind, "v4.2 read CMB, unbound in the middle", "4.2", false, MEM_CMB },
	{ test_verdict, "v4.2 write BAR, provider and device change", "4.2", true, MEM_BAR },
	{ test_trunk, "v4.2 write CMB, second connection cannot reach", "4.2", true, MEM_CMB },
	{ test_trunk, "v4.2 read BAR, second connection cannot reach", "4.2", false, MEM_BAR },
};

int main(int argc, char **argv)
{
	return subjects_main(argc, argv, table, sizeof(table) / sizeof(table[0]), "provider",
			     cleanup, nfsfile_leave);
}
