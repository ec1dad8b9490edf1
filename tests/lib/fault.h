/* SPDX-License-Identifier: GPL-2.0 */
/* Allocations of the kernel that fail on demand. Only the debug kernel has this. */
#ifndef TESTS_FAULT_H
#define TESTS_FAULT_H

#include <stdbool.h>
#include <stddef.h>

int fault_enter(void);
void fault_arm(unsigned int n);
bool fault_disarm(void);
void fault_aim(const char *function, const char *module);
void fault_arm_below(size_t bytes);
bool fault_disarm_below(void);

#endif
