// SPDX-License-Identifier: GPL-2.0
/* Kernel, modules, CPU: see kernel.h. */
#include "kernel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tree.h"

#define SERIES_DIGITS 12
/* What matters of the first CPU is in its first lines, and of the others nothing does. */
#define CPUINFO_LIMIT	  4096
#define MODULES_DEP_LIMIT (4 << 20)
#define CONFIG_LIMIT	  (4 << 20)
#define KALLSYMS_LIMIT	  (256 << 20)

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
	char *text;

	if (tree_read(&text, NULL, CPUINFO_LIMIT, root, "/proc/cpuinfo"))
		return;
	kernel_parse_cpuinfo(text, k);
	free(text);
}

/* Is there a replacement for nfs.ko on disk, as depmod has recorded it? */
static bool installed(const char *root, const char *release)
{
	char *text, *rest, *line;
	bool found = false;

	if (tree_read(&text, NULL, MODULES_DEP_LIMIT, root, "/lib/modules/%s/modules.dep", release))
		return false;
	rest = text;
	while (!found && (line = strsep(&rest, "\n")))
		found = !strncmp(line, "updates/", 8) && strstr(line, "/nfs.ko") &&
			strstr(line, "/nfs.ko") < line + strcspn(line, ":");
	free(text);
	return found;
}

/* Is a whole line of @text this one? */
static bool has_line(const char *text, const char *line)
{
	const size_t len = strlen(line);

	for (const char *at = text; at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (!strncmp(at, line, len) && (at[len] == '\n' || !at[len]))
			return true;
	}
	return false;
}

/**
 * kernel_parse_config - is the kernel built with CONFIG_PCI_P2PDMA?
 * @text:	its configuration: a file named config-RELEASE
 *
 * The option depends on ZONE_DEVICE, and is not in a configuration where that is off.
 *
 * Return: yes or no; unknown for what is no configuration.
 */
enum tri kernel_parse_config(const char *text)
{
	if (has_line(text, "CONFIG_PCI_P2PDMA=y"))
		return TRI_YES;
	return has_line(text, "CONFIG_PCI=y") ? TRI_NO : TRI_UNKNOWN;
}

/*
 * Without a configuration: the function that providers call is in the kernel's own
 * symbols, which everybody may read (with their addresses hidden).
 */
static enum tri symbols_have_p2pdma(const char *root)
{
	enum tri found = TRI_UNKNOWN;
	char *text;

	if (tree_read(&text, NULL, KALLSYMS_LIMIT, root, "/proc/kallsyms"))
		return TRI_UNKNOWN;
	if (strstr(text, " pci_enable_device\n"))
		found = strstr(text, " pci_p2pdma_add_resource\n") ? TRI_YES : TRI_NO;
	free(text);
	return found;
}

/**
 * kernel_load_config - find out if the kernel is built with CONFIG_PCI_P2PDMA
 * @root:	as in tree_path()
 * @k:		from kernel_load(); config and config_source are filled in
 *
 * That no device has a p2pmem folder does not prove that it is not.
 */
void kernel_load_config(const char *root, struct kernel *k)
{
	static const char *const places[] = { "/boot/config-%s", "/lib/modules/%s/config",
					      "/usr/src/linux-headers-%s/.config" };
	char name[128], *text;

	/* A release is a part of a path. */
	for (size_t i = 0;
	     k->release[0] && !strchr(k->release, '/') && i < sizeof(places) / sizeof(places[0]);
	     i++) {
		snprintf(name, sizeof(name), places[i], k->release);
		if (tree_read(&text, NULL, CONFIG_LIMIT, root, "%s", name))
			continue;
		k->p2pdma = kernel_parse_config(text);
		snprintf(k->p2pdma_source, sizeof(k->p2pdma_source), "%s", name);
		free(text);
		if (k->p2pdma != TRI_UNKNOWN)
			return;
	}
	k->p2pdma = symbols_have_p2pdma(root);
	snprintf(k->p2pdma_source, sizeof(k->p2pdma_source), "/proc/kallsyms");
}

/*
 * The build id of the loaded module, as file(1) shows it for the .ko: a note is name
 * size, descriptor size, type, "GNU", descriptor (elf(5)).
 */
static void load_build_id(const char *root, struct kernel *k)
{
	size_t len, used;
	char *note;

	if (tree_read(&note, &len, 256, root, "/sys/module/nfs/notes/.note.gnu.build-id"))
		return;
	used = len > 16 ? (size_t)snprintf(k->version, sizeof(k->version), "build id ") : 0;
	for (size_t i = 16; i < len && used + 3 < sizeof(k->version); i++)
		used += (size_t)snprintf(k->version + used, sizeof(k->version) - used, "%02x",
					 (unsigned char)note[i]);
	free(note);
}

/*
 * Modules of the packages have "VERSION+SERIES" for a version, where SERIES is a hash of
 * the changes that the patches make: packaging/README.md, "No mixed sets".
 */
static void load_series(const char *root, struct kernel *k)
{
	const char *plus = strrchr(k->version, '+');

	if (k->series == TRI_YES && plus && strlen(plus + 1) == SERIES_DIGITS &&
	    strspn(plus + 1, "0123456789abcdef") == SERIES_DIGITS)
		snprintf(k->series_id, sizeof(k->series_id), "%s", plus + 1);
	tree_line(k->rpcrdma_version, sizeof(k->rpcrdma_version), root,
		  "/sys/module/rpcrdma/version");
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
	load_series(root, k);
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
	/* A large file, of interest only then. A release is a part of a path. */
	if (k->series == TRI_NO && k->release[0] && !strchr(k->release, '/'))
		k->installed = installed(root, k->release);
	load_cpu(root, k);
}
