// SPDX-License-Identifier: GPL-2.0
/* The symbols of a running kernel: see symbols.h. */
#include "symbols.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return (x->addr > y->addr) - (x->addr < y->addr);
}

/**
 * symbols_read - read the functions of a kernel
 * @symbols:	filled in; its memory is never freed
 * @path:	a copy of /proc/kallsyms, as root saw it
 *
 * Lines are "ADDRESS TYPE NAME [MODULE]" (kernel/kallsyms.c, s_show()). Ends the
 * program if there are none.
 */
void symbols_read(struct symbols *symbols, const char *path)
{
	FILE *f = fopen(path, "re");
	size_t room = 0;
	char line[512];

	if (!f)
		err(1, "%s", path);
	*symbols = (struct symbols){ 0 };
	while (fgets(line, sizeof(line), f)) {
		struct symbol s = { 0 };
		unsigned long long addr;
		char type;

		if (sscanf(line, "%llx %c %63s [%31[^]]", &addr, &type, s.name, s.module) < 3 ||
		    !strchr("tTwW", type))
			continue;
		s.addr = addr;
		s.name[strcspn(s.name, ".")] = '\0';
		if (symbols->count == room) {
			room = room ? 2 * room : 1 << 16;
			symbols->all = realloc(symbols->all, room * sizeof(s));
			if (!symbols->all)
				err(1, "symbols");
		}
		symbols->all[symbols->count++] = s;
	}
	fclose(f);
	if (!symbols->count || !symbols->all[symbols->count - 1].addr)
		errx(1, "%s has no addresses: root has to read /proc/kallsyms", path);
	qsort(symbols->all, symbols->count, sizeof(*symbols->all), compare);
}

/**
 * symbols_find - which function is an address in?
 * @symbols:	from symbols_read()
 * @addr:	address of an instruction
 *
 * Return: the last function that begins at or below @addr, or NULL.
 */
const struct symbol *symbols_find(const struct symbols *symbols, uint64_t addr)
{
	size_t low = 0, high = symbols->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (symbols->all[middle].addr <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &symbols->all[low - 1] : NULL;
}
