/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What map.c and dma.c share: the map of a fabric.
 *
 * A map lists the BARs of all PCI functions with their bus and CPU addresses
 * and whether they can be reached without the root complex, and the ranges of
 * system memory.  It never changes, except that the mapping of a BAR is filled
 * in at its first use.  Anything that may move a BAR (a PCI function or its
 * driver coming or going) raises vr_generation; a map of an older generation is
 * replaced before it is used again.
 *
 * Readers are the data movers, which sleep (they copy megabytes and reschedule
 * in between), hence SRCU and not RCU.
 */
#ifndef VRNIC_MAP_H
#define VRNIC_MAP_H

#include "dma.h"

/**
 * struct vr_window - a BAR
 * @bus:	where it is on the bus
 * @cpu:	where it is for the CPU
 * @size:	number of bytes
 * @direct:	reachable by bus address, below the root complex
 * @io:		mapping of the whole BAR; written once, under the fabric's lock
 * @segment:	PCI domain of the function
 * @devid:	its bus, device and function number
 * @bar:	which of its BARs
 */
struct vr_window {
	u64 bus;
	u64 cpu;
	u64 size;
	bool direct;
	void __iomem *io;
	unsigned int segment;
	u16 devid;
	u8 bar;
};

/**
 * struct vr_ram - a range of system memory
 * @start:	its first byte, physical
 * @end:	its last byte
 */
struct vr_ram {
	u64 start;
	u64 end;
};

/**
 * struct vr_map - where a function can reach to
 * @generation:	vr_generation as it was before the machine was scanned
 * @nr_win:	number of windows
 * @nr_ram:	number of ranges of memory
 * @max_ram:	room for these
 * @last_win:	where the previous search among windows ended; only a hint, so
 *		racing writers do no harm
 * @last_ram:	likewise
 * @direct_lo:	hull of all direct windows, so that an address in memory costs
 *		two compares and no search: their first
 * @direct_hi:	and last byte on the bus
 * @win:	windows
 * @ram:	ranges of memory
 * @rcu:	frees the map after its last reader
 * @free:	likewise
 */
struct vr_map {
	unsigned int generation;
	unsigned int nr_win;
	unsigned int nr_ram;
	unsigned int max_ram;
	unsigned int last_win;
	unsigned int last_ram;
	u64 direct_lo;
	u64 direct_hi;
	struct vr_window *win;
	struct vr_ram *ram;
	struct rcu_head rcu;
	struct work_struct free;
};

extern struct srcu_struct vr_srcu;
extern atomic_t vr_generation;

struct vr_map *vr_map_rebuild(struct vr_fabric *f, bool force);

#endif
