// SPDX-License-Identifier: GPL-2.0
/* How much memory the slab allocator has: see slab.h. */
#include "slab.h"

#include <err.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void put(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "1\n", 2) != 2)
		err(1, "%s", path);
	close(fd);
}

/**
 * slab_bytes - memory of the slab allocator
 *
 * What each CPU has not added to the sum yet is added first. Source:
 * Documentation/admin-guide/sysctl/vm.rst, stat_refresh; filesystems/proc.rst,
 * meminfo.
 *
 * Return: bytes; ends the program if the kernel does not tell.
 */
uint64_t slab_bytes(void)
{
	uint64_t kib = 0;
	char line[128];
	FILE *f;

	put("/proc/sys/vm/stat_refresh");
	f = fopen("/proc/meminfo", "re");
	if (!f)
		err(1, "/proc/meminfo");
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "Slab: %" SCNu64, &kib) == 1)
			break;
	fclose(f);
	if (!kib)
		errx(1, "/proc/meminfo has no line Slab:");
	return kib << 10;
}

/**
 * slab_shrink - give back what the slab allocator has, but does not use
 *
 * Source: Documentation/ABI/testing/sysfs-kernel-slab.
 */
void slab_shrink(void)
{
	glob_t found;

	if (glob("/sys/kernel/slab/*/shrink", 0, NULL, &found))
		errx(1, "there is no /sys/kernel/slab");
	for (size_t i = 0; i < found.gl_pathc; i++)
		put(found.gl_pathv[i]);
	globfree(&found);
}
