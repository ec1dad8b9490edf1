// SPDX-License-Identifier: GPL-2.0
/* Buffers in RAM and in peer-to-peer memory: see p2pmem.h. */
#include "p2pmem.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const struct {
	const char *name;
	const char *driver;
} kinds[MEM_KINDS] = {
	[MEM_RAM] = { "RAM", NULL },
	[MEM_CMB] = { "CMB", "nvme" },
	[MEM_BAR] = { "BAR", "barmem" },
};

/**
 * mem_name - what a kind of memory is called in names of tests
 * @kind:	any kind
 *
 * Return: a constant string.
 */
const char *mem_name(enum mem_kind kind)
{
	return kinds[kind].name;
}

/**
 * p2pmem_find - look up the provider of a kind of memory
 * @devices:	directory with one entry a PCI device, %PCI_DEVICES but in tests
 *		of this function
 * @kind:	MEM_CMB or MEM_BAR
 * @path:	filled in with the provider's p2pmem directory
 * @n:		size of @path
 *
 * The provider is the first PCI function (in name order) that has a p2pmem
 * directory and is bound to the driver that belongs to @kind.  Source:
 * Documentation/ABI/testing/sysfs-bus-pci.
 *
 * Return: 0, -ENODEV if there is no such provider, -EINVAL for MEM_RAM.
 */
int p2pmem_find(const char *devices, enum mem_kind kind, char *path, size_t n)
{
	char pattern[PATH_MAX], link[PATH_MAX], target[PATH_MAX];
	int rc = -ENODEV;
	glob_t found;

	if (!kinds[kind].driver)
		return -EINVAL;
	snprintf(pattern, sizeof(pattern), "%s/*/p2pmem", devices);
	if (glob(pattern, 0, NULL, &found))
		return -ENODEV;
	for (size_t i = 0; rc && i < found.gl_pathc; i++) {
		ssize_t len;

		snprintf(link, sizeof(link), "%s/../driver", found.gl_pathv[i]);
		len = readlink(link, target, sizeof(target) - 1);
		if (len <= 0)
			continue;
		target[len] = '\0';
		if (strcmp(strrchr(target, '/') ? strrchr(target, '/') + 1 : target,
			   kinds[kind].driver))
			continue;
		snprintf(path, n, "%s", found.gl_pathv[i]);
		rc = 0;
	}
	globfree(&found);
	return rc;
}

/**
 * p2pmem_available - how much of a provider's memory is free
 * @kind:	MEM_CMB or MEM_BAR
 * @bytes:	filled in
 *
 * Return: 0 or a negative errno.
 */
int p2pmem_available(enum mem_kind kind, uint64_t *bytes)
{
	char dir[PATH_MAX], path[PATH_MAX + 16];
	FILE *f;
	int rc;

	rc = p2pmem_find(PCI_DEVICES, kind, dir, sizeof(dir));
	if (rc)
		return rc;
	snprintf(path, sizeof(path), "%s/available", dir);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	rc = fscanf(f, "%" SCNu64, bytes) == 1 ? 0 : -EIO;
	fclose(f);
	return rc;
}

/**
 * membuf_alloc - map a buffer
 * @buf:	filled in; to be given back with membuf_free()
 * @kind:	where it shall live
 * @size:	in bytes, rounded up to whole pages
 *
 * Peer-to-peer memory must be mapped shared and at offset 0.
 *
 * Return: 0 or a negative errno.
 */
int membuf_alloc(struct membuf *buf, enum mem_kind kind, size_t size)
{
	size_t page = sysconf(_SC_PAGESIZE);
	char dir[PATH_MAX], path[PATH_MAX + 16];
	int flags = MAP_PRIVATE | MAP_ANONYMOUS;
	void *data;
	int fd = -1;
	int rc;

	size = (size + page - 1) / page * page;
	if (kind != MEM_RAM) {
		rc = p2pmem_find(PCI_DEVICES, kind, dir, sizeof(dir));
		if (rc)
			return rc;
		snprintf(path, sizeof(path), "%s/allocate", dir);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			return -errno;
		flags = MAP_SHARED;
	}
	data = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);
	rc = data == MAP_FAILED ? -errno : 0;
	if (fd >= 0)
		close(fd);
	if (!rc)
		*buf = (struct membuf){ kind, data, size };
	return rc;
}

/**
 * membuf_free - unmap a buffer
 * @buf:	from membuf_alloc(), or all zeros; all zeros afterwards
 *
 * The provider's memory becomes free as soon as no I/O holds a page of it.
 */
void membuf_free(struct membuf *buf)
{
	if (buf->data)
		munmap(buf->data, buf->size);
	*buf = (struct membuf){ 0 };
}
