/* SPDX-License-Identifier: GPL-2.0 */
/* Why the kernel refused: the trace event nfs:nfs_p2pdma of series/7.3/0036. */
#ifndef NFSP2P_TRACE_H
#define NFSP2P_TRACE_H

#include <stddef.h>

/**
 * struct trace - a tracing instance of our own, for what this process does
 * @dir:	its folder in tracefs, "" if there is none
 */
struct trace {
	char dir[96];
};

int trace_open(struct trace *trace);
int trace_reason(const struct trace *trace, char *reason, size_t n);
void trace_close(struct trace *trace);
int trace_parse(char *text, char *reason, size_t n);

#endif
