// SPDX-License-Identifier: GPL-2.0
/* Tracepoints of the kernel: see trace.h. */
#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cmocka.h>

#define TRACING "/sys/kernel/tracing"

/**
 * kernel_put - write to a file in /sys or /proc
 * @path:	the file
 * @text:	what to write
 *
 * Fails the running test if that is refused.
 */
void kernel_put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		fail_msg("cannot write %s to %s: %s", text, path, strerror(errno));
	close(fd);
}

/**
 * trace_enable - start or stop recording an event
 * @event:	as "SUBSYSTEM/NAME", or "SUBSYSTEM"; its module has to be loaded
 * @on:		start
 *
 * What was recorded before, of whatever event, is forgotten.
 */
void trace_enable(const char *event, bool on)
{
	char path[PATH_MAX];

	if (access(TRACING "/trace", W_OK))
		assert_return_code(mount("tracefs", TRACING, "tracefs", 0, NULL), errno);
	snprintf(path, sizeof(path), TRACING "/events/%s/enable", event);
	kernel_put(path, on ? "1" : "0");
	kernel_put(TRACING "/trace", "");
}

/**
 * trace_count - how often has an event been recorded?
 * @event:	its name, without the subsystem
 * @ending:	count only those whose text ends with this; NULL is any
 *
 * What has been recorded is forgotten, of all events.
 *
 * Return: the number, since the last call or trace_enable().
 */
int trace_count(const char *event, const char *ending)
{
	FILE *f = fopen(TRACING "/trace", "re");
	char line[512], name[80];
	int count = 0;

	assert_non_null(f);
	snprintf(name, sizeof(name), " %s: ", event);
	while (fgets(line, sizeof(line), f)) {
		size_t len = strcspn(line, "\n"), tail = ending ? strlen(ending) : 0;

		count += strstr(line, name) && len >= tail &&
			 (!tail || !strncmp(line + len - tail, ending, tail));
	}
	fclose(f);
	kernel_put(TRACING "/trace", "");
	return count;
}
