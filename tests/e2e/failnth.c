// SPDX-License-Identifier: GPL-2.0
/*
 * What if memory runs out, in one place after the other?  One allocation of a system
 * call fails, or one that rpciod makes for it, up to the last one.  Direct I/O has to
 * end: with all data, with fewer, or with -ENOMEM, and never with wrong ones.  It keeps
 * no page, and the next one works.
 *
 * The worker that connects makes hundreds, and so does the one that makes memory
 * regions for RPCs that got none; of these, some fail here.  The mount is a hard one,
 * so that the I/O has to wait for the next attempt, and be whole.
 *
 * With LOCALIO, an allocation that fails where READ or WRITE would be started
 * locally must send it to the server.  Needs the debug kernel.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/evidence.h"
#include "../lib/fault.h"
#include "../lib/io.h"
#include "../lib/lab.h"
#include "../lib/local.h"
#include "../lib/nfsfile.h"
#include "../lib/pattern.h"
#include "../lib/rows.h"
#include "../lib/xprts.h"

#define NAME	  "failnth"
#define FILE_SIZE (256UL << 10)
#define OLD_SEED  1
#define NEW_SEED  2
#define MAX_N	  2000 /* more than any of these system calls allocates */
/* What rpciod may have before it gets no more grows by this: less than it asks for at once. */
#define STEP	   128
#define SMALL_RPCS "rsize=16384,wsize=16384"
#define NAP	   10000 /* microseconds */
#define PATIENCE   1000	 /* naps */

/**
 * enum where - whose allocations fail
 * @CALLER:	those of the system call
 * @RPCIOD:	those of the workers that encode and send RPCs
 * @CONNECT:	those of the one that connects, after the connection was lost
 * @REFRESH:	those of the one that makes more memory regions: a new connection has
 *		fewer than an I/O of many RPCs needs at once
 * @START:	those of LOCALIO when it starts a READ or WRITE.  Which of the system
 *		call's these are varies from call to call
 */
enum where {
	CALLER,
	RPCIOD,
	CONNECT,
	REFRESH,
	START,
};

/**
 * struct row - one test
 * @version:	NFS version
 * @local:	by LOCALIO
 * @write:	direction, as the file sees it
 * @kind:	kind of memory
 * @len:	bytes
 * @where:	what fails
 */
struct row {
	const char *version;
	bool local;
	bool write;
	enum mem_kind kind;
	size_t len;
	enum where where;
};

/**
 * struct tally - how the attempts of one test ended
 * @full:	as if nothing had failed
 * @rpc:	of all: by way of an RPC, although LOCALIO was in use
 * @partial:	with some of the data
 * @error:	with -ENOMEM
 */
struct tally {
	unsigned int full, rpc, partial, error;
};

static struct nfsfile file = NFSFILE_CLOSED;
static struct membuf buf;
static char mounted[48];

/* What a worker may have at the @n-th attempt, bytes. */
static size_t allowance(enum where where, unsigned int n)
{
	size_t bytes = STEP;

	if (where == RPCIOD || where == START)
		return (size_t)(n - 1) * STEP;
	while (n-- > 1)
		bytes += bytes / 2;
	return bytes - STEP;
}

/*
 * The next RPC has to find that the connection is gone: one that is sent into it waits
 * for its answer, and does not learn how the next attempt to connect ends.
 */
static void lose_connection(void)
{
	const unsigned int connected = xprts_connected();

	assert_return_code(nic_control("kill"), 0);
	for (int i = 0; xprts_connected() >= connected; i++) {
		if (i == PATIENCE)
			fail_msg("the transport has not noticed that its connection is gone");
		usleep(NAP);
	}
}

/* A connection with no more memory regions than it is born with. */
static void connect_anew(void)
{
	static unsigned char page[4096] __attribute__((aligned(4096)));

	lose_connection();
	assert_int_equal(io_one(IO_SYNC, false, file.client, page, sizeof(page), 0), sizeof(page));
}

/* The @n-th allocation from here on fails, or one of the workers'. */
static void arm(const struct row *row, unsigned int n)
{
	if (row->where == REFRESH)
		connect_anew();
	if (row->where == CALLER)
		fault_arm(n);
	else
		fault_arm_below(allowance(row->where, n));
	if (row->where == CONNECT)
		lose_connection();
}

/* Return: did it get that far? */
static bool disarm(const struct row *row)
{
	return row->where == CALLER ? fault_disarm() : fault_disarm_below();
}

static void aim(enum where where)
{
	if (where == RPCIOD)
		fault_aim("rpc_async_schedule", "sunrpc");
	else if (where == CONNECT)
		fault_aim("xprt_rdma_connect_worker", "rpcrdma");
	else if (where == REFRESH)
		fault_aim("rpcrdma_mr_refresh_worker", "rpcrdma");
	else if (where == START)
		fault_aim("nfs_local_doio", "nfs");
}

/* @options: of the mount, or NULL. */
static void mount_as(const char *version, bool local, const char *options)
{
	const char *const words[] = { "-o", options, NULL };
	char wanted[sizeof(mounted)];

	snprintf(wanted, sizeof(wanted), "%s %s %s", version, local ? "local" : "rdma",
		 options ? options : "");
	if (!strcmp(wanted, mounted))
		return;
	mounted[0] = '\0';
	nfsfile_close(&file);
	local_switch(local);
	if (lab_mount_with(version, "rdma", options ? words : NULL))
		fail_msg("lab-nfs up --vers %s failed", version);
	nfsfile_open(&file, NAME, FILE_SIZE);
	snprintf(mounted, sizeof(mounted), "%s", wanted);
}

/* Each byte is the old one or the new one. */
static void check_mixture(const unsigned char *data, size_t len)
{
	static unsigned char old[FILE_SIZE], new[FILE_SIZE];

	pattern_fill(old, len, OLD_SEED, 0);
	pattern_fill(new, len, NEW_SEED, 0);
	for (size_t i = 0; i < len; i++)
		if (data[i] != old[i] && data[i] != new[i])
			fail_msg("byte %zu: 0x%02x was never written", i, data[i]);
}

/* The first @done bytes have arrived, and there is nothing that should not be. */
static void check_data(const struct row *row, size_t done)
{
	static unsigned char found[FILE_SIZE];

	if (!row->write) {
		nfsfile_server_check(&file, row->len, OLD_SEED, 0);
		nfsfile_buffer_check(buf.data, done, OLD_SEED, 0, "buffer");
		memcpy(found, buf.data, row->len);
	} else {
		nfsfile_buffer_check(buf.data, row->len, NEW_SEED, 0, "buffer");
		nfsfile_server_check(&file, done, NEW_SEED, 0);
		assert_int_equal(pread(file.server, found, row->len, 0), row->len);
	}
	check_mixture(found, row->len);
}

static bool refused(const struct row *row)
{
	return row->local && row->kind != MEM_RAM;
}

static ssize_t move(const struct row *row)
{
	return io_one(IO_SYNC, row->write, file.client, buf.data, row->len, 0);
}

static void prepare(const struct row *row)
{
	nfsfile_server_fill(&file, row->len, OLD_SEED, 0);
	pattern_fill(buf.data, row->len, NEW_SEED, 0);
}

static ssize_t whole(const struct row *row)
{
	return refused(row) ? -EREMOTEIO : (ssize_t)row->len;
}

/* How did it end, and may it end like that? */
static void count(const struct row *row, unsigned int n, ssize_t done, struct tally *tally)
{
	if (done == whole(row))
		tally->full++;
	else if (done > 0 && done < whole(row))
		tally->partial++;
	else if (done == -ENOMEM)
		tally->error++;
	else
		fail_msg("call %u failed: %s", n,
			 done < 0 ? strerror((int)-done) : "wrong number of bytes");
}

/* One attempt.  Return: did an allocation fail? */
static bool attempt(const struct row *row, unsigned int n, struct tally *tally)
{
	uint64_t rpcs;
	ssize_t done;
	bool hit;

	prepare(row);
	rpcs = local_data_rpcs();
	arm(row, n);
	done = move(row);
	hit = disarm(row);
	if (hit)
		count(row, n, done, tally);
	else
		assert_int_equal(done, whole(row));
	tally->rpc += hit && row->local && local_data_rpcs() > rpcs;
	check_data(row, done < 0 ? 0 : done);
	return hit;
}

/* The same without a failure; LOCALIO may have to find its server again. */
static void plain(const struct row *row)
{
	if (row->local)
		local_wait(&file);
	prepare(row);
	assert_int_equal(move(row), whole(row));
	check_data(row, refused(row) ? 0 : row->len);
}

static void say(const struct tally *t, unsigned int calls)
{
	print_message(
		"# %u calls failed one by one: %u whole (%u by RPC instead), %u short, %u errors\n",
		calls, t->full, t->rpc, t->partial, t->error);
}

static void test_io(void **state)
{
	const struct row *row = *state;
	struct tally tally = { 0 };
	struct evidence before;
	unsigned int n = 0;

	mount_as(row->version, row->local, row->where == REFRESH ? SMALL_RPCS : NULL);
	assert_int_equal(membuf_alloc(&buf, row->kind, row->len), 0);
	/* What is allocated once, and then kept. */
	plain(row);
	aim(row->where);
	evidence_start(&before);
	while (attempt(row, ++n, &tally)) {
		plain(row);
		assert_true(n < MAX_N);
	}
	evidence_check_pins(&before);
	say(&tally, n - 1);
	assert_true(n > 1);
	if (row->where == CONNECT || row->where == REFRESH)
		assert_int_equal(tally.full, n - 1);
	/* There are allocations that LOCALIO can do without. */
	if (row->where == START)
		assert_true(tally.rpc > 0);
}

/* Open the file, map it, and have its pages read. */
static void *open_and_map(int *fd)
{
	void *p;

	*fd = open(LAB_MOUNT "/" NAME, O_RDWR | O_CLOEXEC);
	if (*fd < 0)
		return MAP_FAILED;
	posix_fadvise(*fd, 0, 0, POSIX_FADV_DONTNEED);
	p = mmap(NULL, FILE_SIZE, PROT_READ, MAP_SHARED | MAP_POPULATE, *fd, 0);
	return p;
}

static void test_open(void **state)
{
	struct tally tally = { 0 };
	unsigned int n = 0;
	bool hit;

	mount_as(*state, false, NULL);
	nfsfile_server_fill(&file, FILE_SIZE, OLD_SEED, 0);
	do {
		int fd, rc;
		void *p;

		fault_arm(++n);
		p = open_and_map(&fd);
		rc = errno;
		hit = fault_disarm();
		if (p == MAP_FAILED && (rc != ENOMEM || !hit))
			fail_msg("call %u: %s", n, strerror(rc));
		tally.full += hit && p != MAP_FAILED;
		tally.error += hit && p == MAP_FAILED;
		if (p != MAP_FAILED) {
			nfsfile_buffer_check(p, FILE_SIZE, OLD_SEED, 0, "mapping");
			munmap(p, FILE_SIZE);
		}
		if (fd >= 0)
			close(fd);
		p = open_and_map(&fd);
		assert_ptr_not_equal(p, MAP_FAILED);
		nfsfile_buffer_check(p, FILE_SIZE, OLD_SEED, 0, "mapping");
		munmap(p, FILE_SIZE);
		close(fd);
	} while (hit && n < MAX_N);
	assert_false(hit);
	say(&tally, n - 1);
}

static int clean_up(void **state)
{
	(void)state;
	fault_disarm();
	fault_disarm_below();
	fault_aim(NULL, NULL);
	membuf_free(&buf);
	return 0;
}

static int enter(void)
{
	/* Loads the modules. */
	if (lab_mount("3", "rdma") || !local_exists() || fault_enter())
		return 1;
	local_probe_v3();
	return 0;
}

static int leave(void **state)
{
	(void)state;
	nfsfile_close(&file);
	local_switch(false);
	return lab_unmount();
}

static void add_io(struct rows *rows, const struct row *row)
{
	static const char *const where[] = { "",
					     "rpciod: ", "connect: ", "refresh: ", "localio: " };
	struct row *copy = malloc(sizeof(*copy));

	if (!copy)
		exit(2);
	*copy = *row;

	rows_add(rows,
		 (struct CMUnitTest){
			 .test_func = test_io,
			 .teardown_func = clean_up,
			 .initial_state = copy,
		 },
		 "%sv%s %s %s %s %zu", where[row->where], row->version,
		 row->local ? "LOCALIO" : "RDMA", row->write ? "write" : "read",
		 mem_name(row->kind), row->len);
}

static void add_version(struct rows *rows, const char *version)
{
	static const size_t lens[] = { 3 * 4096, 65536 };

	for (int i = 0; i < 2 * 2 * 2; i++) {
		struct row row = { version,	false, i % 2, i / 2 % 2 ? MEM_BAR : MEM_RAM,
				   lens[i / 4], CALLER };

		add_io(rows, &row);
	}
	rows_add(rows,
		 (struct CMUnitTest){
			 .test_func = test_open,
			 .teardown_func = clean_up,
			 .initial_state = (void *)(uintptr_t)version,
		 },
		 "v%s open and map", version);
	for (int i = 0; i < 2 * 2; i++) {
		struct row row = { version, true, i % 2, i / 2 ? MEM_CMB : MEM_RAM, 65536, CALLER };

		add_io(rows, &row);
	}
	for (int i = 0; i < 2 * 2; i++) {
		struct row row = {
			version, false, i % 2, i / 2 ? MEM_BAR : MEM_RAM, 65536, RPCIOD
		};

		add_io(rows, &row);
	}
	add_io(rows, &(struct row){ version, false, false, MEM_BAR, 65536, CONNECT });
	add_io(rows, &(struct row){ version, false, true, MEM_RAM, 65536, CONNECT });
	add_io(rows, &(struct row){ version, false, false, MEM_BAR, FILE_SIZE, REFRESH });
	add_io(rows, &(struct row){ version, false, true, MEM_BAR, FILE_SIZE, REFRESH });
	add_io(rows, &(struct row){ version, true, false, MEM_RAM, 65536, START });
	add_io(rows, &(struct row){ version, true, true, MEM_RAM, 65536, START });
}

int main(int argc, char **argv)
{
	int rc = lab_main_setup(argc, argv);
	struct rows rows = { 0 };

	rc = rc ? rc : enter();
	if (rc)
		return rc;
	add_version(&rows, "3");
	add_version(&rows, "4.2");
	return rows_run(&rows, "failnth", leave);
}
