// SPDX-License-Identifier: GPL-2.0
/* One file copied by nfsp2p cp, with host memory and without NFS. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../tools/nfsp2p/copy.h"
#include "../../tools/nfsp2p/items.h"
#include "../lib/lab.h"
#include "../lib/tempdir.h"
#include "nfsp2p/synced.h"

#define BLOCK 65536UL

static void begin(struct copier *c)
{
	*c = (struct copier){ 0 };
	assert_int_equal(
		payload_open(&c->payload, NULL, &(struct demand){ .block = BLOCK, .depth = 3 }), 0);
}

static int copy(struct copier *c, const char *from, const char *to)
{
	char source[PATH_MAX];

	snprintf(source, sizeof(source), "%s", temp_path(from));
	return copy_file(c, source, temp_path(to), 0);
}

/* Every byte is there, and accounted for. */
static void test_sizes(void **state)
{
	static const size_t sizes[] = {
		0, 1, 511, 512, 4096, 4097, BLOCK, 3 * BLOCK + 513, 1000003
	};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct copier c;
		struct stat st;
		int fd;

		begin(&c);
		close(temp_file("source", sizes[i], 1));
		assert_int_equal(copy(&c, "source", "copy"), 0);
		assert_int_equal(c.tally.files, 1);
		assert_int_equal(c.tally.bytes, sizes[i]);
		assert_int_equal(c.tally.host + c.tally.tail, sizes[i]);
		assert_true(c.tally.tail < 4096);
		fd = open(temp_path("copy"), O_RDONLY);
		assert_int_equal(fstat(fd, &st), 0);
		assert_int_equal(st.st_size, sizes[i]);
		temp_file_check(fd, 0, sizes[i], 1);
		close(fd);
		payload_close(&c.payload);
	}
}

/* As of cp(1): the mode of what is replaced, the source's with --preserve. */
static void test_modes(void **state)
{
	struct copier c;
	struct stat st;

	(void)state;
	begin(&c);
	close(temp_file("source", 5000, 1));
	close(temp_file("copy", 3, 2));
	assert_int_equal(chmod(temp_path("source"), 0755), 0);
	assert_int_equal(chmod(temp_path("copy"), 0600), 0);
	assert_int_equal(copy(&c, "source", "copy"), 0);
	assert_int_equal(stat(temp_path("copy"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	c.preserve = true;
	assert_int_equal(copy(&c, "source", "copy"), 0);
	assert_int_equal(stat(temp_path("copy"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	payload_close(&c.payload);
}

/* Copies with --preserve as user 2000, who is in the groups 2000 and 2001. */
static void copy_as_user(const char *to)
{
	const gid_t groups[] = { 2001 };
	struct copier c;
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		if (setgroups(1, groups) || setresgid(2000, 2000, 2000) ||
		    setresuid(2000, 2000, 2000))
			_exit(2);
		begin(&c);
		c.preserve = true;
		_exit(!!copy(&c, "source", to));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* What one group may do is nothing that another one may. */
static void test_groups(void **state)
{
	static const struct {
		uid_t uid;
		gid_t gid, gid_after;
		mode_t mode, mode_after;
	} rows[] = {
		{ 2000, 2000, 2000, 06775, 06775 }, { 2000, 2001, 2001, 0770, 0770 },
		{ 0, 2001, 2001, 06775, 0775 },	    { 0, 2002, 2000, 06775, 0705 },
		{ 2000, 2002, 2000, 0664, 0604 },
	};
	struct stat st;

	(void)state;
	assert_int_equal(chmod(temp_path(""), 0777), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		close(temp_file("source", 5000, 1));
		assert_int_equal(chown(temp_path("source"), rows[i].uid, rows[i].gid), 0);
		assert_int_equal(chmod(temp_path("source"), rows[i].mode), 0);
		unlink(temp_path("copy"));
		copy_as_user("copy");
		assert_int_equal(stat(temp_path("copy"), &st), 0);
		assert_int_equal(st.st_uid, 2000);
		assert_int_equal(st.st_gid, rows[i].gid_after);
		assert_int_equal(st.st_mode & 07777, rows[i].mode_after);
	}
	unlink(temp_path("source"));
	unlink(temp_path("copy"));
	assert_int_equal(chmod(temp_path(""), 0700), 0);
}

/* What --resume has completed is not copied again; another version is. */
static void test_complete(void **state)
{
	const struct timespec other[2] = { { .tv_sec = 5 }, { .tv_sec = 5 } };
	struct copier c;

	(void)state;
	begin(&c);
	c.resume = true;
	close(temp_file("source", 70000, 1));
	unlink(temp_path("copy"));
	assert_int_equal(copy(&c, "source", "copy"), 0);
	assert_int_equal(copy(&c, "source", "copy"), 0);
	assert_int_equal(c.tally.files, 1);
	assert_int_equal(c.tally.skipped, 1);
	assert_int_equal(utimensat(AT_FDCWD, temp_path("source"), other, 0), 0);
	assert_int_equal(copy(&c, "source", "copy"), 0);
	assert_int_equal(c.tally.files, 2);
	payload_close(&c.payload);
}

/* --verify reads both, and says how much that was. */
static void test_verify(void **state)
{
	struct copier c;

	(void)state;
	begin(&c);
	c.verify = true;
	close(temp_file("source", 200000, 1));
	assert_int_equal(copy(&c, "source", "copy"), 0);
	assert_int_equal(c.tally.verified, 400000);
	payload_close(&c.payload);
}

/* Nothing is lost by what cannot work. */
static void test_refused(void **state)
{
	struct copier c;
	int fd;

	(void)state;
	begin(&c);
	close(temp_file("source", 70000, 1));
	assert_int_not_equal(copy(&c, "source", "source"), 0);
	assert_int_equal(link(temp_path("source"), temp_path("link")), 0);
	assert_int_not_equal(copy(&c, "source", "link"), 0);
	assert_int_not_equal(copy(&c, "nothing", "copy"), 0);
	assert_int_not_equal(copy(&c, ".", "copy"), 0);
	assert_int_not_equal(copy(&c, "source", "."), 0);
	fd = open(temp_path("source"), O_RDONLY);
	temp_file_check(fd, 0, 70000, 1);
	close(fd);
	assert_int_equal(c.tally.files, 0);
	payload_close(&c.payload);
}

/* A file that does not know its size is no empty file. */
static void test_unknown_size(void **state)
{
	int fd = memfd_create("empty", 0);
	struct copier c;
	char path[32];

	(void)state;
	begin(&c);
	unlink(temp_path("copy"));
	assert_int_not_equal(copy_file(&c, "/proc/self/status", temp_path("copy"), 0), 0);
	assert_int_equal(access(temp_path("copy"), F_OK), -1);
	/* One of the page cache that is really empty. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_int_equal(copy_file(&c, path, temp_path("copy"), 0), 0);
	assert_int_equal(access(temp_path("copy"), F_OK), 0);
	assert_int_equal(c.tally.files, 1);
	payload_close(&c.payload);
	close(fd);
}

static int copy_tree(struct copier *c, const char *from, const char *to)
{
	struct walk w = { 0 };
	char source[PATH_MAX];
	int rc;

	snprintf(source, sizeof(source), "%s", temp_path(from));
	assert_int_equal(walk_add(&w, source, temp_path(to), true), 0);
	assert_int_equal(items_copy_files(c, &w), 0);
	rc = items_copy_rest(c, &w);
	walk_free(&w);
	return rc;
}

static mode_t copy_folder(struct copier *c, const char *to)
{
	struct stat st;

	assert_int_equal(copy_tree(c, "folder", to), 0);
	assert_int_equal(stat(temp_path(to), &st), 0);
	return st.st_mode & 07777;
}

/* As of cp(1): a folder that is there keeps its mode, a new one has that of the source. */
static void test_folder_modes(void **state)
{
	struct copier c;

	(void)state;
	begin(&c);
	assert_int_equal(mkdir(temp_path("folder"), 0700), 0);
	close(temp_file("folder/file", 5000, 1));
	assert_int_equal(chmod(temp_path("folder"), 0500), 0);
	assert_int_equal(mkdir(temp_path("there"), 0700), 0);
	assert_int_equal(chmod(temp_path("there"), 0771), 0);
	assert_int_equal(copy_folder(&c, "there"), 0771);
	assert_int_equal(copy_folder(&c, "new"), 0500);
	/* Also at the second time. */
	assert_int_equal(chmod(temp_path("new"), 0711), 0);
	assert_int_equal(copy_folder(&c, "new"), 0711);
	c.preserve = true;
	assert_int_equal(copy_folder(&c, "there"), 0500);
	assert_int_equal(c.tally.files, 4);
	payload_close(&c.payload);
}

/* The names of a tree of small files take one sync a folder, not one a file. */
static void test_names(void **state)
{
	struct copier c;

	(void)state;
	begin(&c);
	assert_int_equal(mkdir(temp_path("tree"), 0700), 0);
	assert_int_equal(mkdir(temp_path("tree/sub"), 0700), 0);
	for (int i = 0; i < 10; i++) {
		char name[] = "tree/sub/0";

		name[9] += i;
		close(temp_file(name, 100, 1));
	}
	close(temp_file("tree/one", 100, 1));
	assert_int_equal(symlink("one", temp_path("tree/link")), 0);
	synced.folders = 0;
	assert_int_equal(copy_tree(&c, "tree", "tree-copy"), 0);
	/* The third one is what the copy is in. */
	assert_int_equal(synced.folders, 3);
	synced.folders = 0;
	assert_int_equal(copy_tree(&c, "tree/one", "one-copy"), 0);
	assert_int_equal(synced.folders, 1);
	/* What a link in the copy leads to is in another folder. */
	assert_int_equal(mkdir(temp_path("other"), 0700), 0);
	assert_int_equal(rename(temp_path("one-copy"), temp_path("other/one")), 0);
	assert_int_equal(unlink(temp_path("tree-copy/one")), 0);
	assert_int_equal(symlink("../other/one", temp_path("tree-copy/one")), 0);
	synced.folders = 0;
	assert_int_equal(copy_tree(&c, "tree", "tree-copy"), 0);
	assert_int_equal(synced.folders, 4);
	assert_int_equal(unlink(temp_path("tree-copy/one")), 0);
	synced.error = EIO;
	assert_int_equal(copy_tree(&c, "tree", "tree-copy"), -EIO);
	synced.error = 0;
	payload_close(&c.payload);
}

/* Has a lease of a file, as nfsd does, and gives it back when it is asked for. */
static pid_t hold_lease(const char *path)
{
	int ready[2];
	pid_t pid;
	char ok = 0;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		int fd = open(path, O_RDWR), sig;
		sigset_t set;

		sigemptyset(&set);
		sigaddset(&set, SIGIO);
		sigprocmask(SIG_BLOCK, &set, NULL);
		ok = !fcntl(fd, F_SETLEASE, F_WRLCK);
		if (write(ready[1], &ok, 1) != 1 || !ok)
			_exit(1);
		sigwait(&set, &sig);
		_exit(!!fcntl(fd, F_SETLEASE, F_UNLCK));
	}
	assert_int_equal(read(ready[0], &ok, 1), 1);
	assert_true(ok);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

/* A lease is waited for, a FIFO is not. */
static void test_lease(void **state)
{
	struct copier c;
	pid_t pid;
	int status;

	(void)state;
	begin(&c);
	close(temp_file("leased", 5000, 1));
	pid = hold_lease(temp_path("leased"));
	assert_int_equal(copy(&c, "leased", "copy"), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(mkfifo(temp_path("fifo"), 0600), 0);
	assert_int_not_equal(copy(&c, "fifo", "copy"), 0);
	assert_int_equal(c.tally.files, 1);
	payload_close(&c.payload);
}

/* Without a pipeline no file gets its name, and no further one is begun. */
static void test_lost(void **state)
{
	int null = open("/dev/null", O_RDWR);
	struct walk w = { 0 };
	struct copier c;
	char from[PATH_MAX];

	(void)state;
	begin(&c);
	assert_int_equal(dup2(null, c.payload.ring.uring.ring_fd), c.payload.ring.uring.ring_fd);
	for (int i = 0; i < 3; i++) {
		char name[] = "lost-0", to[] = "lost-copy-0";

		name[5] += i;
		to[10] += i;
		close(temp_file(name, 2 * BLOCK, 1));
		snprintf(from, sizeof(from), "%s", temp_path(name));
		assert_int_equal(walk_add(&w, from, temp_path(to), false), 0);
	}
	assert_int_not_equal(items_copy_files(&c, &w), 0);
	assert_int_equal(access(temp_path("lost-copy-0"), F_OK), -1);
	assert_int_equal(access(temp_path("lost-copy-1"), F_OK), -1);
	assert_int_equal(access(temp_path("lost-copy-2"), F_OK), -1);
	assert_int_equal(c.tally.files, 0);
	walk_free(&w);
	payload_close(&c.payload);
	close(null);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),	     cmocka_unit_test(test_modes),
		cmocka_unit_test(test_complete),     cmocka_unit_test(test_verify),
		cmocka_unit_test(test_groups),	     cmocka_unit_test(test_refused),
		cmocka_unit_test(test_lost),	     cmocka_unit_test(test_lease),
		cmocka_unit_test(test_folder_modes), cmocka_unit_test(test_unknown_size),
		cmocka_unit_test(test_names),
	};
	int rc = lab_main_setup(argc, argv);

	return rc ? rc
		  : cmocka_run_group_tests_name("nfsp2p-copy", tests, temp_dir_make,
						temp_dir_remove);
}
