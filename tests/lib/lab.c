// SPDX-License-Identifier: GPL-2.0
/* The lab guest, as tests see it: see lab.h. */
#include "lab.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define MAX_ARGS 24

extern char **environ;

/* Every NFS version that can run over RDMA; ends with NULL. */
const char *const lab_versions[] = { "3", "4.0", "4.1", "4.2", NULL };

/* What is mounted now: "" is nothing, "?" is unknown. */
static char mounted[64] = "?";

static const char *setting(const char *name)
{
	const char *value = getenv(name);

	if (!value) {
		fprintf(stderr, "%s is not set: this program runs in the guest of lab/vm\n", name);
		exit(2);
	}
	return value;
}

/* Was the kernel told to put every page that has no bus address in a bounce buffer? */
static bool all_is_bounced(void)
{
	FILE *f = fopen("/proc/cmdline", "re");
	char line[1024];
	bool found = f && fgets(line, sizeof(line), f) && strstr(line, "swiotlb=force");

	if (f)
		fclose(f);
	return found;
}

/**
 * lab_route - the way that peer-to-peer data takes in this topology
 *
 * lab/vm sets LAB_TOPOLOGY to the --topology that it was started with.  In
 * "mixed" it is the way of the virtual RNIC that is used first.  With
 * "swiotlb=force", what goes through the host bridge without an IOMMU would be
 * bounced (kernel/dma/direct.c).
 *
 * Return: one of enum lab_route.
 */
enum lab_route lab_route(void)
{
	const char *topology = setting("LAB_TOPOLOGY");

	if (!strcmp(topology, "switch") || !strcmp(topology, "mixed"))
		return LAB_BUS;
	if (!strcmp(topology, "hostbridge") && all_is_bounced())
		return LAB_BOUNCED;
	return strcmp(topology, "unreachable") ? LAB_ROOT : LAB_NONE;
}

/**
 * lab_reachable - does peer-to-peer data take any way that it may take?
 *
 * Return: false if it has to be refused.
 */
bool lab_reachable(void)
{
	return lab_route() < LAB_BOUNCED;
}

/**
 * lab_is_stock - does the guest run Debian's unchanged NFS modules?
 *
 * Return: true if lab/vm was started with --nfs stock.
 */
bool lab_is_stock(void)
{
	return !strcmp(setting("LAB_NFS"), "stock");
}

/**
 * lab_rnic - the kind of RDMA device in the guest
 *
 * Return: the --rnic that it was started with.
 */
const char *lab_rnic(void)
{
	return setting("LAB_RNIC");
}

/**
 * lab_put - write to a file of the kernel
 * @path:	an existing file, e.g. below /sys
 * @text:	what to write, at once
 *
 * Fails the running test if the kernel refuses it.
 */
void lab_put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t done = fd < 0 ? -1 : write(fd, text, strlen(text));

	if (done < 0)
		fail_msg("cannot write '%s' to %s: %s", text, path, strerror(errno));
	close(fd);
}

/**
 * lab_run - run a program and wait for it
 * @argv:	program (looked up in PATH) and arguments, NULL-terminated
 *
 * Its standard output is not shown, as ours carries TAP.
 *
 * Return: its exit status, 128 + signal if it was killed, or a negative errno
 * if it could not be started.
 */
int lab_run(const char *const argv[])
{
	posix_spawn_file_actions_t actions;
	int status;
	pid_t pid;
	int rc;

	rc = posix_spawn_file_actions_init(&actions);
	if (rc)
		return -rc;
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	rc = posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (rc)
		return -rc;
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/**
 * lab_must - run a program, which has to succeed
 * @argv:	program (looked up in PATH) and arguments, NULL-terminated
 *
 * Fails the running test if it does not.
 */
void lab_must(const char *const argv[])
{
	int rc = lab_run(argv);

	if (rc)
		fail_msg("%s %s %s ... failed (%d)", argv[0], argv[1] ? argv[1] : "",
			 argv[1] && argv[2] ? argv[2] : "", rc);
}

/**
 * lab_mount_with - mount the lab's export with more options of lab-nfs
 * @version:	NFS version
 * @proto:	"rdma" or "tcp"
 * @extra:	more arguments for "lab-nfs up", NULL-terminated, or NULL
 *
 * Always mounts anew; what was mounted before is unmounted first, while the
 * server keeps running.
 *
 * Return: 0, or what lab-nfs failed with.
 */
int lab_mount_with(const char *version, const char *proto, const char *const extra[])
{
	const char *argv[MAX_ARGS + 1] = { "lab-nfs", "up", "--vers", version, "--proto", proto };
	int rc;

	for (int i = 6; extra && *extra && i < MAX_ARGS; i++)
		argv[i] = *extra++;
	rc = lab_run(argv);
	snprintf(mounted, sizeof(mounted), "?");
	return rc;
}

/**
 * lab_is_mounted - has lab_mount() of this program mounted it like that?
 * @version:	NFS version
 * @proto:	"rdma" or "tcp"
 *
 * Return: true if so.
 */
bool lab_is_mounted(const char *version, const char *proto)
{
	char wanted[sizeof(mounted)];

	snprintf(wanted, sizeof(wanted), "%s %s", version, proto);
	return !strcmp(wanted, mounted);
}

/**
 * lab_mount - make sure that the lab's export is mounted
 * @version:	NFS version
 * @proto:	"rdma" or "tcp"
 *
 * Does nothing if this program has mounted it like that already.
 *
 * Return: 0, or what lab-nfs failed with.
 */
int lab_mount(const char *version, const char *proto)
{
	int rc;

	if (lab_is_mounted(version, proto))
		return 0;
	rc = lab_mount_with(version, proto, NULL);
	if (!rc)
		snprintf(mounted, sizeof(mounted), "%s %s", version, proto);
	return rc;
}

/**
 * lab_unmount - take client and server down, if they are up
 *
 * Return: 0, or what lab-nfs failed with.
 */
int lab_unmount(void)
{
	static const char *const argv[] = { "lab-nfs", "down", NULL };
	int rc;

	if (!mounted[0])
		return 0;
	rc = lab_run(argv);
	snprintf(mounted, sizeof(mounted), "%s", rc ? "?" : "");
	return rc;
}

/**
 * lab_mount_second - mount something at LAB_SECOND, beside what lab_mount() does
 * @options:	of mount(8)
 * @what:	server and path
 *
 * Fails the running test if it is refused. lab_unmount_second() has to follow.
 */
void lab_mount_second(const char *options, const char *what)
{
	const char *const up[] = { "mount", "-t", "nfs", "-o", options, what, LAB_SECOND, NULL };

	mkdir(LAB_SECOND, 0755);
	lab_must(up);
}

/**
 * lab_unmount_second - take that mount away
 *
 * Fails the running test if it is in use, or not there.
 */
void lab_unmount_second(void)
{
	assert_return_code(umount(LAB_SECOND), errno);
}

/**
 * lab_skip - end the running test as skipped, and say why
 * @reason:	for people
 *
 * tests/run shows lines that start with "# skip:".
 */
void lab_skip(const char *reason)
{
	print_message("# skip: %s\n", reason);
	skip();
	abort();
}

/**
 * lab_main_setup - what each program of tests/e2e does first
 * @argc:	from main()
 * @argv:	from main(); the one optional argument is a pattern (with * and
 *		?) that selects tests by name
 *
 * Return: 0, or the exit status to end with.
 */
int lab_main_setup(int argc, char **argv)
{
	if (argc > 2) {
		fprintf(stderr, "usage: %s [PATTERN]\n", argv[0]);
		return 2;
	}
	if (argc == 2)
		cmocka_set_test_filter(argv[1]);
	/* A test that crashes the kernel must not take its results with it. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return 0;
}
