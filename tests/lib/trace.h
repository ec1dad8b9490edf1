/* SPDX-License-Identifier: GPL-2.0 */
/* Tracepoints of the kernel, and other files that take a word. */
#ifndef TESTS_TRACE_H
#define TESTS_TRACE_H

#include <stdbool.h>

void kernel_put(const char *path, const char *text);
void trace_enable(const char *event, bool on);
int trace_count(const char *event, const char *ending);

#endif
