// SPDX-License-Identifier: GPL-2.0
/* Host bridges: see hostbridge.h. */
#include "hostbridge.h"

#include <stdio.h>
#include <string.h>

/* The kernel whose list this is. */
#define LIST_MAJOR 7
#define LIST_MINOR 3

#define ANY_DEVICE 0x10000

/* The list in drivers/pci/p2pdma.c of Linux 7.3: the facts, by vendor and device. */
static const struct {
	unsigned int vendor, first, last; /* range of devices */
	bool same_bridge;		  /* only between functions below one host bridge */
	bool old;			  /* there since 6.1 or before */
} trusted[] = {
	{ 0x8086, 0x3c00, 0x3c01, true, true },	  /* Xeon E5 */
	{ 0x8086, 0x2f00, 0x2f01, true, true },	  /* Xeon E5/E7 v3 */
	{ 0x8086, 0x2030, 0x2033, false, true },  /* Skylake-E, root ports */
	{ 0x8086, 0x2020, 0x2020, false, true },  /* Skylake-E */
	{ 0x8086, 0x09a2, 0x09a2, false, true },  /* Ice Lake-SP and newer */
	{ 0x8086, 0x0b25, 0x0b25, false, false }, /* DSA, Sapphire Rapids */
	{ 0x8086, 0x0cfe, 0x0cfe, false, false }, /* IAX, Sapphire Rapids */
	{ 0x8086, 0x11fb, 0x11fb, false, false }, /* DSA, Granite Rapids-D */
	{ 0x8086, 0x1212, 0x1212, false, false }, /* DSA, Diamond Rapids */
	{ 0x8086, 0x1216, 0x1216, false, false }, /* IAA, Diamond Rapids */
	{ 0x8086, 0x4940, 0x4940, false, false }, /* QAT 4xxx */
	{ 0x8086, 0x4942, 0x4942, false, false }, /* QAT 401xx */
	{ 0x8086, 0x4944, 0x4944, false, false }, /* QAT 402xx */
	{ 0x8086, 0x4946, 0x4946, false, false }, /* QAT 420xx */
	{ 0x8086, 0x4948, 0x4948, false, false }, /* QAT 6xxx */
	{ 0x1ae0, 0, ANY_DEVICE, false, false },  /* Google */
	{ 0x10de, 0x2f95, 0x2f98, false, false }, /* NVIDIA CPUs */
};

#define NTRUSTED (sizeof(trusted) / sizeof(trusted[0]))

/* Is the running kernel older (-1) or newer (1) than the list? */
static int kernel_age(const struct kernel *k)
{
	if (k->major != LIST_MAJOR)
		return k->major < LIST_MAJOR ? -1 : 1;
	if (k->minor != LIST_MINOR)
		return k->minor < LIST_MINOR ? -1 : 1;
	return 0;
}

/*
 * The function that stands for a host bridge: the first one on its root bus, if that
 * is device 00.0 or a root port.  Source: drivers/pci/p2pdma.c, pci_host_bridge_dev().
 */
static enum tri representative(const struct snapshot *s, const char *host, int *pci)
{
	for (size_t i = 0; i < s->npci; i++) {
		const struct pci_function *f = &s->pci[i];
		const size_t len = strlen(f->bdf);

		if (f->parent != NO_PCI || strcmp(f->host, host))
			continue;
		*pci = (int)i;
		if (len > 5 && !strcmp(f->bdf + len - 5, ":00.0"))
			return TRI_YES;
		if (f->root_port < 0)
			return TRI_UNKNOWN;
		return f->root_port ? TRI_YES : TRI_NO;
	}
	*pci = NO_PCI;
	return TRI_UNKNOWN;
}

/* Is the host bridge on the running kernel's list? */
static enum tri is_trusted(const struct snapshot *s, const char *host, bool same, int *pci)
{
	const int age = kernel_age(&s->kernel);
	const struct pci_function *f;
	enum tri there;

	there = host[0] ? representative(s, host, pci) : TRI_UNKNOWN;
	if (there != TRI_YES)
		return there;
	f = &s->pci[*pci];
	for (size_t i = 0; i < NTRUSTED; i++) {
		if (f->vendor != trusted[i].vendor || f->device < trusted[i].first ||
		    f->device > trusted[i].last)
			continue;
		if (trusted[i].same_bridge && !same)
			return TRI_NO;
		return trusted[i].old || age >= 0 ? TRI_YES : TRI_UNKNOWN;
	}
	return age > 0 ? TRI_UNKNOWN : TRI_NO;
}

/**
 * hostbridge_passes - do the host bridges of two functions pass P2P transfers on?
 * @s:		a snapshot
 * @provider:	index of one function
 * @client:	index of the other
 * @path:	bridge and other_host are filled in
 *
 * The kernel trusts every AMD CPU since Zen, and otherwise the host bridges on its
 * list (drivers/pci/p2pdma.c, cpu_supports_p2pdma() and host_bridge_whitelist()).
 * The list grows: what a kernel newer than the list here does with a bridge that is
 * not on it cannot be told.
 *
 * Return: yes, no, or unknown.
 */
enum tri hostbridge_passes(const struct snapshot *s, int provider, int client, struct path *path)
{
	const char *a = s->pci[provider].host, *b = s->pci[client].host;
	int first = NO_PCI, second = NO_PCI;
	enum tri one, other;

	path->other_host = strcmp(a, b) != 0;
	if (s->kernel.amd_zen == TRI_YES)
		return TRI_YES;
	one = is_trusted(s, a, !path->other_host, &first);
	other = path->other_host ? is_trusted(s, b, false, &second) : TRI_YES;
	if (one == TRI_YES && other == TRI_YES)
		return TRI_YES;
	path->bridge = one != TRI_YES ? first : second;
	if (s->kernel.amd_zen == TRI_UNKNOWN)
		return TRI_UNKNOWN;
	return one == TRI_NO || other == TRI_NO ? TRI_NO : TRI_UNKNOWN;
}
