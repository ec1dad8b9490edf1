/* SPDX-License-Identifier: GPL-2.0 */
/* The two things that a verdict needs from a function's configuration space. */
#ifndef NFSP2P_PCICONFIG_H
#define NFSP2P_PCICONFIG_H

#include <stddef.h>

#include "topology.h"

/* PCIe r6.0, 7.2.2: the extended configuration space of a function. */
#define PCI_CONFIG_SIZE 4096

void pciconfig_read(int fd, struct pci_function *f);
void pciconfig_parse(const unsigned char *data, size_t len, struct pci_function *f);

#endif
