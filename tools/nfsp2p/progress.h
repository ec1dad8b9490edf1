/* SPDX-License-Identifier: GPL-2.0 */
/* A line on the terminal that says how far a copy is. */
#ifndef NFSP2P_PROGRESS_H
#define NFSP2P_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

void progress_start(uint64_t total);
void progress_name(const char *name);
void progress_add(uint64_t bytes);
void progress_clear(void);
void progress_stop(void);
int progress_line(char *line, int width, const char *name, uint64_t done, uint64_t total,
		  double seconds);

#endif
