// SPDX-License-Identifier: GPL-2.0
/* libFuzzer: the configuration of a kernel. */
#include "../../tools/nfsp2p/kernel.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);

	fuzz_use(kernel_parse_config(text));
	free(text);
	return 0;
}
