// SPDX-License-Identifier: GPL-2.0
/*
 * Direct I/O of the kernel itself, from and to memory that nobody pins: it belongs
 * to the caller, who may free it when the I/O has returned.  So a signal must not
 * end the wait, and the client must neither need nor take a reference on its pages,
 * which slab memory does not even have.  The lab's driver kernio is the caller; so
 * is the loop driver, below a process that is killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/loop.h>

#include "../lib/evidence.h"
#include "../lib/flight.h"
#include "../lib/io.h"
#include "../lib/lab.h"
#include "../lib/nfsfile.h"
#include "../lib/pattern.h"
#include "../lib/rows.h"

#define KERNIO	  "/sys/kernel/debug/kernio/"
#define FILE_SIZE (4UL << 20)
#define LEN	  65536UL
#define BYTE	  0x5a
#define OLD_BYTE  0x11
#define PATIENCE  100	 /* times */
#define NAP	  100000 /* us */
#define SEED	  5

/**
 * struct row - one test of kernio
 * @version:	NFS version
 * @write:	direction, as the file sees it
 * @kind:	of memory, as kernio calls it
 */
struct row {
	const char *version;
	bool write;
	const char *kind;
};

/**
 * struct kio - what kernio says of its current or last I/O
 * @busy:	it has not ended
 * @result:	bytes, or a negative errno
 * @refs_before: references on its pages, all together, before it began
 * @refs_now:	the same, now or at its end
 * @wrong:	bytes that are not what was to be read
 * @leaked:	it returned too early
 */
struct kio {
	int busy;
	long result;
	int refs_before, refs_now;
	unsigned long wrong;
	int leaked;
};

static struct nfsfile file = NFSFILE_CLOSED;
static struct membuf buf;
static pid_t child;
static int loop_fd = -1;

static void kio_state(struct kio *k)
{
	FILE *f = fopen(KERNIO "state", "re");

	assert_non_null(f);
	assert_int_equal(
		fscanf(f, "busy %d result %ld refs_before %d refs_now %d wrong %lu leaked %d",
		       &k->busy, &k->result, &k->refs_before, &k->refs_now, &k->wrong, &k->leaked),
		6);
	fclose(f);
}

static void kio_command(const struct row *row, char *command, size_t n)
{
	snprintf(command, n, "%s %s %lu %u %d", row->write ? "write" : "read", row->kind, LEN, BYTE,
		 file.client);
}

/* The server's file, all of one byte. */
static void server_set(unsigned char byte)
{
	static unsigned char data[LEN];

	memset(data, byte, LEN);
	assert_int_equal(pwrite(file.server, data, LEN, 0), LEN);
}

static void server_is(unsigned char byte)
{
	static unsigned char data[LEN];
	struct mismatch bad;

	assert_int_equal(pread(file.server, data, LEN, 0), LEN);
	if (!pattern_is_byte(data, LEN, byte, &bad))
		fail_msg("file on the server: byte %" PRIu64 " is 0x%02x, not 0x%02x", bad.pos,
			 bad.got, byte);
}

static void prepare(const char *version, struct evidence *before)
{
	static const char *const load[] = { "modprobe", "-a", "kernio", "loop", NULL };

	nfsfile_mount(&file, version, "rdma", "kernbuf", FILE_SIZE);
	lab_must(load);
	evidence_start(before);
}

static void start_child(const char *command)
{
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		int fd = open(KERNIO "run", O_WRONLY | O_CLOEXEC);

		_exit(fd < 0 || write(fd, command, strlen(command)) < 0);
	}
}

static void wait_until_busy(void)
{
	struct kio k = { 0 };

	for (int i = 0; i < PATIENCE; i++) {
		kio_state(&k);
		if (k.busy)
			break;
		usleep(NAP);
	}
	assert_true(k.busy);
	/* Until it has been sent, too. */
	usleep(3 * NAP);
}

static void test_killed(void **state)
{
	const struct expected nothing = { .may_copy = LEN };
	const struct row *row = *state;
	struct evidence before;
	char command[128];
	struct kio k;
	int status;

	prepare(row->version, &before);
	server_set(row->write ? OLD_BYTE : BYTE);
	kio_command(row, command, sizeof(command));
	flight_pause("pause");
	start_child(command);
	wait_until_busy();
	kio_state(&k);
	if (k.refs_now != k.refs_before)
		fail_msg("%d references on memory that is the caller's",
			 k.refs_now - k.refs_before);
	kill(child, SIGKILL);
	usleep(3 * NAP);
	kio_state(&k);
	if (!k.busy || waitpid(child, &status, WNOHANG))
		fail_msg("the I/O returned before it was over: %ld", k.result);
	assert_return_code(nic_control("resume"), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	child = 0;
	kio_state(&k);
	assert_int_equal(k.busy, 0);
	assert_int_equal(k.leaked, 0);
	assert_int_equal(k.result, LEN);
	assert_int_equal(k.wrong, 0);
	assert_int_equal(k.refs_now, k.refs_before);
	server_is(BYTE);
	evidence_check(&before, &nothing);
}

/* As ever: nobody can tell what kind of memory that is. */
static void test_kvec(void **state)
{
	const struct row *row = *state;
	struct evidence before;
	char command[128];
	struct kio k;

	prepare(row->version, &before);
	server_set(OLD_BYTE);
	kio_command(row, command, sizeof(command));
	lab_put(KERNIO "run", command);
	kio_state(&k);
	assert_int_equal(k.result, -EFAULT);
	server_is(OLD_BYTE);
	evidence_no_data_rpc(&before, false);
}

static void loop_detach(void)
{
	if (loop_fd < 0)
		return;
	ioctl(loop_fd, LOOP_CLR_FD);
	close(loop_fd);
	loop_fd = -1;
}

/* Opens a loop device on the file, which does direct I/O on it. */
static int loop_attach(void)
{
	struct loop_config config = {
		.fd = file.client,
		.block_size = 4096,
		.info.lo_flags = LO_FLAGS_DIRECT_IO,
	};
	struct loop_info64 info;
	char path[32];
	int control, nr;

	control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	assert_true(control >= 0);
	nr = ioctl(control, LOOP_CTL_GET_FREE);
	close(control);
	assert_true(nr >= 0);
	snprintf(path, sizeof(path), "/dev/loop%d", nr);
	loop_fd = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
	assert_true(loop_fd >= 0);
	assert_return_code(ioctl(loop_fd, LOOP_CONFIGURE, &config), errno);
	assert_return_code(ioctl(loop_fd, LOOP_GET_STATUS64, &info), errno);
	if (!(info.lo_flags & LO_FLAGS_DIRECT_IO))
		fail_msg("the loop driver does not do direct I/O on NFS");
	return nr;
}

/* The block layer has passed something on, and it has not come back. */
static void loop_wait_until_busy(int nr, bool write)
{
	unsigned int reads = 0, writes = 0;
	char path[64];

	snprintf(path, sizeof(path), "/sys/block/loop%d/inflight", nr);
	for (int i = 0; i < PATIENCE && !(write ? writes : reads); i++) {
		FILE *f = fopen(path, "re");

		usleep(NAP);
		assert_non_null(f);
		assert_int_equal(fscanf(f, "%u %u", &reads, &writes), 2);
		fclose(f);
	}
	assert_true(write ? writes : reads);
}

/*
 * The process that is killed has pinned its memory for the block layer, and the
 * loop driver passes the pages on. What was begun ends, and the device goes on.
 */
static void test_loop(void **state)
{
	const struct expected nothing = { .may_copy = UINT64_MAX };
	const struct row *row = *state;
	struct evidence before;
	int status, nr;

	prepare(row->version, &before);
	nfsfile_server_fill(&file, FILE_SIZE, SEED, 0);
	nr = loop_attach();
	assert_int_equal(membuf_alloc(&buf, MEM_RAM, FILE_SIZE), 0);
	pattern_fill(buf.data, FILE_SIZE, SEED + 1, 0);
	flight_pause("pause");
	child = fork();
	assert_true(child >= 0);
	if (!child)
		_exit(io_one(IO_SYNC, row->write, loop_fd, buf.data, FILE_SIZE, 0) != FILE_SIZE);
	loop_wait_until_busy(nr, row->write);
	kill(child, SIGKILL);
	usleep(3 * NAP);
	assert_int_equal(waitpid(child, &status, WNOHANG), 0);
	assert_return_code(nic_control("resume"), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	child = 0;
	/* A system call that has submitted all of it, or will before it ends. */
	if (row->write) {
		assert_return_code(fsync(loop_fd), errno);
		nfsfile_server_check(&file, FILE_SIZE, SEED + 1, 0);
	}
	nfsfile_server_fill(&file, FILE_SIZE, SEED + 2, 0);
	assert_int_equal(io_one(IO_SYNC, false, loop_fd, buf.data, FILE_SIZE, 0), FILE_SIZE);
	nfsfile_buffer_check(buf.data, FILE_SIZE, SEED + 2, 0, "buffer read through the device");
	loop_detach();
	membuf_free(&buf);
	evidence_check(&before, &nothing);
}

static int cleanup(void **state)
{
	(void)state;
	nic_control("resume");
	if (child > 0)
		waitpid(child, NULL, 0);
	child = 0;
	loop_detach();
	membuf_free(&buf);
	return 0;
}

static int leave(void **state)
{
	static const char *const unload[] = { "rmmod", "kernio", NULL };

	lab_run(unload);
	return nfsfile_leave(state);
}

static void add(struct rows *rows, CMUnitTestFunction func, const struct row *row, const char *what)
{
	rows_add(rows,
		 (struct CMUnitTest){
			 .test_func = func,
			 .teardown_func = cleanup,
			 .initial_state = (void *)(uintptr_t)row,
		 },
		 "v%s %s %s %s", row->version, row->write ? "write" : "read", row->kind, what);
}

int main(int argc, char **argv)
{
	static const struct row killed[] = {
		{ "3", true, "page" },	    { "3", false, "slab" },	 { "3", true, "vmalloc" },
		{ "4.2", false, "page" },   { "4.2", true, "slab" },	 { "4.2", false, "slab" },
		{ "4.2", true, "vmalloc" }, { "4.2", false, "vmalloc" },
	};
	static const struct row kvec[] = { { "4.2", true, "kvec" }, { "4.2", false, "kvec" } };
	static const struct row loop[] = { { "4.2", true, "loop" }, { "4.2", false, "loop" } };
	struct rows rows = { 0 };
	int rc = lab_main_setup(argc, argv);

	if (rc)
		return rc;
	for (size_t i = 0; i < sizeof(killed) / sizeof(killed[0]); i++)
		add(&rows, test_killed, &killed[i], "memory of the kernel, killed");
	for (size_t i = 0; i < 2; i++)
		add(&rows, test_kvec, &kvec[i], "refused");
	for (size_t i = 0; i < 2; i++)
		add(&rows, test_loop, &loop[i], "device, its user killed");
	return rows_run(&rows, "kernbuf", leave);
}
