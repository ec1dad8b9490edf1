// SPDX-License-Identifier: GPL-2.0
/* libFuzzer: trace files of tracefs. */
#include "../../tools/nfsp2p/trace.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	char reason[16] = "";

	trace_parse(text, reason, sizeof(reason));
	fuzz_string(reason, sizeof(reason));
	free(text);
	return 0;
}
