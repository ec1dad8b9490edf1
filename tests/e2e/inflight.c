// SPDX-License-Identifier: GPL-2.0
/*
 * The RDMA device changes while I/O from or to peer-to-peer memory is in flight,
 * and the new one cannot carry that.  The I/O ends at the bytes that were
 * acknowledged, and committed, without a gap from its start: a short count if there
 * are any, -EREMOTEIO if not.  Nothing is sent again from such memory, not even
 * what the server has lost.
 *
 * The virtual NIC stops at a certain message, so that how far the I/O has got is no
 * matter of luck.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../lib/evidence.h"
#include "../lib/flight.h"
#include "../lib/io.h"
#include "../lib/lab.h"
#include "../lib/link.h"
#include "../lib/nfsfile.h"
#include "../lib/pattern.h"
#include "../lib/rows.h"
#include "../lib/server.h"

#define SIZE	 (16UL << 20)
#define PART	 (2UL << 20) /* of an iovec; several WRITEs */
#define WSIZE	 (1UL << 20)
#define PATIENCE 5 /* s, for the client to hear of replies */
#define ATTEMPTS 3
#define TRIAL	 1 /* seeds */
#define OLD_SEED 2
#define NEW_SEED 3
#define RAM_SEED 4
#define REPLIES	 12 /* of those to a WRITE or READ of SIZE that arrive */

static struct nfsfile file = NFSFILE_CLOSED;
static struct flight flight;
static struct membuf ram, p2p;

static void fill(const struct subject *s, size_t len, uint64_t seed)
{
	if (s->write)
		pattern_fill(p2p.data, len, seed, 0);
	else
		nfsfile_server_fill(&file, len, seed, 0);
}

/* What is there before the I/O, and stays where it does not get to. */
static void fill_old(const struct subject *s, size_t len)
{
	if (s->write)
		nfsfile_server_fill(&file, len, OLD_SEED, 0);
	else
		pattern_fill(p2p.data, len, OLD_SEED, 0);
}

static void check(const struct subject *s, size_t len, uint64_t seed)
{
	if (s->write)
		nfsfile_server_check(&file, len, seed, 0);
	else
		nfsfile_buffer_check(p2p.data, len, seed, 0, mem_name(s->kind));
}

/* An undisturbed I/O. */
static void check_served(const struct subject *s)
{
	fill(s, SIZE, TRIAL);
	assert_int_equal(io_one(IO_SYNC, s->write, file.client, p2p.data, SIZE, 0), SIZE);
	check(s, SIZE, TRIAL);
}

static void start_p2p(const struct subject *s)
{
	struct iovec iov = { p2p.data, SIZE };

	fill_old(s, SIZE);
	fill(s, SIZE, NEW_SEED);
	flight_start(&flight, s->write, file.client, &iov, 1);
}

/* It also makes the client connect, and so learn what the device can do. */
static void check_ram(void)
{
	pattern_fill(ram.data, PART, RAM_SEED, 0);
	assert_int_equal(io_one(IO_SYNC, true, file.client, ram.data, PART, 0), PART);
	nfsfile_server_check(&file, PART, RAM_SEED, 0);
}

/* Whatever became of the I/O: memory works on the new device, and only memory. */
static void check_new_device(const struct subject *s)
{
	struct evidence before;

	check_ram();
	evidence_start(&before);
	assert_int_equal(io_one(IO_SYNC, s->write, file.client, p2p.data, PART, 0), -EREMOTEIO);
	evidence_no_data_rpc(&before, false);
}

static void prepare(const struct subject *s, struct evidence *before)
{
	nfsfile_mount(&file, s->version, "rdma", "inflight", SIZE);
	evidence_start(before);
	assert_int_equal(membuf_alloc(&ram, MEM_RAM, PART), 0);
	assert_int_equal(membuf_alloc(&p2p, s->kind, SIZE), 0);
	check_ram();
}

/* Memory is served again, and all of it is given back. */
static void end(const struct subject *s, const struct evidence *before)
{
	link_use_rxe(false);
	check_ram();
	check_served(s);
	membuf_free(&ram);
	membuf_free(&p2p);
	evidence_check_pins(before);
}

static void test_short(void **state)
{
	const struct subject *s = *state;
	struct evidence before;
	char command[64];
	ssize_t done;

	prepare(s, &before);
	/*
	 * What is not answered has to be the end of the I/O, not its start.  A request
	 * that finds no MR is overtaken by those behind it, while more are made
	 * (rpcrdma_mrs_refresh): have them made by an I/O of the same kind.
	 */
	check_served(s);
	server_threads("1\n");
	/* Replies that invalidate the memory's registration, and no others. */
	snprintf(command, sizeof(command), "pause send_inv %d", REPLIES);
	assert_return_code(nic_control(command), 0);
	start_p2p(s);
	flight_pause(NULL);
	assert_false(flight_is_over(&flight));
	link_use_rxe(true);
	done = flight_end(&flight);
	server_threads("8\n");
	if (done <= 0 || done >= (ssize_t)SIZE)
		fail_msg("I/O of %lu bytes that were done in part ended with %zd", SIZE, done);
	check(s, done, NEW_SEED);
	check_new_device(s);
	end(s, &before);
}

static void test_nothing(void **state)
{
	const struct subject *s = *state;
	struct evidence before;

	prepare(s, &before);
	flight_pause("pause");
	start_p2p(s);
	link_use_rxe(true);
	assert_int_equal(flight_end(&flight), -EREMOTEIO);
	check(s, SIZE, OLD_SEED);
	check_new_device(s);
	end(s, &before);
}

/* What is sent again by the new device, behind a gap, does not count. */
static void test_gap(void **state)
{
	const struct subject *s = *state;
	struct evidence before;
	struct iovec iov[3];

	prepare(s, &before);
	nfsfile_server_fill(&file, SIZE, OLD_SEED, 0);
	pattern_fill(ram.data, PART, RAM_SEED, 0);
	iov[0] = (struct iovec){ ram.data, PART };
	iov[1] = (struct iovec){ p2p.data, PART };
	iov[2] = iov[0];
	flight_pause("pause");
	flight_start(&flight, true, file.client, iov, 3);
	link_use_rxe(true);
	assert_int_equal(flight_end(&flight), PART);
	nfsfile_server_check(&file, PART, RAM_SEED, 0);
	nfsfile_server_check(&file, PART, OLD_SEED, PART);
	check_new_device(s);
	end(s, &before);
}

/* Memory may travel by any device, in the middle of an I/O. */
static void test_memory(void **state)
{
	const struct subject *s = *state;

	nfsfile_mount(&file, s->version, "rdma", "inflight", SIZE);
	for (int i = 0; i < 2; i++) {
		struct iovec iov;

		assert_int_equal(membuf_alloc(&p2p, MEM_RAM, SIZE), 0);
		iov = (struct iovec){ p2p.data, SIZE };
		fill(s, SIZE, 10 + i);
		if (!i)
			flight_pause("pause");
		flight_start(&flight, s->write, file.client, &iov, 1);
		link_use_rxe(!i);
		assert_int_equal(flight_end(&flight), SIZE);
		check(s, SIZE, 10 + i);
		membuf_free(&p2p);
	}
}

/* The WRITEs of an I/O since @before have all been acknowledged, none committed. */
static bool acknowledged(const struct mount_stats *before, size_t total)
{
	const struct timespec nap = { .tv_nsec = 10000000 };
	const time_t start = time(NULL);
	struct mount_stats now;

	do {
		assert_return_code(mount_stats_read(LAB_MOUNT, &now), 0);
		if (now.write.ops - before->write.ops == total / WSIZE)
			return now.commit.ops == before->commit.ops;
		nanosleep(&nap, NULL);
	} while (time(NULL) - start < PATIENCE);
	return false;
}

/*
 * Starts a write, and stops it before its COMMIT: a message that follows those of
 * the WRITEs, whose replies are of another kind, as they invalidate.  If the client found something
 * else to ask, it is stopped too early; it will not ask again at once.
 */
static void start_uncommitted(const struct iovec *iov, int segments, struct mount_stats *before)
{
	size_t total = segments * PART;
	char command[64];

	snprintf(command, sizeof(command), "pause send %lu", total / WSIZE);
	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		assert_return_code(mount_stats_read(LAB_MOUNT, before), 0);
		assert_return_code(nic_control(command), 0);
		flight_start(&flight, true, file.client, iov, segments);
		flight_pause(NULL);
		if (acknowledged(before, total))
			return;
		assert_return_code(nic_control("resume"), 0);
		assert_int_equal(flight_end(&flight), total);
	}
	fail_msg("could not stop the client between WRITE and COMMIT");
}

/*
 * The server restarts between the WRITEs and their COMMIT, so everything has to be
 * sent again, and by then the device is another one.  Memory in front is sent
 * again, and counts.
 */
static void lose_verifier(const struct iovec *iov, int segments, int resent, ssize_t want)
{
	struct mount_stats before, after;

	start_uncommitted(iov, segments, &before);
	server_restart();
	link_use_rxe(true);
	assert_int_equal(flight_end(&flight), want);
	assert_return_code(mount_stats_read(LAB_MOUNT, &after), 0);
	assert_int_equal(after.write.ops - before.write.ops, segments * PART / WSIZE + resent);
	assert_true(after.commit.ops > before.commit.ops);
}

static void test_verifier(void **state)
{
	const struct subject *s = *state;
	struct evidence before;
	struct iovec iov;

	prepare(s, &before);
	iov = (struct iovec){ p2p.data, PART };
	lose_verifier(&iov, 1, 0, -EREMOTEIO);
	check_new_device(s);
	end(s, &before);
}

static void test_verifier_mixed(void **state)
{
	const struct subject *s = *state;
	struct evidence before;
	struct iovec iov[2];

	prepare(s, &before);
	pattern_fill(ram.data, PART, RAM_SEED, 0);
	iov[0] = (struct iovec){ ram.data, PART };
	iov[1] = (struct iovec){ p2p.data, PART };
	lose_verifier(iov, 2, PART / WSIZE, PART);
	nfsfile_server_check(&file, PART, RAM_SEED, 0);
	check_new_device(s);
	end(s, &before);
}

static int cleanup(void **state)
{
	(void)state;
	/* In case that a test ended in the middle. */
	nic_control("resume");
	flight_end(&flight);
	link_use_rxe(false);
	membuf_free(&ram);
	membuf_free(&p2p);
	return 0;
}

static const struct subject table[] = {
	{ test_short, "v3 write CMB half done, rxe", "3", true, MEM_CMB },
	{ test_short, "v3 read BAR half done, rxe", "3", false, MEM_BAR },
	{ test_nothing, "v3 read CMB not begun, rxe", "3", false, MEM_CMB },
	{ test_gap, "v3 write RAM, CMB, RAM, rxe", "3", true, MEM_CMB },
	{ test_verifier, "v3 write BAR not committed, restart, rxe", "3", true, MEM_BAR },
	{ test_verifier_mixed, "v3 write RAM and CMB not committed, restart, rxe", "3", true,
	  MEM_CMB },
	{ test_memory, "v3 write RAM, rxe and back", "3", true, MEM_RAM },
	{ test_short, "v4.2 write BAR half done, rxe", "4.2", true, MEM_BAR },
	{ test_short, "v4.2 read CMB half done, rxe", "4.2", false, MEM_CMB },
	{ test_nothing, "v4.2 write CMB not begun, rxe", "4.2", true, MEM_CMB },
	{ test_gap, "v4.2 write RAM, BAR, RAM, rxe", "4.2", true, MEM_BAR },
	{ test_verifier, "v4.2 write CMB not committed, restart, rxe", "4.2", true, MEM_CMB },
	{ test_memory, "v4.2 read RAM, rxe and back", "4.2", false, MEM_RAM },
};

int main(int argc, char **argv)
{
	return subjects_main(argc, argv, table, sizeof(table) / sizeof(table[0]), "inflight",
			     cleanup, nfsfile_leave);
}
