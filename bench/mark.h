/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Marks that a program in the guest sets for the plugin that counts
 * instructions. Without the plugin, or on hardware, they do nothing.
 */
#ifndef BENCH_MARK_H
#define BENCH_MARK_H

#define MARK_BEGIN 0x6e667062 /* "nfpb": counting starts at zero */
#define MARK_END   0x6e667065 /* "nfpe": what was counted is written out */

/* The encoding with SIB byte and 32-bit displacement: 0f 1f 84 00 MARK. */
#define mark(n) __asm__ volatile(".byte 0x0f, 0x1f, 0x84, 0x00; .long %c0" : : "i"(n) : "memory")

#endif
