// SPDX-License-Identifier: GPL-2.0
/*
 * A refusal must hurt nobody else.  While several processes loop over writes
 * from peer-to-peer memory that cannot succeed, other jobs on the same mount,
 * which use nothing but RAM, must not see a single error.
 *
 * Where the NIC cannot reach the memory, the writes are refused before any RPC.
 * Elsewhere the NIC is told to refuse it when it is registered: the RPC is on
 * the transport's queue by then, and whoever holds the transport's lock meets
 * the error.
 */
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/evidence.h"
#include "../lib/io.h"
#include "../lib/lab.h"
#include "../lib/nfsfile.h"
#include "../lib/pattern.h"

#define WRITERS	       4
#define DEPTH	       16
#define BLOCK	       65536UL
#define BLOCKS	       128UL /* of the victim's file */
#define ROUNDS	       6     /* each writes the whole file */
#define WRITEBACK_SIZE (8UL << 20)

/**
 * struct shared - between the test and its writers
 * @stop:	writers shall end
 * @error:	what writes from peer-to-peer memory are to fail with
 * @refused:	writes that failed with it
 * @wrong:	writes that ended otherwise
 */
struct shared {
	atomic_bool stop;
	int error;
	atomic_ulong refused;
	atomic_ulong wrong;
};

static struct shared *shared;
static pid_t writers[WRITERS];
static struct nfsfile file = NFSFILE_CLOSED;

/* Child process: P2P writes that cannot succeed, until told to stop. */
static void refused_writer(int id)
{
	struct membuf buf;
	char path[64];
	int fd;

	snprintf(path, sizeof(path), LAB_MOUNT "/refused-%d", id);
	fd = open(path, O_RDWR | O_CREAT | O_DIRECT, 0644);
	if (fd < 0 || membuf_alloc(&buf, id % 2 ? MEM_CMB : MEM_BAR, BLOCK))
		_exit(1);
	while (!atomic_load(&shared->stop)) {
		ssize_t done = io_one(IO_SYNC, true, fd, buf.data, BLOCK, 0);

		atomic_fetch_add(done == shared->error ? &shared->refused : &shared->wrong, 1);
	}
	_exit(0);
}

static void start_writers(void)
{
	atomic_store(&shared->stop, false);
	atomic_store(&shared->refused, 0);
	atomic_store(&shared->wrong, 0);
	shared->error = -EREMOTEIO;
	if (lab_reachable()) {
		shared->error = -EIO;
		assert_return_code(nic_control("refuse_p2p"), 0);
	}
	for (int i = 0; i < WRITERS; i++) {
		writers[i] = fork();
		if (!writers[i])
			refused_writer(i);
	}
}

static int stop_writers(void **state)
{
	(void)state;
	atomic_store(&shared->stop, true);
	for (int i = 0; i < WRITERS; i++) {
		if (writers[i] > 0)
			waitpid(writers[i], NULL, 0);
		writers[i] = 0;
	}
	nic_control("accept_p2p");
	return 0;
}

static void check_writers(void)
{
	stop_writers(NULL);
	assert_int_equal(atomic_load(&shared->wrong), 0);
	/* Too few of them would prove nothing. */
	assert_true(atomic_load(&shared->refused) > 20);
}

/* Write the whole file once, DEPTH blocks at a time; nothing may fail. */
static void direct_round(struct io_uring *ring, unsigned char *data)
{
	size_t started = 0, ended = 0;

	while (ended < BLOCKS) {
		struct io_uring_cqe *cqe;

		while (started < BLOCKS && started - ended < DEPTH) {
			struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

			io_uring_prep_write(sqe, file.client, data + started * BLOCK, BLOCK,
					    started * BLOCK);
			io_uring_sqe_set_data64(sqe, started++);
		}
		assert_true(io_uring_submit(ring) >= 0);
		assert_int_equal(io_uring_wait_cqe(ring, &cqe), 0);
		if (cqe->res != (int)BLOCK)
			fail_msg("innocent write of block %llu: %s",
				 (unsigned long long)cqe->user_data,
				 cqe->res < 0 ? strerror(-cqe->res) : "short");
		io_uring_cqe_seen(ring, cqe);
		ended++;
	}
}

static void test_direct(void **state)
{
	struct expected nothing = { .may_copy = UINT64_MAX };
	struct evidence before;
	struct io_uring ring;
	struct membuf buf;

	nfsfile_mount(&file, *state, "rdma", "victim", BLOCKS * BLOCK);
	evidence_start(&before);
	assert_int_equal(membuf_alloc(&buf, MEM_RAM, BLOCKS * BLOCK), 0);
	assert_int_equal(io_uring_queue_init(DEPTH, &ring, 0), 0);
	start_writers();
	for (int round = 0; round < ROUNDS; round++) {
		pattern_fill(buf.data, BLOCKS * BLOCK, round, 0);
		direct_round(&ring, buf.data);
		nfsfile_server_check(&file, BLOCKS * BLOCK, round, 0);
	}
	check_writers();
	io_uring_queue_exit(&ring);
	membuf_free(&buf);
	evidence_check(&before, &nothing);
}

/* Here an error would be lost data: write() has succeeded already. */
static void test_writeback(void **state)
{
	struct membuf buf;
	int fd;

	nfsfile_mount(&file, *state, "rdma", "victim", BLOCKS * BLOCK);
	assert_int_equal(membuf_alloc(&buf, MEM_RAM, WRITEBACK_SIZE), 0);
	fd = open(LAB_MOUNT "/victim", O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	start_writers();
	for (int round = 0; round < ROUNDS; round++) {
		pattern_fill(buf.data, WRITEBACK_SIZE, 100 + round, 0);
		assert_int_equal(pwrite(fd, buf.data, WRITEBACK_SIZE, 0), WRITEBACK_SIZE);
		if (fsync(fd))
			fail_msg("innocent fsync: %s", strerror(errno));
		nfsfile_server_check(&file, WRITEBACK_SIZE, 100 + round, 0);
	}
	check_writers();
	close(fd);
	membuf_free(&buf);
}

int main(int argc, char **argv)
{
	static char v3[] = "3", v42[] = "4.2";
	const struct CMUnitTest tests[] = {
		{ "v3 O_DIRECT beside refused writers", test_direct, NULL, stop_writers, v3 },
		{ "v3 page cache beside refused writers", test_writeback, NULL, stop_writers, v3 },
		{ "v4.2 O_DIRECT beside refused writers", test_direct, NULL, stop_writers, v42 },
		{ "v4.2 page cache beside refused writers", test_writeback, NULL, stop_writers,
		  v42 },
	};
	int rc = lab_main_setup(argc, argv);

	if (rc)
		return rc;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		return 1;
	return cmocka_run_group_tests_name("victim", tests, NULL, nfsfile_leave);
}
