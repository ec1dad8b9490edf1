/* SPDX-License-Identifier: GPL-2.0 */
/* Which part of the system does an instruction belong to? */
#ifndef BENCH_LAYERS_H
#define BENCH_LAYERS_H

#include <stdint.h>

#include <json-c/json.h>

#include "symbols.h"

struct layers;

struct layers *layers_new(void);
void layers_clear(struct layers *layers);
void layers_add(struct layers *layers, const struct symbol *symbol, uint64_t addr, uint64_t insns,
		uint64_t runs);
void layers_report(const struct layers *layers, struct json_object *cell);

#endif
