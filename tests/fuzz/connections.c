// SPDX-License-Identifier: GPL-2.0
/* libFuzzer: recorded lists of RDMA connections. */
#include "../../tools/nfsp2p/rdma.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct rdma_conn *conns;
	size_t n;

	if (!rdma_conns_parse(text, &conns, &n)) {
		for (size_t i = 0; i < n; i++) {
			fuzz_string(conns[i].device, sizeof(conns[i].device));
			fuzz_string(conns[i].user, sizeof(conns[i].user));
			fuzz_string(conns[i].address, sizeof(conns[i].address));
		}
		free(conns);
	}
	free(text);
	return 0;
}
