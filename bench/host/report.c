// SPDX-License-Identifier: GPL-2.0
/*
 * Puts together what a run of the benchmark left: the cells that bench/guest/cost
 * has done, the counts of bench/plugin/count, and the guest's symbols. Writes a
 * JSON array to standard output: each cell with its instructions by layer and the
 * calls of some functions.
 *
 * Usage: report CELLS COUNTS KALLSYMS
 */
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "layers.h"
#include "symbols.h"

static struct json_object *cell_next(FILE *cells)
{
	struct json_object *cell;
	char line[1024];

	if (!fgets(line, sizeof(line), cells))
		return NULL;
	cell = json_tokener_parse(line);
	if (!cell)
		errx(1, "not a cell: %s", line);
	return cell;
}

static FILE *open_or_die(const char *path)
{
	FILE *f = fopen(path, "re");

	if (!f)
		err(1, "%s", path);
	return f;
}

/* One section of the counts; returns false at the end of the file. */
static bool section_read(FILE *counts, const struct symbols *symbols, struct layers *layers)
{
	unsigned long long addr, insns, runs;
	char line[128];

	layers_clear(layers);
	while (fgets(line, sizeof(line), counts)) {
		if (!strcmp(line, "section\n"))
			return true;
		if (sscanf(line, "%llx %llu %llu", &addr, &insns, &runs) != 3)
			errx(1, "not a count: %s", line);
		layers_add(layers, addr ? symbols_find(symbols, addr) : NULL, addr, insns, runs);
	}
	return false;
}

int main(int argc, char **argv)
{
	struct json_object *all = json_object_new_array(), *cell;
	struct layers *layers = layers_new();
	struct symbols symbols;
	FILE *cells, *counts;
	char line[16];
	bool more;

	if (argc != 4)
		errx(2, "usage: report CELLS COUNTS KALLSYMS");
	cells = open_or_die(argv[1]);
	counts = open_or_die(argv[2]);
	symbols_read(&symbols, argv[3]);
	more = fgets(line, sizeof(line), counts) != NULL;
	while ((cell = cell_next(cells))) {
		if (!more)
			errx(1, "%s has fewer sections than %s cells", argv[2], argv[1]);
		more = section_read(counts, &symbols, layers);
		layers_report(layers, cell);
		json_object_array_add(all, cell);
	}
	if (more)
		errx(1, "%s has more sections than %s cells", argv[2], argv[1]);
	puts(json_object_to_json_string_ext(all, JSON_C_TO_STRING_PRETTY));
	json_object_put(all);
	return 0;
}
