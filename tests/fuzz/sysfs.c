// SPDX-License-Identifier: GPL-2.0
/* libFuzzer: names of PCI functions, and where links of sysfs lead. */
#include "../../tools/nfsp2p/snapshot.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pci_function pci[] = { { .bdf = "0000:00:01.0" }, { .bdf = "10000:e1:00.0" } };
	struct snapshot s = { .pci = pci, .npci = 2 };
	char *text = fuzz_text(data, size);

	fuzz_use((uint64_t)pci_of_path(&s, text) + (uint64_t)pci_find(&s, text) +
		 pci_is_name(text));
	free(text);
	return 0;
}
