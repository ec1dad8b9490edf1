/* SPDX-License-Identifier: GPL-2.0 */
/* Buffers of a benchmark: which memory, and how much of it is contiguous. */
#ifndef BENCH_MEMORY_H
#define BENCH_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#define MEMORY_DEVICES 4

/**
 * struct memory - buffers
 * @name:	what kind: "pages" (4 KiB pages as the kernel gives them), "scattered"
 *		(no two neighbours are contiguous), "huge", "CMB", "BAR", "BARx2"
 *		to "BARx4" (of so many devices), or "bounce-CMB", "bounce-BAR":
 *		I/O to RAM, and a copy by the CPU
 * @io:		what the I/O uses, one a device
 * @devices:	how many of them, else 1
 * @size:	the size of each in bytes
 * @bounce:	the device's memory that is copied from and to, or NULL
 * @neighbours:	how many of 1000 neighbouring pages of the first @io are contiguous
 */
struct memory {
	const char *name;
	unsigned char *io[MEMORY_DEVICES];
	unsigned int devices;
	size_t size;
	unsigned char *bounce;
	unsigned int neighbours;
};

void memory_map(struct memory *memory, const char *name, size_t size);
unsigned char *memory_io(const struct memory *memory, unsigned int i, size_t offset);
void memory_unmap(struct memory *memory);
void memory_to_io(const struct memory *memory, size_t offset, size_t len);
void memory_from_io(const struct memory *memory, size_t offset, size_t len);

#endif
