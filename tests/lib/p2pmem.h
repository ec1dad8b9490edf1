/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Buffers for tests: ordinary memory, an NVMe drive's Controller Memory Buffer
 * and a plain PCI BAR (lab driver barmem).
 */
#ifndef TESTS_P2PMEM_H
#define TESTS_P2PMEM_H

#include <stddef.h>
#include <stdint.h>

#define PCI_DEVICES "/sys/bus/pci/devices"

/**
 * enum mem_kind - where a buffer lives
 * @MEM_RAM:	anonymous memory
 * @MEM_CMB:	p2pmem of a device that the driver "nvme" is bound to
 * @MEM_BAR:	p2pmem of a device that the driver "barmem" is bound to
 * @MEM_KINDS:	how many there are
 */
enum mem_kind {
	MEM_RAM,
	MEM_CMB,
	MEM_BAR,
	MEM_KINDS,
};

/**
 * struct membuf - one mapped buffer
 * @kind:	where it lives
 * @data:	its first byte, page aligned
 * @size:	its size in bytes, a multiple of the page size
 */
struct membuf {
	enum mem_kind kind;
	unsigned char *data;
	size_t size;
};

const char *mem_name(enum mem_kind kind);
int p2pmem_find(const char *devices, enum mem_kind kind, char *path, size_t n);
int p2pmem_available(enum mem_kind kind, uint64_t *bytes);
int membuf_alloc(struct membuf *buf, enum mem_kind kind, size_t size);
void membuf_free(struct membuf *buf);

#endif
