// SPDX-License-Identifier: GPL-2.0
/* Why the kernel refused: see trace.h. */
#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tree.h"

#define INSTANCES   "/sys/kernel/tracing/instances"
#define TRACE_LIMIT (4 << 20)

static int put(const char *dir, const char *file, const char *text)
{
	char path[PATH_MAX];
	int fd, rc;

	rc = tree_path(path, sizeof(path), dir, "/%s", file);
	if (rc)
		return rc;
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

/**
 * trace_open - begin to trace what the kernel says to the I/O of this process
 * @trace:	filled in; to be given back with trace_close(), also on failure
 *
 * It is an instance of its own, so that tracing by others is not disturbed
 * (Documentation/trace/ftrace.rst, "Instances").
 *
 * Return: 0; -EACCES for users other than root, -ENOENT without tracefs or without
 * the event, or another negative errno.
 */
int trace_open(struct trace *trace)
{
	char pid[16];
	int rc;

	snprintf(pid, sizeof(pid), "%d", getpid());
	snprintf(trace->dir, sizeof(trace->dir), INSTANCES "/nfsp2p-%s", pid);
	if (mkdir(trace->dir, 0700)) {
		trace->dir[0] = '\0';
		return -errno;
	}
	rc = put(trace->dir, "set_event_pid", pid);
	if (!rc)
		rc = put(trace->dir, "events/nfs/nfs_p2pdma/enable", "1");
	return rc;
}

/**
 * trace_parse - find the last refusal in a trace
 * @text:	contents of a trace file; is changed
 * @reason:	filled in: one of the names of series/7.3/0036, "unreachable" ...
 * @n:		size of @reason
 *
 * Return: 0, or -ENOENT if nothing was refused.
 */
int trace_parse(char *text, char *reason, size_t n)
{
	static const char mark[] = " p2pdma=";
	char *rest = text, *line;
	int rc = -ENOENT;

	while ((line = strsep(&rest, "\n"))) {
		const char *at = strstr(line, mark);

		if (line[0] == '#' || !strstr(line, " nfs_p2pdma: ") || !at)
			continue;
		at += strlen(mark);
		if (!strcmp(at, "allowed"))
			continue;
		snprintf(reason, n, "%s", at);
		rc = 0;
	}
	return rc;
}

/**
 * trace_reason - the last refusal since trace_open()
 * @trace:	the trace
 * @reason:	filled in
 * @n:		size of @reason
 *
 * Return: 0, -ENOENT if nothing was refused, or another negative errno.
 */
int trace_reason(const struct trace *trace, char *reason, size_t n)
{
	char *text;
	int rc;

	if (!trace->dir[0])
		return -ENOENT;
	rc = tree_read(&text, NULL, TRACE_LIMIT, trace->dir, "/trace");
	if (rc)
		return rc;
	rc = trace_parse(text, reason, n);
	free(text);
	return rc;
}

/**
 * trace_close - end tracing
 * @trace:	the trace
 */
void trace_close(struct trace *trace)
{
	if (trace->dir[0])
		rmdir(trace->dir);
	trace->dir[0] = '\0';
}
