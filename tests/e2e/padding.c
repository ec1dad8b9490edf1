// SPDX-License-Identifier: GPL-2.0
/*
 * Direct I/O of a length that is no multiple of four, into and out of buffers that
 * end a few bytes behind the start of a page: in the reply, the last page begins in
 * the middle of an XDR word, and the padding of the payload is elsewhere.
 *
 * All of an I/O's bytes move, and what surrounds the buffer stays as it is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/io.h"
#include "../lib/lab.h"
#include "../lib/nfsfile.h"
#include "../lib/p2pmem.h"
#include "../lib/pattern.h"
#include "../lib/rows.h"

#define PAGE	  4096UL
#define PAGES	  4
#define FILE_SIZE (64UL << 10)
#define POSITION  777 /* in the file, bytes */
#define AROUND	  0x5a

static const char *const versions[] = { "3", "4.2" };
static const char *const protos[] = { "rdma", "tcp" };

/* Bytes in front of the buffer's last page. */
static const size_t in_front[] = { 1, 2, 3, 5, 238, PAGE - 1, PAGE + 1, 2 * PAGE - 3 };

#define IN_FRONT (sizeof(in_front) / sizeof(in_front[0]))
#define MAX_LAST 5 /* bytes in the last page, at most */
#define MAX_ROWS 8

/**
 * struct row - one test
 * @version:	NFS version
 * @proto:	transport
 * @write:	direction, as the file sees it
 */
struct row {
	const char *version;
	const char *proto;
	bool write;
};

static struct row rows[MAX_ROWS];
static struct nfsfile file = NFSFILE_CLOSED;
static struct membuf buf;

static void check_around(const unsigned char *data, size_t len)
{
	for (const unsigned char *p = buf.data; p < (unsigned char *)buf.data + buf.size; p++)
		if ((p < data || p >= data + len) && *p != AROUND)
			fail_msg("%zu bytes at %#zx: byte %zd of the buffer was overwritten", len,
				 (size_t)data % PAGE, p - data);
}

static void one_io(const struct row *row, size_t front, size_t last)
{
	unsigned char *data = (unsigned char *)buf.data + (PAGES - 1) * PAGE - front;
	size_t len = front + last;
	uint64_t seed = len + last;
	ssize_t done;

	memset(buf.data, AROUND, buf.size);
	if (row->write) {
		pattern_fill(data, len, seed, POSITION);
		nfsfile_guard(&file, len, POSITION);
	} else {
		nfsfile_server_fill(&file, len, seed, POSITION);
	}
	done = io_one(IO_SYNC, row->write, file.client, data, len, POSITION);
	if (done != (ssize_t)len)
		fail_msg("%zu bytes, %zu of them in the last page: %zd (%s)", len, last, done,
			 done < 0 ? strerror((int)-done) : "too few");
	if (row->write) {
		nfsfile_server_check(&file, len, seed, POSITION);
		nfsfile_guard_check(&file, len, POSITION);
	} else {
		nfsfile_buffer_check(data, len, seed, POSITION, "the buffer");
	}
	check_around(data, len);
}

static void run_row(void **state)
{
	const struct row *row = *state;

	nfsfile_mount(&file, row->version, row->proto, "padding", FILE_SIZE);
	assert_int_equal(membuf_alloc(&buf, MEM_RAM, PAGES * PAGE), 0);
	for (size_t i = 0; i < IN_FRONT; i++)
		for (size_t last = 1; last <= MAX_LAST; last++)
			one_io(row, in_front[i], last);
}

static int free_buffer(void **state)
{
	(void)state;
	membuf_free(&buf);
	return 0;
}

int main(int argc, char **argv)
{
	int rc = lab_main_setup(argc, argv);
	struct rows tests = { 0 };

	if (rc)
		return rc;
	for (int i = 0; i < MAX_ROWS; i++) {
		rows[i] = (struct row){ versions[i / 4], protos[i / 2 % 2], i % 2 };
		rows_add(&tests,
			 (struct CMUnitTest){
				 .test_func = run_row,
				 .teardown_func = free_buffer,
				 .initial_state = &rows[i],
			 },
			 "v%s %s, %s", rows[i].version, rows[i].proto,
			 rows[i].write ? "write" : "read");
	}
	return rows_run(&tests, "padding", nfsfile_leave);
}
