// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a pinned page when the process does not wait for it: killed in
 * the middle of I/O, or forked.  No pin may be lost or dropped twice, provider
 * memory must come back, and data must go to the process that asked for it.
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

/* The child of fork_once(): waits for the end of the I/O, then looks. */
static void forked_child(const struct subject *s, int ready, uint64_t seed)
{
	bool seen = false;
	struct mismatch bad;
	char byte;

	/* Break copy-on-write sharing from this side, at once. */
	for (size_t i = 0; s->kind == MEM_RAM && i < FORK_SIZE; i += 4096)
		buf.data[i] = 1;
	if (read(ready, &byte, 1) != 1)
		_exit(1);
	if (s->kind != MEM_RAM)
		seen = pattern_check(buf.data + MARGIN, FORK_SIZE - 2 * MARGIN, seed, 0, &bad);
	_exit(s->kind == MEM_RAM || seen ? 0 : 1);
}

/*
 * Fork while the NIC is filling the buffer.  RAM: the parent's buffer gets all
 * of the data and the child never sees it.  P2P memory is shared: both do.
 *
 * The read is submitted with libaio, which has extracted the buffer when it
 * returns.  The parent then writes to both ends of its buffer, beside the bytes
 * that are read: a page without a pin would be copied there and then, and the
 * data would arrive in the page that only the child still has.  The NIC pauses
 * until that is done.
 */
static void fork_once(const struct subject *s, io_context_t ctx, uint64_t seed)
{
	struct iocb iocb, *iocbs[1] = { &iocb };
	size_t len = FORK_SIZE - 2 * MARGIN;
	int to_child[2], status;
	struct io_event event;
	char byte = 0;
	pid_t pid;

	assert_int_equal(pipe(to_child), 0);
	nfsfile_server_fill(&file, len, seed, 0);
	memset(buf.data, 0xee, FORK_SIZE);
	io_prep_pread(&iocb, file.client, buf.data + MARGIN, len, 0);
	assert_return_code(nic_control("pause"), 0);
	assert_int_equal(io_submit(ctx, 1, iocbs), 1);
	pid = fork();
	if (!pid)
		forked_child(s, to_child[0], seed);
	assert_true(pid > 0);
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
		fail_msg("the child does not see the data in shared memory");
	nfsfile_buffer_check(buf.data + MARGIN, len, seed, 0, "buffer of the parent");
}

static void test_fork(void **state)
{
	const struct subject *s = *state;
	struct expected exp = { .pins = PINS_AT_LEAST };
	struct evidence before;
	io_context_t ctx = NULL;

	nfsfile_mount(&file, s->version, "rdma", "life", FILE_SIZE);
	evidence_start(&before);
	assert_int_equal(membuf_alloc(&buf, s->kind, FORK_SIZE), 0);
	assert_int_equal(io_setup(1, &ctx), 0);
	for (int i = 0; i < FORKS; i++) {
		expected_add(&exp, false, s->kind, buf.data + MARGIN, FORK_SIZE - 2 * MARGIN);
		fork_once(s, ctx, 500 + i);
	}
	io_destroy(ctx);
	membuf_free(&buf);
	evidence_check(&before, &exp);
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
	{ test_fork, "v4.2 read RAM fork", "4.2", false, MEM_RAM },
	{ test_fork, "v4.2 read CMB fork", "4.2", false, MEM_CMB },
	{ test_fork, "v4.2 read BAR fork", "4.2", false, MEM_BAR },
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
	int rc = lab_main_setup(argc, argv);

	if (rc)
		return rc;
	return subjects_run(table, sizeof(table) / sizeof(table[0]), "life", cleanup,
			    nfsfile_leave);
}
