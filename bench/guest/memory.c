// SPDX-License-Identifier: GPL-2.0
/* Buffers of a benchmark: see memory.h. */
#include "memory.h"

#include <err.h>
#include <fcntl.h>
#include <glob.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../tests/lib/p2pmem.h"

#define PAGE	  4096UL
#define HUGE_PAGE (2UL << 20)

static const char *const names[] = {
	"pages", "scattered", "huge",  "CMB",	     "BAR",
	"BARx2", "BARx3",     "BARx4", "bounce-CMB", "bounce-BAR",
};

static unsigned char *map_ram(size_t size, int advice)
{
	size_t whole = (size + HUGE_PAGE - 1) & -HUGE_PAGE;
	size_t room = whole + HUGE_PAGE;
	unsigned char *data =
		mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (data == MAP_FAILED)
		err(1, "mmap of %zu bytes", room);
	data += -(uintptr_t)data & (HUGE_PAGE - 1);
	if (madvise(data, whole, advice))
		err(1, "madvise");
	return data;
}

static unsigned char *map_device(const char *name, size_t size)
{
	struct membuf buf;
	int rc = membuf_alloc(&buf, !strcmp(name, "CMB") ? MEM_CMB : MEM_BAR, size);

	if (rc)
		errx(1, "%zu bytes of %s: %s", size, name, strerror(-rc));
	return buf.data;
}

/* Pages that are handed out one after the other go to every other address. */
static void touch(unsigned char *data, size_t size, size_t step)
{
	for (size_t start = 0; start < step; start += PAGE)
		for (size_t i = start; i < size; i += step)
			data[i] = 1;
}

/* The drivers' folder has a link a device; "BARx3" is the first three of barmem. */
static void map_devices(struct memory *memory, unsigned int devices)
{
	glob_t found;

	if (glob("/sys/bus/pci/drivers/barmem/*:*/p2pmem/allocate", 0, NULL, &found) ||
	    found.gl_pathc < devices)
		errx(1, "there are fewer than %u devices with a BAR", devices);
	for (unsigned int i = 0; i < devices; i++) {
		int fd = open(found.gl_pathv[i], O_RDWR | O_CLOEXEC);

		memory->io[i] = mmap(NULL, memory->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (fd < 0 || memory->io[i] == MAP_FAILED)
			err(1, "%zu bytes of %s", memory->size, found.gl_pathv[i]);
		close(fd);
		touch(memory->io[i], memory->size, PAGE);
	}
	memory->devices = devices;
	globfree(&found);
}

/* Source: Documentation/admin-guide/mm/pagemap.rst. */
static uint64_t frame(int fd, const unsigned char *page)
{
	uint64_t entry;

	if (pread(fd, &entry, sizeof(entry), (uintptr_t)page / PAGE * sizeof(entry)) !=
	    sizeof(entry))
		err(1, "/proc/self/pagemap");
	return entry & ((1ULL << 55) - 1);
}

static unsigned int count_neighbours(const unsigned char *data, size_t size)
{
	size_t pages = size / PAGE, n = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		err(1, "/proc/self/pagemap");
	for (size_t i = 1; i < pages; i++)
		n += frame(fd, data + i * PAGE) == frame(fd, data + (i - 1) * PAGE) + 1;
	close(fd);
	return pages > 1 ? 1000 * n / (pages - 1) : 0;
}

/**
 * memory_map - get buffers
 * @memory:	filled in
 * @name:	see struct memory
 * @size:	bytes
 *
 * Ends the program if that is not possible, or if the memory is not what its
 * name says.
 */
void memory_map(struct memory *memory, const char *name, size_t size)
{
	*memory = (struct memory){ .size = (size + PAGE - 1) & -PAGE, .devices = 1 };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(names[i], name))
			memory->name = names[i];
	if (!memory->name)
		errx(2, "unknown kind of memory: %s", name);

	if (!strncmp(name, "BARx", 4)) {
		map_devices(memory, name[4] - '0');
	} else if (!strcmp(name, "huge")) {
		memory->io[0] = map_ram(size, MADV_HUGEPAGE);
		touch(memory->io[0], size, PAGE);
	} else if (!strcmp(name, "CMB") || !strcmp(name, "BAR")) {
		memory->io[0] = map_device(name, size);
		touch(memory->io[0], size, PAGE);
	} else {
		memory->io[0] = map_ram(size, MADV_NOHUGEPAGE);
		touch(memory->io[0], size, strcmp(name, "scattered") ? PAGE : 2 * PAGE);
	}
	if (!strncmp(name, "bounce-", 7))
		memory->bounce = map_device(name + 7, size);
	memory->neighbours = count_neighbours(memory->io[0], size);
	if (size <= PAGE)
		return;
	/* A single pair is nothing, though more than that of a few pages. */
	if (!strcmp(name, "scattered") && memory->neighbours > 20 &&
	    memory->neighbours > 1000 / (memory->size / PAGE - 1))
		errx(1, "%u of 1000 neighbouring pages are contiguous", memory->neighbours);
	if (!strcmp(name, "huge") && memory->neighbours < 990)
		errx(1, "only %u of 1000 neighbouring pages are contiguous", memory->neighbours);
}

/**
 * memory_io - the buffer of an I/O
 * @memory:	from memory_map()
 * @i:		the number of the I/O: the devices take turns
 * @offset:	in the buffers of each device
 *
 * Return: its first byte.
 */
unsigned char *memory_io(const struct memory *memory, unsigned int i, size_t offset)
{
	return memory->io[i % memory->devices] + offset;
}

/**
 * memory_unmap - give buffers back
 * @memory:	from memory_map(); all zeros afterwards
 */
void memory_unmap(struct memory *memory)
{
	for (unsigned int i = 0; i < memory->devices; i++)
		munmap(memory->io[i], memory->size);
	if (memory->bounce)
		munmap(memory->bounce, memory->size);
	*memory = (struct memory){ 0 };
}

/**
 * memory_to_io - before a write: what a bounce copies
 * @memory:	from memory_map()
 * @offset:	of the I/O's buffer
 * @len:	bytes
 */
void memory_to_io(const struct memory *memory, size_t offset, size_t len)
{
	if (memory->bounce)
		memcpy(memory->io[0] + offset, memory->bounce + offset, len);
}

/**
 * memory_from_io - after a read: what a bounce copies
 * @memory:	from memory_map()
 * @offset:	of the I/O's buffer
 * @len:	bytes
 */
void memory_from_io(const struct memory *memory, size_t offset, size_t len)
{
	if (memory->bounce)
		memcpy(memory->bounce + offset, memory->io[0] + offset, len);
}
