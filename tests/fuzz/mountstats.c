// SPDX-License-Identifier: GPL-2.0
/* libFuzzer: /proc/self/mountstats. */
#include "../../tools/nfsp2p/mount.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char target[] = "/mnt/nfs", other[] = "/mnt/a b";
	struct nfs_mount mounts[3] = { { .target = target },
				       { .target = other },
				       { .target = target } };
	char *text = fuzz_text(data, size);
	int found = mountstats_parse(text, mounts, 3);

	for (int i = 0; i < 3; i++) {
		struct nfs_mount *m = &mounts[i];
		uint64_t sum = m->caps;

		found -= m->have_stats;
		/* All that was filled in must be there to be read. */
		for (size_t x = 0; x < m->nxprts; x++)
			sum += m->xprts[x].read + m->xprts[x].p2pdma +
			       (uint64_t)m->xprts[x].proto[0];
		fuzz_use(sum);
		fuzz_string(m->vers, sizeof(m->vers));
		fuzz_string(m->proto, sizeof(m->proto));
		fuzz_string(m->sec, sizeof(m->sec));
		fuzz_string(m->pnfs, sizeof(m->pnfs));
	}
	if (found)
		abort();
	free(text);
	return 0;
}
