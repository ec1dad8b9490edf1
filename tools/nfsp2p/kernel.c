// SPDX-License-Identifier: GPL-2.0
/* Kernel, modules, CPU: see kernel.h. */
#include "kernel.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tree.h"

/* /proc/cpuinfo has a few KiB for each CPU; the first is enough. */
#define CPUINFO_LIMIT	  16384
#define MODULES_DEP_LIMIT (4 << 20)

/* "key<blanks>: value"; NULL if the line has another key. */
static const char *value_of(const char *line, const char *key)
{
	const size_t n = strlen(key);

	if (strncmp(line, key, n))
		return NULL;
	line += n + strspn(line + n, " \t");
	if (*line != ':')
		return NULL;
	return line + 1 + strspn(line + 1, " ");
}

/**
 * kernel_parse_cpuinfo - which CPU is it?
 * @text:	contents of /proc/cpuinfo; is changed
 * @k:		cpu and amd_zen are filled in
 *
 * The first CPU counts, as in drivers/pci/p2pdma.c, cpu_supports_p2pdma().  Other
 * architectures have no vendor_id, and their CPUs are not trusted.
 */
void kernel_parse_cpuinfo(char *text, struct kernel *k)
{
	bool amd = false, any = false;
	unsigned int family = 0;
	char *rest = text, *line;

	while ((line = strsep(&rest, "\n"))) {
		const char *value;

		if (!*line && any)
			break;
		any |= *line != '\0';
		value = value_of(line, "vendor_id");
		if (value)
			amd = !strcmp(value, "AuthenticAMD");
		value = value_of(line, "cpu family");
		if (value)
			family = (unsigned int)strtoul(value, NULL, 10);
		value = value_of(line, "model name");
		if (value)
			snprintf(k->cpu, sizeof(k->cpu), "%s", value);
	}
	if (any)
		k->amd_zen = amd && family >= 0x17 ? TRI_YES : TRI_NO;
}

static void load_cpu(const char *root, struct kernel *k)
{
	char path[PATH_MAX], *text;

	if (tree_path(path, sizeof(path), root, "/proc/cpuinfo") ||
	    tree_read(path, CPUINFO_LIMIT, &text, NULL))
		return;
	kernel_parse_cpuinfo(text, k);
	free(text);
}

/* Is there a replacement for nfs.ko on disk, as depmod has recorded it? */
static bool installed(const char *root, const char *release)
{
	char path[PATH_MAX], *text, *rest, *line;
	bool found = false;

	if (tree_path(path, sizeof(path), root, "/lib/modules/%s/modules.dep", release) ||
	    tree_read(path, MODULES_DEP_LIMIT, &text, NULL))
		return false;
	rest = text;
	while (!found && (line = strsep(&rest, "\n")))
		found = !strncmp(line, "updates/", 8) && strstr(line, "/nfs.ko") &&
			strstr(line, "/nfs.ko") < line + strcspn(line, ":");
	free(text);
	return found;
}

/*
 * The build id of the loaded module, as file(1) shows it for the .ko: a note is name
 * size, descriptor size, type, "GNU", descriptor (elf(5)).
 */
static void load_build_id(const char *root, struct kernel *k)
{
	char path[PATH_MAX], *note;
	size_t len, used;

	if (tree_path(path, sizeof(path), root, "/sys/module/nfs/notes/.note.gnu.build-id") ||
	    tree_read(path, 256, &note, &len))
		return;
	used = len > 16 ? (size_t)snprintf(k->version, sizeof(k->version), "build id ") : 0;
	for (size_t i = 16; i < len && used + 3 < sizeof(k->version); i++)
		used += (size_t)snprintf(k->version + used, sizeof(k->version) - used, "%02x",
					 (unsigned char)note[i]);
	free(note);
}

static void load_nfs(const char *root, struct kernel *k)
{
	char line[16];

	if (k->nfs != TRI_YES)
		return;
	k->series = TRI_NO;
	if (!tree_line(line, sizeof(line), root, "/sys/module/nfs/parameters/p2pdma")) {
		k->series = TRI_YES;
		k->enabled = line[0] == 'Y' ? TRI_YES : line[0] == 'N' ? TRI_NO : TRI_UNKNOWN;
	}
	if (tree_line(k->version, sizeof(k->version), root, "/sys/module/nfs/version") &&
	    tree_line(k->version, sizeof(k->version), root, "/sys/module/nfs/srcversion"))
		load_build_id(root, k);
	if (!tree_line(line, sizeof(line), root, "/sys/module/nfs/taint"))
		k->out_of_tree = strchr(line, 'O') != NULL;
}

/* "swiotlb=force" or "swiotlb=32768,force": Documentation/admin-guide/kernel-parameters.txt. */
static bool bounces(const char *root)
{
	char line[4096], *rest = line, *word;
	bool forced = false;

	if (tree_line(line, sizeof(line), root, "/proc/cmdline"))
		return false;
	while ((word = strsep(&rest, " "))) {
		if (!strncmp(word, "swiotlb=", 8))
			forced = !strcmp(word + 8, "force") || strstr(word, ",force") != NULL;
	}
	return forced;
}

/**
 * kernel_load - read what is to be known about the kernel
 * @root:	as in tree_path()
 * @k:		filled in; what cannot be read is unknown
 */
void kernel_load(const char *root, struct kernel *k)
{
	bool modules = tree_exists(root, "/sys/module");

	*k = (struct kernel){ 0 };
	tree_line(k->release, sizeof(k->release), root, "/proc/sys/kernel/osrelease");
	sscanf(k->release, "%u.%u", &k->major, &k->minor);
	if (modules) {
		k->nfs = tree_exists(root, "/sys/module/nfs") ? TRI_YES : TRI_NO;
		k->rpcrdma = tree_exists(root, "/sys/module/rpcrdma") ? TRI_YES : TRI_NO;
	}
	load_nfs(root, k);
	k->bounces = bounces(root);
	/* A release is a part of a path. */
	if (k->release[0] && !strchr(k->release, '/'))
		k->installed = installed(root, k->release);
	load_cpu(root, k);
}
