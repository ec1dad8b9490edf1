// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a pinned page when the process does not wait for it: killed in
 * the middle of I/O, gone, forked, or in want of its cancellation.  No pin may be
 * lost or dropped twice, provider memory must come back, and data must go to the
 * process that asked for it.
 */
#include <errno.h>
#include <fcntl.h>
#include <libaio.h>
#include <liburing.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../lib/evidence.h"
#include "../lib/io.h"
#include "../lib/lab.h"
#include "../lib/nfsfile.h"
#include "../lib/pattern.h"
#include "../lib/rows.h"

#define BLOCK	  (256UL << 10)
#define DEPTH	  8
#define FILE_SIZE (16UL << 20)
#define FORK_SIZE (8UL << 20)
#define KILLS	  15
#define FORKS	  5
#define MARGIN	  64

static struct nfsfile file = NFSFILE_CLOSED;
static struct membuf buf;

static void queue(struct io_uring *ring, bool write, void *data, size_t len, off_t pos)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

	if (write)
		io_uring_prep_write(sqe, file.client, data, len, pos);
	else
		io_uring_prep_read(sqe, file.client, data, len, pos);
}

/* Child process: keeps DEPTH I/Os in flight until it is killed. */
static void busy_child(const struct subject *s, int ready)
{
	struct io_uring_cqe *cqe;
	struct io_uring ring;
	unsigned int n = 0;

	if (membuf_alloc(&buf, s->kind, DEPTH * BLOCK) || io_uring_queue_init(DEPTH, &ring, 0))
		_exit(1);
	for (; n < DEPTH; n++)
		queue(&ring, s->write, buf.data + n * BLOCK, BLOCK, n * BLOCK);
	if (io_uring_submit(&ring) != DEPTH || write(ready, "", 1) != 1)
		_exit(1);
	for (;; n++) {
		if (io_uring_wait_cqe(&ring, &cqe) || cqe->res < 0)
			_exit(1);
		io_uring_cqe_seen(&ring, cqe);
		queue(&ring, s->write, buf.data + n % DEPTH * BLOCK, BLOCK, n % DEPTH * BLOCK);
		io_uring_submit(&ring);
	}
}

/* An ordinary I/O after the violence: does the mount still work? */
static void check_health(const struct subject *s)
{
	struct expected exp = { .pins = PINS_AT_LEAST };
	struct evidence before;
	ssize_t done;

	evidence_start(&before);
	assert_int_equal(membuf_alloc(&buf, s->kind, BLOCK), 0);
	pattern_fill(buf.data, BLOCK, 77, 0);
	expected_add(&exp, true, s->kind, buf.data, BLOCK);
	done = io_one(IO_SYNC, true, file.client, buf.data, BLOCK, 0);
	assert_int_equal(done, BLOCK);
	nfsfile_server_check(&file, BLOCK, 77, 0);
	membuf_free(&buf);
	evidence_check(&before, &exp);
}

static void test_kill(void **state)
{
	const struct subject *s = *state;
	/* How much was moved before each death is anybody's guess. */
	struct expected exp = { .resent = true };
	struct evidence before;

	nfsfile_mount(&file, s->version, "rdma", "life", FILE_SIZE);
	evidence_start(&before);
	for (int i = 0; i < KILLS; i++) {
		struct timespec nap = { .tv_nsec = i * 3000000L };
		int pipefd[2], status;
		char byte;
		pid_t pid;

		assert_int_equal(pipe(pipefd), 0);
		pid = fork();
		if (!pid)
			busy_child(s, pipefd[1]);
		close(pipefd[1]);
		if (read(pipefd[0], &byte, 1) == 1)
			nanosleep(&nap, NULL);
		close(pipefd[0]);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		/* It must have died by our hand, not of an error. */
		assert_true(WIFSIGNALED(status));
	}
	if (s->kind == MEM_RAM)
		exp.may_copy = UINT64_MAX;
	evidence_check(&before, &exp);
	check_health(s);
}

/**
 * enum moment - when a process forks
 * @BEFORE:	the I/O is submitted
 * @DURING:	it, while the NIC pauses
 * @AFTER:	another I/O to the same memory has ended, before this one is submitted
 */
enum moment {
	BEFORE,
	DURING,
	AFTER,
};

#define OLD_BYTE 0xee
#define OLD_SEED 400

/* Is the memory in between the margins what it was when the process forked? */
static bool unchanged(enum moment moment)
{
	struct mismatch bad;

	if (moment == AFTER)
		return pattern_check(buf.data + MARGIN, FORK_SIZE - 2 * MARGIN, OLD_SEED, 0, &bad);
	return pattern_is_byte(buf.data + MARGIN, FORK_SIZE - 2 * MARGIN, OLD_BYTE, &bad);
}

/*
 * The child of fork_once(): waits for the end of the I/O, then looks.  Memory is a
 * copy of what the parent had, into which no data may arrive.
 */
static void forked_child(const struct subject *s, enum moment moment, int ready, uint64_t seed)
{
	struct mismatch bad;
	char byte;

	/* Break copy-on-write sharing from this side, at once. */
	if (moment == DURING && s->kind == MEM_RAM) {
		for (size_t i = 0; i < FORK_SIZE; i += 4096)
			buf.data[i] = OLD_BYTE;
	}
	if (read(ready, &byte, 1) != 1)
		_exit(1);
	if (s->kind == MEM_RAM)
		_exit(!unchanged(moment));
	_exit(!pattern_check(buf.data + MARGIN, FORK_SIZE - 2 * MARGIN, seed, 0, &bad));
}

static pid_t fork_now(const struct subject *s, enum moment moment, const int *pipefd, uint64_t seed)
{
	pid_t pid = fork();

	if (!pid)
		forked_child(s, moment, pipefd[0], seed);
	assert_true(pid > 0);
	return pid;
}

/*
 * Fork around a read.  RAM: the parent's buffer gets all of the data and the child
 * never sees it.  P2P memory is shared: both do.
 *
 * The read is submitted with libaio, which has extracted the buffer when it
 * returns.  The parent then writes to both ends of its buffer, beside the bytes
 * that are read: a page without a pin would be copied there and then, and the
 * data would arrive in the page that only the child still has.  The NIC pauses
 * until that is done.
 */
static void fork_once(const struct subject *s, enum moment moment, io_context_t ctx, uint64_t seed)
{
	struct iocb iocb, *iocbs[1] = { &iocb };
	size_t len = FORK_SIZE - 2 * MARGIN;
	int to_child[2], status;
	struct io_event event;
	char byte = 0;
	pid_t pid = 0;

	assert_int_equal(pipe(to_child), 0);
	memset(buf.data, OLD_BYTE, FORK_SIZE);
	if (moment == AFTER) {
		nfsfile_server_fill(&file, len, OLD_SEED, 0);
		assert_int_equal(io_one(IO_SYNC, false, file.client, buf.data + MARGIN, len, 0),
				 len);
	}
	nfsfile_server_fill(&file, len, seed, 0);
	if (moment != DURING)
		pid = fork_now(s, moment, to_child, seed);
	io_prep_pread(&iocb, file.client, buf.data + MARGIN, len, 0);
	assert_return_code(nic_control("pause"), 0);
	assert_int_equal(io_submit(ctx, 1, iocbs), 1);
	if (moment == DURING)
		pid = fork_now(s, moment, to_child, seed);
	buf.data[0] = 1;
	buf.data[FORK_SIZE - 1] = 1;
	assert_return_code(nic_control("resume"), 0);
	assert_int_equal(io_getevents(ctx, 1, 1, &event, NULL), 1);
	assert_int_equal((long)event.res, len);
	assert_int_equal(write(to_child[1], &byte, 1), 1);
	close(to_child[0]);
	close(to_child[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		fail_msg("the child %s", s->kind == MEM_RAM
						 ? "sees the parent's data"
						 : "does not see the data in shared memory");
	nfsfile_buffer_check(buf.data + MARGIN, len, seed, 0, "buffer of the parent");
}

static void fork_at(const struct subject *s, enum moment moment, int times)
{
	struct expected exp = { .pins = PINS_AT_LEAST };
	struct evidence before;
	io_context_t ctx = NULL;

	nfsfile_mount(&file, s->version, "rdma", "life", FILE_SIZE);
	evidence_start(&before);
	assert_int_equal(membuf_alloc(&buf, s->kind, FORK_SIZE), 0);
	assert_int_equal(io_setup(1, &ctx), 0);
	for (int i = 0; i < times; i++) {
		for (int reads = moment == AFTER ? 2 : 1; reads; reads--)
			expected_add(&exp, false, s->kind, buf.data + MARGIN,
				     FORK_SIZE - 2 * MARGIN);
		fork_once(s, moment, ctx, 500 + i);
	}
	io_destroy(ctx);
	membuf_free(&buf);
	evidence_check(&before, &exp);
}

static void test_fork_before(void **state)
{
	fork_at(*state, BEFORE, 1);
}

static void test_fork_during(void **state)
{
	fork_at(*state, DURING, FORKS);
}

static void test_fork_after(void **state)
{
	fork_at(*state, AFTER, 1);
}

/* Child process: submits DEPTH I/Os, which do not move, and ends. */
static void leaving_child(const struct subject *s, enum io_engine engine, int ready)
{
	struct iocb iocb[DEPTH], *iocbs[DEPTH];
	io_context_t ctx = NULL;
	struct io_uring ring;

	if (io_setup(DEPTH, &ctx) || io_uring_queue_init(DEPTH, &ring, 0))
		_exit(1);
	for (unsigned int i = 0; i < DEPTH; i++) {
		iocbs[i] = &iocb[i];
		if (s->write)
			io_prep_pwrite(&iocb[i], file.client, buf.data + i * BLOCK, BLOCK,
				       i * BLOCK);
		else
			io_prep_pread(&iocb[i], file.client, buf.data + i * BLOCK, BLOCK,
				      i * BLOCK);
		queue(&ring, s->write, buf.data + i * BLOCK, BLOCK, i * BLOCK);
	}
	if ((engine == IO_AIO ? io_submit(ctx, DEPTH, iocbs) : io_uring_submit(&ring)) != DEPTH)
		_exit(1);
	_exit(write(ready, "", 1) != 1);
}

/*
 * The process is gone, its memory is not, until the NIC is done with it.  The kernel
 * waits for libaio, so all of that is done; io_uring takes back what it has not
 * passed on.  It is the child that allocates the buffer: nobody else refers to it.
 */
static void leave_in_flight(const struct subject *s, enum io_engine engine)
{
	struct expected exp = { .resent = engine == IO_URING, .may_copy = UINT64_MAX };
	const struct timespec nap = { .tv_nsec = 300000000 };
	struct evidence before;
	int pipefd[2], status;
	char byte;
	pid_t pid;

	nfsfile_mount(&file, s->version, "rdma", "life", FILE_SIZE);
	nfsfile_server_fill(&file, DEPTH * BLOCK, 600, 0);
	evidence_start(&before);
	assert_int_equal(pipe(pipefd), 0);
	assert_return_code(nic_control("pause"), 0);
	if (engine == IO_AIO)
		expected_add(&exp, s->write, s->kind, NULL, DEPTH * BLOCK);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		if (membuf_alloc(&buf, s->kind, DEPTH * BLOCK))
			_exit(1);
		pattern_fill(buf.data, DEPTH * BLOCK, 601, 0);
		leaving_child(s, engine, pipefd[1]);
	}
	close(pipefd[1]);
	assert_int_equal(read(pipefd[0], &byte, 1), 1);
	close(pipefd[0]);
	nanosleep(&nap, NULL);
	if (engine == IO_AIO)
		assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	assert_return_code(nic_control("resume"), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
	/* Waits for the pages, and the NIC is done with them by then. */
	evidence_check(&before, &exp);
	if (engine == IO_AIO)
		nfsfile_server_check(&file, DEPTH * BLOCK, s->write ? 601 : 600, 0);
	check_health(s);
}

static void test_exit_aio(void **state)
{
	leave_in_flight(*state, IO_AIO);
}

static void test_exit_uring(void **state)
{
	leave_in_flight(*state, IO_URING);
}

/*
 * Nobody can take back what the NIC has been told.  An I/O either was not begun, and
 * is cancelled, or ends as if nobody had asked.
 */
static void test_cancel(void **state)
{
	const struct subject *s = *state;
	struct expected exp = { .resent = true, .may_copy = UINT64_MAX };
	struct evidence before;
	struct io_uring_cqe *cqe;
	unsigned int done = 0;
	struct io_uring ring;

	nfsfile_mount(&file, s->version, "rdma", "life", FILE_SIZE);
	nfsfile_server_fill(&file, DEPTH * BLOCK, 700, 0);
	evidence_start(&before);
	assert_int_equal(membuf_alloc(&buf, s->kind, DEPTH * BLOCK), 0);
	pattern_fill(buf.data, DEPTH * BLOCK, 701, 0);
	assert_int_equal(io_uring_queue_init(2 * DEPTH, &ring, 0), 0);
	assert_return_code(nic_control("pause"), 0);
	for (size_t i = 0; i < DEPTH; i++)
		queue(&ring, s->write, buf.data + i * BLOCK, BLOCK, i * BLOCK);
	assert_int_equal(io_uring_submit(&ring), DEPTH);
	for (size_t i = 0; i < DEPTH; i++) {
		struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

		io_uring_prep_cancel_fd(sqe, file.client, 0);
		io_uring_sqe_set_data64(sqe, 1);
	}
	assert_int_equal(io_uring_submit(&ring), DEPTH);
	assert_return_code(nic_control("resume"), 0);
	for (size_t i = 0; i < 2 * DEPTH; i++) {
		assert_int_equal(io_uring_wait_cqe(&ring, &cqe), 0);
		if (cqe->user_data != 1 && cqe->res >= 0) {
			assert_int_equal(cqe->res, BLOCK);
			done++;
		}
		io_uring_cqe_seen(&ring, cqe);
	}
	io_uring_queue_exit(&ring);
	if (done == DEPTH)
		nfsfile_server_check(&file, DEPTH * BLOCK, s->write ? 701 : 700, 0);
	membuf_free(&buf);
	evidence_check(&before, &exp);
	check_health(s);
}

static const struct subject table[] = {
	{ test_kill, "v4.2 write RAM kill -9", "4.2", true, MEM_RAM },
	{ test_kill, "v4.2 write CMB kill -9", "4.2", true, MEM_CMB },
	{ test_kill, "v4.2 write BAR kill -9", "4.2", true, MEM_BAR },
	{ test_kill, "v4.2 read CMB kill -9", "4.2", false, MEM_CMB },
	{ test_kill, "v4.2 read BAR kill -9", "4.2", false, MEM_BAR },
	{ test_kill, "v3 write BAR kill -9", "3", true, MEM_BAR },
	{ test_kill, "v3 read RAM kill -9", "3", false, MEM_RAM },
	{ test_kill, "v3 read CMB kill -9", "3", false, MEM_CMB },
	{ test_exit_uring, "v3 read CMB exit, io_uring", "3", false, MEM_CMB },
	{ test_exit_aio, "v3 write BAR exit, libaio", "3", true, MEM_BAR },
	{ test_cancel, "v3 read BAR cancel", "3", false, MEM_BAR },
	{ test_fork_before, "v4.2 read RAM fork before", "4.2", false, MEM_RAM },
	{ test_fork_before, "v4.2 read CMB fork before", "4.2", false, MEM_CMB },
	{ test_fork_during, "v4.2 read RAM fork", "4.2", false, MEM_RAM },
	{ test_fork_during, "v4.2 read CMB fork", "4.2", false, MEM_CMB },
	{ test_fork_during, "v4.2 read BAR fork", "4.2", false, MEM_BAR },
	{ test_fork_after, "v4.2 read RAM fork after", "4.2", false, MEM_RAM },
	{ test_fork_after, "v4.2 read BAR fork after", "4.2", false, MEM_BAR },
	{ test_exit_uring, "v4.2 write RAM exit, io_uring", "4.2", true, MEM_RAM },
	{ test_exit_uring, "v4.2 write BAR exit, io_uring", "4.2", true, MEM_BAR },
	{ test_exit_aio, "v4.2 read CMB exit, libaio", "4.2", false, MEM_CMB },
	{ test_cancel, "v4.2 write CMB cancel", "4.2", true, MEM_CMB },
};

static int cleanup(void **state)
{
	(void)state;
	/* In case that a test ended in the middle. */
	nic_control("resume");
	membuf_free(&buf);
	return 0;
}

int main(int argc, char **argv)
{
	return subjects_main(argc, argv, table, sizeof(table) / sizeof(table[0]), "life", cleanup,
			     nfsfile_leave);
}
