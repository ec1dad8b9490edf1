// SPDX-License-Identifier: GPL-2.0
/*
 * A write that the server has lost is sent again, and memory runs out while that is
 * done, in one place after the other.  What is not sent again must not be reported
 * as written.  Needs the debug kernel.
 *
 * The server loses it as follows.  The NIC pauses when some WRITEs are done.  Then a
 * write of somebody else fails, by TCP, for which knfsd takes another write verifier,
 * see restart.c.  What is in the file by then is overwritten.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/evidence.h"
#include "../lib/fault.h"
#include "../lib/flight.h"
#include "../lib/lab.h"
#include "../lib/nfsfile.h"
#include "../lib/pattern.h"
#include "../lib/rows.h"

#define SIZE	  (512UL << 10)
#define RPC_SIZE  "65536"
#define PAUSE	  "pause read_inv 3" /* so many WRITEs are done */
#define PORT	  "20050"
#define PORTLIST  "/proc/fs/nfsd/portlist"
#define OLD_SEED  1
#define NEW_SEED  2
#define STEP	  256 /* bytes that may be had before memory runs out grow by this */
#define MAX_TRIES 400

static struct nfsfile file = NFSFILE_CLOSED;
static struct flight flight;
static struct membuf buf;
static int other = -1;

/* The server stays when only the version of the mount changes. */
static void listen_by_tcp(void)
{
	FILE *list = fopen(PORTLIST, "re");
	bool there = false;
	char line[80];

	assert_non_null(list);
	while (fgets(line, sizeof(line), list))
		there |= !strcmp(line, "tcp " PORT "\n");
	fclose(list);
	if (!there)
		lab_put(PORTLIST, "tcp " PORT);
}

static void enter_mount(const struct subject *s)
{
	const char *const extra[] = { "-o", "wsize=" RPC_SIZE, NULL };
	static const char *const full[] = { "mount", "-o", "remount,size=2M", LAB_EXPORT, NULL };

	if (lab_mount_with(s->version, "rdma", extra))
		fail_msg("lab-nfs up --vers %s failed", s->version);
	nfsfile_open(&file, "resend", SIZE);
	nfsfile_server_fill(&file, SIZE, OLD_SEED, 0);
	listen_by_tcp();
	lab_mount_second("vers=4.1,proto=tcp,port=" PORT, "10.9.9.1:/");
	/* It is there as long as this is open. */
	other = open(LAB_SECOND "/other", O_RDWR | O_CREAT | O_DIRECT | O_CLOEXEC, 0644);
	assert_true(other >= 0);
	lab_must(full);
}

/* What was written so far is lost, and the server says so when asked to commit it. */
static void lose(void)
{
	static char data[4UL << 20];
	const struct timespec nap = { .tv_nsec = 200000000 };

	/* What was read from the client's memory gets to the file. */
	nanosleep(&nap, NULL);
	assert_true(pwrite(other, data, sizeof(data), 0) < (ssize_t)sizeof(data));
	assert_int_equal(pwrite(other, data, sizeof(data), sizeof(data)), -1);
	assert_int_equal(errno, ENOSPC);
	nfsfile_server_fill(&file, SIZE, OLD_SEED, 0);
}

/* One write, lost and sent again.  Return: did memory run out? */
static bool attempt(size_t allowance, unsigned int *whole)
{
	struct iovec iov = { buf.data, SIZE };
	ssize_t done;
	bool hit;

	nfsfile_server_fill(&file, SIZE, OLD_SEED, 0);
	assert_return_code(nic_control(PAUSE), 0);
	flight_start(&flight, true, file.client, &iov, 1);
	flight_pause(NULL);
	lose();
	fault_arm_below(allowance);
	assert_return_code(nic_control("resume"), 0);
	done = flight_end(&flight);
	hit = fault_disarm_below();
	if (done != -ENOMEM && done <= 0)
		fail_msg("the write failed: %s", strerror((int)-done));
	if (done > 0)
		nfsfile_server_check(&file, done, NEW_SEED, 0);
	if (!hit)
		assert_int_equal(done, SIZE);
	*whole += hit && done == SIZE;
	return hit;
}

static void test_resend(void **state)
{
	const struct subject *s = *state;
	unsigned int tries = 0, whole = 0;
	struct evidence before;

	enter_mount(s);
	assert_int_equal(membuf_alloc(&buf, s->kind, SIZE), 0);
	pattern_fill(buf.data, SIZE, NEW_SEED, 0);
	fault_aim("nfs_direct_write_schedule_work", "nfs");
	evidence_start(&before);
	while (attempt(tries * STEP, &whole))
		assert_true(++tries < MAX_TRIES);
	evidence_check_pins(&before);
	print_message("# memory ran out in %u places: %u writes were whole\n", tries, whole);
	/* Some are not, or nothing was sent again when memory ran out. */
	assert_true(tries > whole);
}

static int clean_up(void **state)
{
	static const char *const roomy[] = { "mount", "-o", "remount,size=75%", LAB_EXPORT, NULL };

	(void)state;
	nic_control("resume");
	flight_end(&flight);
	fault_disarm_below();
	fault_aim(NULL, NULL);
	membuf_free(&buf);
	lab_must(roomy);
	if (other >= 0) {
		close(other);
		lab_unmount_second();
	}
	other = -1;
	nfsfile_close(&file);
	return 0;
}

static const struct subject table[] = {
	{ test_resend, "v3 write RAM, resent without memory", "3", true, MEM_RAM },
	{ test_resend, "v4.2 write BAR, resent without memory", "4.2", true, MEM_BAR },
};

int main(int argc, char **argv)
{
	/* Loads the modules. */
	if (lab_mount("3", "rdma") || fault_enter())
		return 1;
	return subjects_main(argc, argv, table, sizeof(table) / sizeof(table[0]), "resend",
			     clean_up, nfsfile_leave);
}
