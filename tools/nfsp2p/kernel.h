/* SPDX-License-Identifier: GPL-2.0 */
/* The running kernel, its NFS modules and its CPU, from /proc and /sys/module. */
#ifndef NFSP2P_KERNEL_H
#define NFSP2P_KERNEL_H

#include "snapshot.h"

void kernel_load(const char *root, struct kernel *k);
void kernel_load_config(const char *root, struct kernel *k);
void kernel_parse_cpuinfo(char *text, struct kernel *k);
enum tri kernel_parse_config(const char *text);

#endif
