// SPDX-License-Identifier: GPL-2.0
/* libFuzzer: /proc/cpuinfo. */
#include "../../tools/nfsp2p/kernel.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct kernel k = { 0 };

	kernel_parse_cpuinfo(text, &k);
	fuzz_string(k.cpu, sizeof(k.cpu));
	free(text);
	return 0;
}
