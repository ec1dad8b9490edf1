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

/* Size of what size_text() writes. */
#define SIZE_TEXT 24

/**
 * struct names - looks up what PCI functions are called
 * @access:	of libpci
 */
struct names {
	struct pci_access *access;
};

const char *size_text(char *text, uint64_t bytes);
void names_open(struct names *names);
void names_close(struct names *names);
const char *pci_text(struct names *names, char *text, size_t n, const struct pci_function *f);
const char *path_text(const struct snapshot *s, int pci, char *text, size_t n);
const char *route_name(enum route route);
void report_kernel(const struct kernel *k);
void report_findings(const struct verdict *v);
struct json_object *json_text(const char *text);
struct json_object *json_verdict(const struct verdict *v);
struct json_object *json_kernel(const struct kernel *k);
int report_flush(void);
int report_json(struct json_object *object);

#endif
