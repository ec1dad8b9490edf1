// SPDX-License-Identifier: GPL-2.0
/*
 * The export is withdrawn while a client holds a layout of a file in it.
 *
 * A data server then fails what it is sent, and there is no other layout to send it
 * again with.  The I/O has to fail: a header whose requests went elsewhere does not
 * count them itself, and if nothing else does, read(2) returns 0, which an application
 * takes for the end of the file.
 *
 * With a block layout, a part of a request can be read from the disk before the client
 * asks for a layout of the rest, and does not get it.  What is on its way then counts,
 * although the request as a whole has failed.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/evidence.h"
#include "../lib/io.h"
#include "../lib/lab.h"
#include "../lib/nfsfile.h"
#include "../lib/pattern.h"
#include "../lib/rows.h"

#define FILE_SIZE (2UL << 20)
#define LEN	  (64UL << 10)
#define SECTOR	  512UL
#define OLD_SEED  201
#define NEW_SEED  202
/* What is exported, as mountd reads it: see exportfs(8). */
#define ETAB	   "/var/lib/nfs/etab"
#define SAVED_ETAB "/tmp/etab"

/**
 * struct row - one test
 * @layout:	as lab-nfs calls it: netid of the data server, or kind of disk
 * @write:	direction, as the file sees it
 * @kind:	where the buffer lives
 */
struct row {
	const char *layout;
	bool write;
	enum mem_kind kind;
};

static struct nfsfile file = NFSFILE_CLOSED;
static struct membuf buf;

/*
 * Mount anew each time: to the client, the file is stale once and for all.
 *
 * With the export, the server forgets the client's address, and refuses the lease to
 * it.  If that is noticed before the I/O is over, the I/O waits for the state manager to
 * give up, and is -EIO (nfs4_client_recover_expired_lease()).  A lease of 10 seconds is
 * renewed after less than 7, too soon where the guest is slow.
 */
static void prepare(const struct row *row)
{
	const char *const extra[] = { "--pnfs", row->layout, "--lease", "300", NULL };
	int rc;

	nfsfile_close(&file);
	if (lab_mount_with("4.2", "rdma", extra))
		fail_msg("lab-nfs up --pnfs %s failed", row->layout);
	nfsfile_open(&file, "withdrawn", FILE_SIZE);
	rc = membuf_alloc(&buf, row->kind, LEN);
	if (rc)
		fail_msg("no %s buffer: %s", mem_name(row->kind), strerror(-rc));
}

static void withdraw(void)
{
	lab_must((const char *const[]){ "cp", ETAB, SAVED_ETAB, NULL });
	lab_must((const char *const[]){ "exportfs", "-u", "*:" LAB_EXPORT, NULL });
}

/* The mount could not be undone without it. */
static void restore(void)
{
	if (access(SAVED_ETAB, F_OK))
		return;
	lab_must((const char *const[]){ "mv", SAVED_ETAB, ETAB, NULL });
	lab_must((const char *const[]){ "exportfs", "-f", NULL });
}

/* Which of them depends on what the server has still got in its caches. */
static void assert_withdrawn(ssize_t done)
{
	if (done != -ESTALE && done != -EACCES)
		fail_msg("the I/O returned %zd, and not that the export is gone", done);
}

/*
 * Pages stay pinned until the last of the I/O is over, which for a part of it that has
 * failed can be after the system call has returned.
 */
static void expect_no_pins(const struct evidence *before)
{
	struct evidence now;

	for (int i = 0; i < 50; i++) {
		evidence_take(&now);
		if (now.pins.acquired - before->pins.acquired ==
		    now.pins.released - before->pins.released)
			break;
		usleep(100 * 1000);
	}
	evidence_check_pins(before);
}

static void test_nothing_resent(void **state)
{
	const struct row *row = *state;
	struct evidence before;

	prepare(row);
	nfsfile_server_fill(&file, FILE_SIZE, OLD_SEED, 0);
	pattern_fill(buf.data, LEN, OLD_SEED, 0);
	/* The layout is there, and the data server is known. */
	assert_int_equal(io_one(IO_SYNC, row->write, file.client, buf.data, LEN, 0), LEN);
	pattern_fill(buf.data, LEN, NEW_SEED, 0);
	evidence_take(&before);
	withdraw();
	assert_withdrawn(io_one(IO_SYNC, row->write, file.client, buf.data, LEN, 0));
	nfsfile_server_check(&file, FILE_SIZE, OLD_SEED, 0);
	nfsfile_buffer_check(buf.data, LEN, NEW_SEED, 0, mem_name(row->kind));
	expect_no_pins(&before);
}

/* The file's first extent is @LEN bytes, and so is the layout that a read of it gets. */
static void test_part_sent(void **state)
{
	const struct row *row = *state;
	struct mount_stats mounted, warm;
	struct evidence before;

	prepare(row);
	nfsfile_server_fill(&file, LEN, OLD_SEED, 0);
	assert_return_code(fsync(file.server), errno);
	assert_int_equal(mount_stats_read(LAB_MOUNT, &mounted), 0);
	assert_int_equal(io_one(IO_SYNC, false, file.client, buf.data, LEN, 0), LEN);
	assert_int_equal(mount_stats_read(LAB_MOUNT, &warm), 0);
	/* By the disk: what the server is asked for as well would be refused as a whole. */
	assert_int_equal(warm.read.ops, mounted.read.ops);
	evidence_take(&before);
	withdraw();
	assert_int_equal(
		io_one(IO_SYNC, false, file.client, buf.data, 4 * SECTOR, (off_t)(LEN - SECTOR)),
		SECTOR);
	nfsfile_buffer_check(buf.data, SECTOR, OLD_SEED, LEN - SECTOR, mem_name(row->kind));
	expect_no_pins(&before);
}

static int cleanup(void **state)
{
	(void)state;
	membuf_free(&buf);
	restore();
	nfsfile_close(&file);
	return 0;
}

static void add(struct rows *rows, CMUnitTestFunction func, const struct row *row, const char *what)
{
	const struct CMUnitTest test = {
		.test_func = func,
		.teardown_func = cleanup,
		.initial_state = (void *)(uintptr_t)row,
	};

	rows_add(rows, test, "%s layout: %s of %s %s", row->layout, row->write ? "write" : "read",
		 mem_name(row->kind), what);
}

int main(int argc, char **argv)
{
	static const struct row resent[] = {
		{ "tcp", false, MEM_RAM },
		{ "tcp", true, MEM_RAM },
		{ "rdma", false, MEM_BAR },
		{ "rdma", true, MEM_BAR },
	};
	static const struct row part = { "block", false, MEM_RAM };
	int rc = lab_main_setup(argc, argv);
	struct rows rows = { 0 };

	if (rc)
		return rc;
	for (size_t i = 0; i < sizeof(resent) / sizeof(resent[0]); i++)
		add(&rows, test_nothing_resent, &resent[i], "fails if it cannot be sent again");
	add(&rows, test_part_sent, &part, "counts what was sent of a request");
	return rows_run(&rows, "withdrawn", nfsfile_leave);
}
