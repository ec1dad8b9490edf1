// SPDX-License-Identifier: GPL-2.0
/* Configuration space: see pciconfig.h. */
#include "pciconfig.h"

#include <linux/pci_regs.h>

static unsigned int word(const unsigned char *data, size_t at)
{
	return data[at] | (unsigned int)data[at + 1] << 8;
}

/* Where a capability is, or 0. The list can be a loop: it has not more entries than fit. */
static size_t capability(const unsigned char *data, size_t len, unsigned int id)
{
	size_t at;

	if (!(word(data, PCI_STATUS) & PCI_STATUS_CAP_LIST))
		return 0;
	at = data[PCI_CAPABILITY_LIST] & ~3U;
	for (int i = 0; i < 48 && at >= PCI_STD_HEADER_SIZEOF && at + 4 <= len; i++) {
		if (data[at + PCI_CAP_LIST_ID] == id)
			return at;
		at = data[at + PCI_CAP_LIST_NEXT] & ~3U;
	}
	return 0;
}

static size_t extended_capability(const unsigned char *data, size_t len, unsigned int id)
{
	size_t at = PCI_CFG_SPACE_SIZE;

	for (int i = 0; i < 480 && at >= PCI_CFG_SPACE_SIZE && at + 8 <= len; i++) {
		if (word(data, at) == id)
			return at;
		at = word(data, at + 2) >> 4 & ~3U;
	}
	return 0;
}

/**
 * pciconfig_parse - what is a function, and does it redirect?
 * @data:	its configuration space, as sysfs has it: 64 bytes for most users, all
 *		of it for root
 * @len:	how much of it, in bytes
 * @f:		acs, acs_control and root_port are filled in
 *
 * Sources: PCIe r6.0, 7.5.3.2 (type of port), 7.7.11 (ACS); for what sysfs shows to
 * whom, drivers/pci/pci-sysfs.c, pci_read_config().
 */
void pciconfig_parse(const unsigned char *data, size_t len, struct pci_function *f)
{
	size_t at;

	f->acs = ACS_UNKNOWN;
	f->acs_control = 0;
	f->root_port = -1;
	if (len < PCI_CFG_SPACE_SIZE)
		return;
	at = capability(data, PCI_CFG_SPACE_SIZE, PCI_CAP_ID_EXP);
	f->root_port = at && (word(data, at + PCI_EXP_FLAGS) & PCI_EXP_FLAGS_TYPE) >> 4 ==
				     PCI_EXP_TYPE_ROOT_PORT;
	/* A function that is not PCIe, or that is cut off where it would begin. */
	f->acs = at && len == PCI_CFG_SPACE_SIZE ? ACS_UNKNOWN : ACS_NONE;
	at = extended_capability(data, len, PCI_EXT_CAP_ID_ACS);
	if (at) {
		f->acs = ACS_THERE;
		f->acs_control = (uint16_t)word(data, at + PCI_ACS_CTRL);
	}
}
