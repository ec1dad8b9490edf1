/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What users and programs read: text and JSON (json-c).
 */
#ifndef NFSP2P_REPORT_H
#define NFSP2P_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

#include "verdict.h"

#define SIZE_TEXT 24

const char *size_text(char *text, uint64_t bytes);
const char *pci_text(char *text, size_t n, const struct snapshot *s, int pci);
void report_findings(const struct verdict *v);
struct json_object *json_verdict(const struct verdict *v);
struct json_object *json_kernel(const struct kernel *k);
int report_json(struct json_object *object);

#endif
