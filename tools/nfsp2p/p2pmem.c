// SPDX-License-Identifier: GPL-2.0
/* Buffers in a provider's memory: see p2pmem.h. */
#include "p2pmem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

/**
 * p2pmem_map - allocate and map a piece of a provider's memory
 * @mem:	filled in; to be given back with p2pmem_unmap()
 * @bdf:	the provider
 * @size:	in bytes, rounded up to whole pages
 *
 * The mapping must be shared and begin at offset 0, and the piece is contiguous:
 * drivers/pci/p2pdma.c, p2pmem_alloc_mmap().
 *
 * Return: 0; -EACCES or -EPERM if this process may not, -ENOENT if there is no
 * such provider, -ENOMEM if it has no such piece left, -ENODEV if it is being
 * removed, or another negative errno.
 */
int p2pmem_map(struct p2pmem *mem, const char *bdf, size_t size)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char path[PATH_MAX];
	void *data;
	int fd, rc = 0;

	if (size > SIZE_MAX - page)
		return -ENOMEM;
	size = (size + page - 1) / page * page;
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/p2pmem/allocate", bdf);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (data == MAP_FAILED)
		rc = -errno;
	close(fd);
	if (!rc)
		*mem = (struct p2pmem){ data, size };
	return rc;
}

/**
 * p2pmem_unmap - give a piece back
 * @mem:	from p2pmem_map(), or all zeros; all zeros afterwards
 *
 * The provider has it back as soon as no I/O holds a page of it.
 */
void p2pmem_unmap(struct p2pmem *mem)
{
	if (mem->data)
		munmap(mem->data, mem->size);
	*mem = (struct p2pmem){ 0 };
}
