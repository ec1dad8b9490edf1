/* SPDX-License-Identifier: GPL-2.0 */
/* The symbols of a running kernel, from a copy of its /proc/kallsyms. */
#ifndef BENCH_SYMBOLS_H
#define BENCH_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

/**
 * struct symbol - a function
 * @addr:	of its first instruction
 * @name:	without a suffix that the compiler added
 * @module:	of the module it is in, or ""
 */
struct symbol {
	uint64_t addr;
	char name[64];
	char module[32];
};

/**
 * struct symbols - all functions, sorted by address
 * @all:	the functions
 * @count:	how many
 */
struct symbols {
	struct symbol *all;
	size_t count;
};

void symbols_read(struct symbols *symbols, const char *path);
const struct symbol *symbols_find(const struct symbols *symbols, uint64_t addr);

#endif
