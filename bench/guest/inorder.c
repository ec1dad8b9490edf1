// SPDX-License-Identifier: GPL-2.0
/*
 * Makes the guest's only CPU run who was woken first, until it sleeps: each thread,
 * those of the kernel included, becomes SCHED_FIFO of the same priority. Who goes
 * first is a matter of what each has run so far otherwise, and at which of them a
 * timer tick arrives: a TCP server gets a WRITE in more or fewer pieces, and a small
 * I/O has more or fewer changes of context, by some percent, in a way that depends on
 * all that has happened since the boot.
 *
 * Usage: inorder on|off. Threads that are created later by those of user space are the
 * same; workers of the kernel that are created later come after them, until the next
 * "on". "off" is for the end: it lets the guest shut down as usual.
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PRIORITY 1
/* Without it, what runs for a second is stopped for 50 ms (kernel/sched/rt.c). */
#define THROTTLE "/proc/sys/kernel/sched_rt_runtime_us"

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	if (!f || fputs(text, f) < 0 || fclose(f))
		err(1, "%s", path);
}

/* Threads of another policy or priority have a reason for it. */
static void change(pid_t tid, bool on)
{
	const struct sched_param fifo = { .sched_priority = PRIORITY }, other = { 0 };
	struct sched_param now = { 0 };
	int policy = sched_getscheduler(tid), rc = 0;

	sched_getparam(tid, &now);
	if (on && policy == SCHED_OTHER)
		rc = sched_setscheduler(tid, SCHED_FIFO, &fifo);
	else if (!on && policy == SCHED_FIFO && now.sched_priority == PRIORITY)
		rc = sched_setscheduler(tid, SCHED_OTHER, &other);
	if (rc && errno != ESRCH)
		err(1, "scheduling policy of thread %d", tid);
}

static void change_threads(const char *process, bool on)
{
	char path[64];
	struct dirent *d;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%.16s/task", process);
	dir = opendir(path);
	/* It may have ended. */
	if (!dir)
		return;
	while ((d = readdir(dir))) {
		if (d->d_name[0] != '.')
			change((pid_t)strtol(d->d_name, NULL, 10), on);
	}
	closedir(dir);
}

int main(int argc, char **argv)
{
	bool on = argc == 2 && !strcmp(argv[1], "on");
	struct dirent *d;
	DIR *dir;

	if (!on && (argc != 2 || strcmp(argv[1], "off") != 0))
		errx(2, "usage: inorder on|off");
	put(THROTTLE, on ? "-1" : "950000");
	dir = opendir("/proc");
	if (!dir)
		err(1, "/proc");
	while ((d = readdir(dir))) {
		if (d->d_name[0] >= '1' && d->d_name[0] <= '9')
			change_threads(d->d_name, on);
	}
	closedir(dir);
	return 0;
}
