// SPDX-License-Identifier: GPL-2.0
/* The parts of nfsp2p cp that need no NFS and no provider; the pipeline is in nfsp2p-ring. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../tools/nfsp2p/dest.h"
#include "../../tools/nfsp2p/evidence.h"
#include "../../tools/nfsp2p/progress.h"
#include "../../tools/nfsp2p/resume.h"
#include "../../tools/nfsp2p/size.h"
#include "../../tools/nfsp2p/verify.h"
#include "../../tools/nfsp2p/walk.h"
#include "../lib/lab.h"
#include "../lib/tempdir.h"
#include "nfsp2p/synced.h"

#define MIB (1UL << 20)

static void test_size(void **state)
{
	static const struct {
		const char *text;
		int rc;
		uint64_t bytes;
	} rows[] = {
		{ "0", 0, 0 },
		{ "4096", 0, 4096 },
		{ "64K", 0, 65536 },
		{ "1m", 0, MIB },
		{ "3G", 0, 3072 * MIB },
		{ "16777215T", 0, 0xffffff0000000000 },
		{ "16777216T", -EINVAL, 0 },
		{ "99999999999999999999", -EINVAL, 0 },
		{ "", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ " 1", -EINVAL, 0 },
		{ "K", -EINVAL, 0 },
		{ "1KB", -EINVAL, 0 },
		{ "1.5M", -EINVAL, 0 },
	};
	uint64_t bytes;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(size_parse(rows[i].text, &bytes), rows[i].rc);
		if (!rows[i].rc)
			assert_int_equal(bytes, rows[i].bytes);
	}
}

static const struct resume sample = {
	.ino = 123456789012345,
	.size = 10 * MIB + 17,
	.mtime = { 1795691895, 645493862 },
	.block = MIB,
	.done = 3 * MIB,
	.host = "some-host.example",
	.pid = 4711,
};

static void test_record(void **state)
{
	char record[RESUME_RECORD], bad[RESUME_RECORD];
	struct resume r;

	(void)state;
	resume_format(&sample, record);
	assert_int_equal(record[RESUME_RECORD - 1], '\n');
	assert_int_equal(resume_parse(record, &r), 0);
	assert_memory_equal(&r.mtime, &sample.mtime, sizeof(r.mtime));
	assert_int_equal(r.ino, sample.ino);
	assert_int_equal(r.size, sample.size);
	assert_int_equal(r.block, sample.block);
	assert_int_equal(r.done, sample.done);
	assert_int_equal(r.pid, sample.pid);
	assert_string_equal(r.host, sample.host);
	/* Any bit of the text may be wrong, and any part of it missing. */
	for (size_t i = 0; record[i] != ' ' || record[i + 1] != ' '; i++) {
		memcpy(bad, record, sizeof(bad));
		bad[i] ^= 1;
		assert_int_equal(resume_parse(bad, &r), -EPROTO);
		memset(bad + i, 0, sizeof(bad) - i);
		assert_int_equal(resume_parse(bad, &r), -EPROTO);
	}
	memset(bad, 'x', sizeof(bad));
	assert_int_equal(resume_parse(bad, &r), -EPROTO);
}

static void test_judge(void **state)
{
	const struct file_id src = { .ino = sample.ino,
				     .size = sample.size,
				     .mtime = sample.mtime };
	struct file_id other = src;
	struct resume r = sample;

	(void)state;
	assert_int_equal(resume_judge(&r, &src, MIB, 4 * MIB), RESUME_OK);
	assert_int_equal(resume_judge(&r, &src, MIB, 0), RESUME_OK);
	assert_int_equal(resume_judge(&r, &src, MIB / 2, 4 * MIB), RESUME_BLOCK);
	assert_int_equal(resume_judge(&r, &src, MIB, src.size + 1), RESUME_BAD);
	other.size++;
	assert_int_equal(resume_judge(&r, &other, MIB, 4 * MIB), RESUME_OTHER);
	other = src;
	other.mtime.tv_nsec++;
	assert_int_equal(resume_judge(&r, &other, MIB, 4 * MIB), RESUME_OTHER);
	other = src;
	other.ino++;
	assert_int_equal(resume_judge(&r, &other, MIB, 4 * MIB), RESUME_OTHER);
	r.done = 11 * MIB;
	assert_int_equal(resume_judge(&r, &src, MIB, 0), RESUME_BAD);
	r.done = 3 * MIB + 1;
	assert_int_equal(resume_judge(&r, &src, MIB, 0), RESUME_BAD);
}

/* An image is never taken for a complete one. */
static void test_complete(void **state)
{
	struct file src = { .kind = FILE_LOCAL,
			    .id = { .size = sample.size, .mtime = sample.mtime } };
	struct stat st = { .st_size = (off_t)sample.size, .st_mtim = sample.mtime };

	(void)state;
	assert_true(resume_complete(&src, &st));
	src.kind = FILE_BLOCK;
	assert_false(resume_complete(&src, &st));
	src.kind = FILE_NFS;
	assert_true(resume_complete(&src, &st));
	st.st_size--;
	assert_false(resume_complete(&src, &st));
	st.st_size++;
	st.st_mtim.tv_nsec++;
	assert_false(resume_complete(&src, &st));
}

static void digest_of(const char *name, uint64_t size, unsigned char digest[DIGEST_SIZE])
{
	struct file f = { .path = temp_path(name), .align = 1 };
	uint64_t bytes = 0;

	f.fd = open(f.path, O_RDONLY);
	assert_int_equal(digest_file(&f, size, digest, &bytes), 0);
	close(f.fd);
}

static void test_digest(void **state)
{
	unsigned char a[DIGEST_SIZE], b[DIGEST_SIZE], c[DIGEST_SIZE];
	const size_t size = 3 * MIB + 1;
	int fd = open(temp_path("holes"), O_RDWR | O_CREAT | O_TRUNC, 0644);
	char *zeros = calloc(1, size);

	(void)state;
	assert_non_null(zeros);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	assert_int_equal(pwrite(fd, "data", 4, 2 * MIB - 2), 4);
	digest_of("holes", size, a);
	close(fd);
	/* The same bytes without holes. */
	fd = open(temp_path("full"), O_RDWR | O_CREAT | O_TRUNC, 0644);
	assert_int_equal(pwrite(fd, zeros, size, 0), size);
	assert_int_equal(pwrite(fd, "data", 4, 2 * MIB - 2), 4);
	digest_of("full", size, b);
	assert_memory_equal(a, b, DIGEST_SIZE);
	/* One bit more, at the very end; then the same data elsewhere. */
	assert_int_equal(pwrite(fd, "\1", 1, (off_t)size - 1), 1);
	digest_of("full", size, c);
	assert_memory_not_equal(a, c, DIGEST_SIZE);
	assert_int_equal(pwrite(fd, zeros, size, 0), size);
	assert_int_equal(pwrite(fd, "data", 4, MIB - 2), 4);
	digest_of("full", size, c);
	assert_memory_not_equal(a, c, DIGEST_SIZE);
	close(fd);
	free(zeros);
}

static void test_target(void **state)
{
	char to[64], small[8];

	(void)state;
	assert_int_equal(walk_target(to, sizeof(to), "/a/b", "/dst", true), 0);
	assert_string_equal(to, "/dst/b");
	assert_int_equal(walk_target(to, sizeof(to), "b", "dst", false), 0);
	assert_string_equal(to, "dst");
	assert_int_equal(walk_target(to, sizeof(to), "/", "/dst", true), -EINVAL);
	assert_int_equal(walk_target(to, sizeof(to), "a/..", "/dst", true), -EINVAL);
	assert_int_equal(walk_target(small, sizeof(small), "/a/b", "/dst-dst", true),
			 -ENAMETOOLONG);
	assert_true(walk_inside(temp_dir, temp_path("new")));
	assert_true(walk_inside(temp_dir, temp_dir));
	assert_false(walk_inside(temp_path("new"), temp_dir));
	assert_false(walk_inside(temp_dir, "/tmp"));
}

static void test_temp(void **state)
{
	char path[PATH_MAX], name[256];

	(void)state;
	assert_int_equal(dest_path(path, "/a/file", "part"), 0);
	assert_string_equal(path, "/a/.file.nfsp2p-part");
	assert_int_equal(dest_path(path, "file", "part"), 0);
	assert_string_equal(path, ".file.nfsp2p-part");
	/* The longest name has a temporary one, too. */
	memset(name, 'n', 255);
	name[255] = '\0';
	assert_int_equal(dest_path(path, name, "4194304-4294967295"), 0);
	assert_true(strlen(path) <= 255);
}

static void open_both(struct file *src, struct dest *d, bool resume)
{
	assert_int_equal(file_open(src, temp_path("src"), O_RDONLY, 0), 0);
	assert_int_equal(dest_open(d, temp_path("dst"), src, resume, 4096), 0);
}

static void test_dest(void **state)
{
	struct file src;
	struct dest d;

	(void)state;
	close(temp_file("src", 100000, 1));
	open_both(&src, &d, false);
	assert_int_equal(access(d.path, F_OK), -1);
	dest_abandon(&d, true);
	assert_int_equal(access(d.path, F_OK), -1);
	assert_int_equal(access(d.temp, F_OK), -1);
	file_close(&src);
	/* With a record, and some of it done: it stays, and is found again. */
	open_both(&src, &d, true);
	assert_int_equal(ftruncate(d.file.fd, 50000), 0);
	assert_int_equal(dest_checkpoint(&d, 40961), 0);
	dest_abandon(&d, true);
	assert_int_equal(access(d.path, F_OK), -1);
	file_close(&src);
	open_both(&src, &d, true);
	assert_int_equal(d.start, 40960);
	assert_int_equal(lseek(d.file.fd, 0, SEEK_END), 40960);
	dest_abandon(&d, true);
	file_close(&src);
	/* Not for another version of the source. */
	close(temp_file("src", 100001, 1));
	open_both(&src, &d, true);
	assert_int_equal(d.start, 0);
	assert_int_equal(lseek(d.file.fd, 0, SEEK_END), 0);
	assert_int_equal(dest_commit(&d), 0);
	assert_int_equal(access(d.path, F_OK), 0);
	assert_int_equal(access(d.temp, F_OK), -1);
	assert_int_equal(access(d.state, F_OK), -1);
	file_close(&src);
}

/* Leaves 8192 bytes to go on with. */
static void leave_some(void)
{
	struct file src;
	struct dest d;

	open_both(&src, &d, true);
	assert_int_equal(dest_checkpoint(&d, 8192), 0);
	dest_abandon(&d, true);
	file_close(&src);
}

/* Ours is what belongs to whom our files belong to; a server has its own opinion. */
static void test_dest_owner(void **state)
{
	struct file src;
	struct dest d;

	(void)state;
	unlink(temp_path("dst"));
	unlink(temp_path("src"));
	assert_int_equal(chmod(temp_path(""), 0777), 0);
	/* Like root_squash: root makes files, and they are another user's. */
	setfsuid(2000);
	close(temp_file("src", 100000, 1));
	leave_some();
	open_both(&src, &d, true);
	setfsuid(0);
	assert_int_equal(d.start, 8192);
	dest_abandon(&d, true);
	file_close(&src);
	/* Without it, that is not our file. */
	open_both(&src, &d, true);
	assert_int_equal(d.start, 0);
	dest_abandon(&d, false);
	file_close(&src);
	unlink(temp_path("src"));
	assert_int_equal(chmod(temp_path(""), 0700), 0);
	assert_string_not_equal(resume_reason(RESUME_FOREIGN), resume_reason(RESUME_BAD));
}

/* The name is in stable storage before the record is gone, if folders can be synced. */
static void test_dest_name(void **state)
{
	static const int errors[] = { 0, EINVAL, EIO };
	struct file src;
	struct dest d;

	(void)state;
	close(temp_file("src", 100000, 1));
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		unlink(temp_path("dst"));
		open_both(&src, &d, true);
		memset(&synced, 0, sizeof(synced));
		synced.error = errors[i];
		memcpy(synced.name, d.path, sizeof(synced.name));
		memcpy(synced.state, d.state, sizeof(synced.state));
		assert_int_equal(dest_commit(&d), errors[i] == EIO ? -EIO : 0);
		assert_int_equal(synced.folders, 1);
		assert_true(synced.named && synced.recorded);
		assert_int_equal(access(d.path, F_OK), 0);
		assert_int_equal(access(d.state, F_OK), -1);
		file_close(&src);
	}
	synced.error = 0;
	/* Whatever a path looks like. */
	synced.folders = 0;
	assert_int_equal(dest_keep_name("name"), 0);
	assert_int_equal(dest_keep_name("/name"), 0);
	assert_int_equal(dest_keep_name("/tmp/name"), 0);
	assert_int_equal(synced.folders, 3);
	assert_int_equal(dest_keep_name("/nothing/name"), -ENOENT);
}

/* One process at a time; the lock tells, not a number that may be another's by now. */
static void test_dest_busy(void **state)
{
	char record[RESUME_RECORD];
	struct file src, other;
	struct dest d, late;
	struct resume r;

	(void)state;
	unlink(temp_path("dst"));
	close(temp_file("src", 100000, 1));
	open_both(&src, &d, true);
	assert_int_equal(dest_checkpoint(&d, 8192), 0);
	assert_int_equal(file_open(&other, temp_path("src"), O_RDONLY, 0), 0);
	assert_int_equal(dest_open(&late, temp_path("dst"), &other, true, 4096), -EBUSY);
	/* What it has is still there, and its record, too. */
	dest_abandon(&d, true);
	file_close(&src);
	open_both(&src, &d, true);
	assert_int_equal(d.start, 8192);
	/* A process that ended without a word; its number is that of init now. */
	r = d.record;
	r.pid = 1;
	resume_format(&r, record);
	assert_int_equal(pwrite(d.state_fd, record, sizeof(record), 0), sizeof(record));
	close(d.state_fd);
	file_close(&d.file);
	assert_int_equal(dest_open(&late, temp_path("dst"), &other, true, 4096), 0);
	assert_int_equal(late.start, 8192);
	dest_abandon(&late, false);
	assert_int_equal(access(d.state, F_OK), -1);
	file_close(&other);
	file_close(&src);
}

/* Somebody puts another file where the temporary one was. */
static void open_replaced(struct file *src, struct dest *d, bool resume)
{
	open_both(src, d, resume);
	assert_int_equal(unlink(d->temp), 0);
	assert_int_equal(link(temp_path("src"), d->temp), 0);
}

/* Nobody's file is renamed or removed but what was written. */
static void test_dest_foreign(void **state)
{
	struct file src;
	struct dest d;

	(void)state;
	unlink(temp_path("dst"));
	close(temp_file("src", 100000, 1));
	for (int i = 0; i < 2; i++) {
		open_replaced(&src, &d, i);
		assert_int_equal(dest_commit(&d), -EBUSY);
		assert_int_equal(access(d.path, F_OK), -1);
		assert_int_equal(unlink(d.temp), 0);
		file_close(&src);
		open_replaced(&src, &d, i);
		dest_abandon(&d, true);
		assert_int_equal(unlink(d.temp), 0);
		file_close(&src);
	}
}

/* Nothing tells whether a block device is what it was. */
static void test_dest_device(void **state)
{
	struct file src;
	struct dest d;

	(void)state;
	unlink(temp_path("dst"));
	close(temp_file("src", 100000, 1));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(file_open(&src, temp_path("src"), O_RDONLY, 0), 0);
		src.kind = FILE_BLOCK;
		assert_int_equal(dest_open(&d, temp_path("dst"), &src, true, 4096), 0);
		assert_int_equal(d.start, 0);
		assert_int_equal(ftruncate(d.file.fd, 50000), 0);
		assert_int_equal(dest_checkpoint(&d, 8192), 0);
		dest_abandon(&d, true);
		assert_int_equal(access(d.temp, F_OK), -1);
		file_close(&src);
	}
}

/* What was put there by someone is not gone on with. */
static void test_dest_link(void **state)
{
	struct file src;
	struct dest d;
	char temp[PATH_MAX];

	(void)state;
	unlink(temp_path("dst"));
	close(temp_file("src", 100000, 1));
	close(temp_file("secret", 100000, 3));
	open_both(&src, &d, true);
	assert_int_equal(dest_checkpoint(&d, 8192), 0);
	snprintf(temp, sizeof(temp), "%s", d.temp);
	dest_abandon(&d, true);
	file_close(&src);
	assert_int_equal(unlink(temp), 0);
	assert_int_equal(link(temp_path("secret"), temp), 0);
	open_both(&src, &d, true);
	assert_int_equal(d.start, 0);
	dest_abandon(&d, false);
	file_close(&src);
	temp_file_check(open(temp_path("secret"), O_RDONLY), 0, 100000, 3);
}

static bool evidence_text(const struct evidence *e, char text[1024])
{
	FILE *f = fmemopen(text, 1024, "w");
	bool right = evidence_print(e, f);

	fclose(f);
	return right;
}

static void test_evidence(void **state)
{
	struct evidence e = {
		.tally = { .files = 1,
			   .bytes = 1000,
			   .p2p_read[FILE_LOCAL] = 1000,
			   .p2p_written[FILE_NFS] = 1000 },
		.counters = { .p2p_write = 1000, .counted = true },
		.nfs = true,
		.provider = "0000:03:00.0",
		.why_host = "",
		.seconds = 1,
	};
	char text[1024];

	(void)state;
	assert_true(evidence_text(&e, text));
	assert_non_null(strstr(text, "NFS write 1000 (counted)"));
	assert_non_null(strstr(text, "local read 1000 (by construction)"));
	assert_non_null(strstr(text, "through host memory 0 (by construction)"));
	assert_non_null(strstr(text, "copied by the CPU 0 (counted)"));
	/* More may be others' work; less is not what we say it is. */
	e.counters.p2p_write = 1001;
	assert_true(evidence_text(&e, text));
	assert_non_null(strstr(text, "counted 1001"));
	e.counters.p2p_write = 999;
	assert_false(evidence_text(&e, text));
	assert_non_null(strstr(text, "WRONG"));
	e.counters.p2p_write = 1000;
	e.tally.tail = 17;
	evidence_text(&e, text);
	assert_non_null(strstr(text, "through host memory 17 (by construction: ends of files"));
	e.tally.host = 983;
	e.why_host = "not rdma";
	evidence_text(&e, text);
	assert_non_null(strstr(text, "through host memory 1000 (bounced: not rdma)"));
}

static void test_progress(void **state)
{
	char line[81];

	(void)state;
	assert_int_equal(progress_line(line, 80, "file", 50 * MIB, 100 * MIB, 5), 80);
	assert_non_null(strstr(line, " 50% [##########..........]"));
	assert_non_null(strstr(line, "10.0 MiB/s  ETA 0:05"));
	/* A long name, nothing done, nothing known, no time, more than all. */
	progress_line(line, 80, "/a/very/long/name/of/some/file/somewhere", 0, 0, 0);
	assert_int_equal(strlen(line), 80);
	progress_line(line, 80, "file", 3, 2, 1);
	assert_non_null(strstr(line, "100%"));
	progress_line(line, 10, "file", 3, 2, 1);
	assert_int_equal(strlen(line), 10);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_size),	   cmocka_unit_test(test_record),
		cmocka_unit_test(test_judge),	   cmocka_unit_test(test_digest),
		cmocka_unit_test(test_target),	   cmocka_unit_test(test_temp),
		cmocka_unit_test(test_dest),	   cmocka_unit_test(test_dest_link),
		cmocka_unit_test(test_complete),   cmocka_unit_test(test_dest_device),
		cmocka_unit_test(test_dest_busy),  cmocka_unit_test(test_dest_name),
		cmocka_unit_test(test_dest_owner), cmocka_unit_test(test_dest_foreign),
		cmocka_unit_test(test_evidence),   cmocka_unit_test(test_progress),
	};
	int rc = lab_main_setup(argc, argv);

	return rc ? rc
		  : cmocka_run_group_tests_name("nfsp2p-cp", tests, temp_dir_make, temp_dir_remove);
}
