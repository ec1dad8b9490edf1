// SPDX-License-Identifier: GPL-2.0
/* libFuzzer: /proc/self/mountinfo. */
#include "../../tools/nfsp2p/snapshot.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct snapshot s = { 0 };

	if (mountinfo_parse(text, &s))
		abort();
	for (size_t i = 0; i < s.nmounts; i++) {
		fuzz_use(strlen(s.mounts[i].source) + strlen(s.mounts[i].target) + s.mounts[i].id);
		free(s.mounts[i].source);
		free(s.mounts[i].target);
	}
	free(s.mounts);
	free(text);
	return 0;
}
