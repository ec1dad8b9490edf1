// SPDX-License-Identifier: GPL-2.0
/* Configuration space: see pciconfig.h. */
#include "pciconfig.h"

#include <linux/pci_regs.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/*
 * Where to read: a file of sysfs, or bytes in memory.  Of the file only what is needed
 * is read: each register is an access to the device, and there are 1,024 of them.
 */
struct config {
	int fd;
	const unsigned char *data;
	size_t len;
};

static bool get(const struct config *c, size_t at, unsigned char *to, size_t n)
{
	if (!c->data)
		return pread(c->fd, to, n, (off_t)at) == (ssize_t)n;
	if (at + n > c->len)
		return false;
	memcpy(to, c->data + at, n);
	return true;
}

/* A register of @n bytes, 1 to 4; 0 for what is not shown. */
static unsigned int reg(const struct config *c, size_t at, size_t n)
{
	unsigned char b[4] = { 0 };

	if (!get(c, at, b, n))
		return 0;
	return b[0] | (unsigned int)b[1] << 8 | (unsigned int)b[2] << 16 | (unsigned int)b[3] << 24;
}

/* Where a capability is, or 0. The list can be a loop: it has not more entries than fit. */
static size_t capability(const struct config *c, unsigned int id)
{
	size_t at;

	if (!(reg(c, PCI_STATUS, 2) & PCI_STATUS_CAP_LIST))
		return 0;
	at = reg(c, PCI_CAPABILITY_LIST, 1) & ~3U;
	for (int i = 0; i < 48 && at >= PCI_STD_HEADER_SIZEOF; i++) {
		const unsigned int head = reg(c, at, 2);

		if ((head & 0xff) == id)
			return at;
		at = head >> 8 & ~3U;
	}
	return 0;
}

static size_t extended_capability(const struct config *c, unsigned int id)
{
	size_t at = PCI_CFG_SPACE_SIZE;

	for (int i = 0; i < 480 && at >= PCI_CFG_SPACE_SIZE; i++) {
		const unsigned int head = reg(c, at, 4);

		if (PCI_EXT_CAP_ID(head) == id)
			return at;
		at = PCI_EXT_CAP_NEXT(head);
	}
	return 0;
}

static void parse(const struct config *c, struct pci_function *f)
{
	unsigned char last;
	size_t at;

	f->acs = ACS_UNKNOWN;
	f->acs_control = 0;
	f->root_port = -1;
	if (!get(c, PCI_CFG_SPACE_SIZE - 1, &last, 1))
		return;
	at = capability(c, PCI_CAP_ID_EXP);
	f->root_port = at && (reg(c, at + PCI_EXP_FLAGS, 2) & PCI_EXP_FLAGS_TYPE) >> 4 ==
				     PCI_EXP_TYPE_ROOT_PORT;
	/* A function that is not PCIe, or that is cut off where it would begin. */
	f->acs = at && !get(c, PCI_CFG_SPACE_SIZE, &last, 1) ? ACS_UNKNOWN : ACS_NONE;
	at = extended_capability(c, PCI_EXT_CAP_ID_ACS);
	if (at) {
		f->acs = ACS_THERE;
		f->acs_control = (uint16_t)reg(c, at + PCI_ACS_CTRL, 2);
	}
}

/**
 * pciconfig_read - what is a function, and does it redirect?
 * @fd:		its file "config" in sysfs, open for reading
 * @f:		acs, acs_control and root_port are filled in
 *
 * Most users are shown 64 bytes, root all of it: drivers/pci/pci-sysfs.c,
 * pci_read_config().  Sources of the format: PCIe r6.0, 7.5.3.2 (type of port), 7.7.11
 * (ACS).
 */
void pciconfig_read(int fd, struct pci_function *f)
{
	parse(&(struct config){ .fd = fd }, f);
}

/**
 * pciconfig_parse - the same, of bytes in memory
 * @data:	configuration space, not NULL
 * @len:	how much of it, in bytes
 * @f:		as for pciconfig_read()
 */
void pciconfig_parse(const unsigned char *data, size_t len, struct pci_function *f)
{
	parse(&(struct config){ .data = data, .len = len }, f);
}
