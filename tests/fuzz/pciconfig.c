// SPDX-License-Identifier: GPL-2.0
/* libFuzzer: PCI configuration space, of any size. */
#include "../../tools/nfsp2p/pciconfig.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pci_function f;

	pciconfig_parse(data, size, &f);
	fuzz_use((uint64_t)f.acs + f.acs_control + (uint64_t)f.root_port);
	return 0;
}
