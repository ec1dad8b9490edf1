// SPDX-License-Identifier: GPL-2.0
/*
 * I/O on peer-to-peer memory while the connection breaks or the server
 * restarts.  Each RPC is sent again from, or into, the same memory, so that has
 * to stay pinned; an UNSTABLE write even until the server has committed it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "../lib/evidence.h"
#include "../lib/flight.h"
#include "../lib/lab.h"
#include "../lib/nfsfile.h"
#include "../lib/pattern.h"
#include "../lib/rows.h"
#include "../lib/server.h"

#define SIZE  (16UL << 20)
#define KILLS 4
#define EARLY (2UL << 20) /* bytes on the wire before the server goes */
/* Seconds. The client doubles its pause between connects up to 30 s, xprt_rdma.h. */
#define PATIENCE 90

static struct nfsfile file = NFSFILE_CLOSED;
static struct flight flight;
static struct membuf buf;

/* Payload that left, or came to, the subject's memory since @before. */
static uint64_t moved(const struct subject *s, const struct nic_stats *before)
{
	struct nic_stats now;

	assert_return_code(nic_stats_read(&now), 0);
	if (s->kind == MEM_RAM)
		return now.ram_read - before->ram_read;
	return s->write ? now.bus_read + now.iommu_read - before->bus_read - before->iommu_read
			: now.bus_write + now.iommu_write - before->bus_write - before->iommu_write;
}

static void wait_until_moved(const struct subject *s, const struct nic_stats *before,
			     uint64_t bytes)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	const time_t start = time(NULL);

	while (moved(s, before) < bytes) {
		if (time(NULL) - start > PATIENCE)
			fail_msg("no payload has moved for %d s", PATIENCE);
		nanosleep(&pause, NULL);
	}
}

/*
 * Start one large I/O and return at once.  With @beyond, the buffer goes on with
 * memory that must not be accessed: the I/O ends in front of it.
 */
static void start(const struct subject *s, uint64_t seed, bool beyond)
{
	static void *forbidden;
	struct iovec iov[2];

	if (!forbidden)
		forbidden = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(forbidden, MAP_FAILED);
	assert_int_equal(membuf_alloc(&buf, s->kind, SIZE), 0);
	if (s->write)
		pattern_fill(buf.data, SIZE, seed, 0);
	else
		nfsfile_server_fill(&file, SIZE, seed, 0);
	iov[0] = (struct iovec){ buf.data, SIZE };
	iov[1] = (struct iovec){ forbidden, 4096 };
	flight_start(&flight, s->write, file.client, iov, beyond ? 2 : 1);
}

static void finish(const struct subject *s, uint64_t seed)
{
	ssize_t done = flight_end(&flight);

	if (done != SIZE)
		fail_msg("I/O ended with %s", done < 0 ? strerror(-done) : "a short count");
	if (s->write)
		nfsfile_server_check(&file, SIZE, seed, 0);
	else
		nfsfile_buffer_check(buf.data, SIZE, seed, 0, mem_name(s->kind));
	membuf_free(&buf);
}

static void test_kill(void **state)
{
	const struct subject *s = *state;
	struct expected exp = { .pins = PINS_AT_LEAST, .resent = true };
	struct evidence before, after;

	nfsfile_mount(&file, s->version, "rdma", "restart", SIZE);
	evidence_start(&before);
	start(s, 900, false);
	expected_add(&exp, s->write, s->kind, buf.data, SIZE);
	for (int i = 0; i < KILLS; i++) {
		wait_until_moved(s, &before.nic, (i + 1) * (SIZE / 8));
		assert_return_code(nic_control("kill"), 0);
	}
	finish(s, 900);
	evidence_check(&before, &exp);
	evidence_take(&after);
	assert_true(after.nic.kills > before.nic.kills);
	assert_true(after.nic.connects > before.nic.connects);
}

/*
 * The server restarts in the middle of a write: its write verifier is another
 * one, so everything that was not committed has to be sent again.
 */
static void test_verifier(void **state)
{
	const struct subject *s = *state;
	struct expected exp = { .pins = PINS_AT_LEAST, .resent = true };
	struct evidence before;

	nfsfile_mount(&file, s->version, "rdma", "restart", SIZE);
	evidence_start(&before);
	start(s, 901, false);
	expected_add(&exp, s->write, s->kind, buf.data, SIZE);
	wait_until_moved(s, &before.nic, EARLY);
	/* It must not be over before the server has stopped. */
	flight_pause("pause");
	server_restart();
	assert_return_code(nic_control("resume"), 0);
	finish(s, 901);
	if (s->write && moved(s, &before.nic) <= SIZE)
		fail_msg("nothing was sent again");
	evidence_check(&before, &exp);
}

static bool export_full;

static void make_room(void)
{
	static const char *const roomy[] = { "mount", "-o", "remount,size=75%", LAB_EXPORT, NULL };

	if (export_full)
		lab_must(roomy);
	export_full = false;
}

/*
 * No restart, the same effect: when a write fails on the server, knfsd takes
 * another write verifier, as it may have lost more (fs/nfsd/vfs.c,
 * commit_reset_write_verifier()).  Only the other write must fail.
 */
static void new_verifier(const struct subject *s, bool beyond)
{
	static const char *const full[] = { "mount", "-o", "remount,size=16M", LAB_EXPORT, NULL };
	static char data[65536];
	struct expected exp = { .pins = PINS_AT_LEAST, .resent = true, .may_copy = UINT64_MAX };
	struct evidence before;
	int other;

	nfsfile_mount(&file, s->version, "rdma", "restart", SIZE);
	/* Its pages exist before the export is full. */
	nfsfile_server_fill(&file, SIZE, 1, 0);
	other = open(LAB_MOUNT "/other", O_RDWR | O_CREAT | O_DIRECT | O_CLOEXEC, 0644);
	assert_true(other >= 0);
	export_full = true;
	lab_must(full);
	evidence_start(&before);
	start(s, 902, beyond);
	expected_add(&exp, s->write, s->kind, buf.data, SIZE);
	wait_until_moved(s, &before.nic, EARLY);
	assert_int_equal(pwrite(other, data, sizeof(data), 0), -1);
	assert_int_equal(errno, ENOSPC);
	finish(s, 902);
	close(other);
	make_room();
	if (moved(s, &before.nic) <= SIZE)
		fail_msg("nothing was sent again: the other write failed too late");
	evidence_check(&before, &exp);
}

static void test_new_verifier(void **state)
{
	new_verifier(*state, false);
}

/* That the rest of the buffer is bad does not keep what was sent from being sent again. */
static void test_new_verifier_beyond(void **state)
{
	new_verifier(*state, true);
}

static int cleanup(void **state)
{
	(void)state;
	nic_control("resume");
	make_room();
	membuf_free(&buf);
	return 0;
}

/*
 * Only the mount ends. A server that goes down while a client reconnects leaks
 * the connection that it has not accepted yet (svc_rdma_free() of a listener
 * does not look at sc_accept_q), and then the RDMA device can not be removed.
 */
static int leave(void **state)
{
	static const char *const umount[] = { "umount", LAB_MOUNT, NULL };

	(void)state;
	nfsfile_close(&file);
	return lab_run(umount);
}

static const struct subject table[] = {
	{ test_kill, "v3 write CMB, connection lost", "3", true, MEM_CMB },
	{ test_kill, "v3 read BAR, connection lost", "3", false, MEM_BAR },
	{ test_verifier, "v3 write BAR, server restarted", "3", true, MEM_BAR },
	{ test_verifier, "v3 write RAM, server restarted", "3", true, MEM_RAM },
	{ test_new_verifier, "v3 write CMB, new verifier", "3", true, MEM_CMB },
	{ test_new_verifier_beyond, "v3 write RAM, bad end, new verifier", "3", true, MEM_RAM },
	{ test_kill, "v4.2 write BAR, connection lost", "4.2", true, MEM_BAR },
	{ test_kill, "v4.2 read CMB, connection lost", "4.2", false, MEM_CMB },
	{ test_kill, "v4.2 write RAM, connection lost", "4.2", true, MEM_RAM },
	{ test_new_verifier, "v4.2 write BAR, new verifier", "4.2", true, MEM_BAR },
	{ test_new_verifier_beyond, "v4.2 write CMB, bad end, new verifier", "4.2", true, MEM_CMB },
	{ test_verifier, "v4.2 write CMB, server restarted", "4.2", true, MEM_CMB },
	{ test_verifier, "v4.2 read BAR, server restarted", "4.2", false, MEM_BAR },
};

int main(int argc, char **argv)
{
	return subjects_main(argc, argv, table, sizeof(table) / sizeof(table[0]), "restart",
			     cleanup, leave);
}
