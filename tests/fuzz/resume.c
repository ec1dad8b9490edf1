// SPDX-License-Identifier: GPL-2.0
/* libFuzzer: records of nfsp2p cp --resume, with a checksum that is right. */
/* Its static parts are what is fuzzed. */
#include "../../tools/nfsp2p/resume.c" /* NOLINT(bugprone-suspicious-include) */

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct file_id src = { .size = 1 << 20 };
	char record[RESUME_RECORD], again[RESUME_RECORD];
	struct resume r, same;

	memset(record, ' ', sizeof(record));
	if (size > sizeof(record) - 32)
		size = sizeof(record) - 32;
	memcpy(record, data, size);
	if (!resume_parse(record, &r))
		fuzz_string(r.host, sizeof(r.host));
	snprintf(record + size, 32, " sum=%016" PRIx64, sum_of(record, size));
	if (resume_parse(record, &r))
		return 0;
	fuzz_string(r.host, sizeof(r.host));
	fuzz_use(resume_judge(&r, &src, 4096, 0));
	/* What was understood can be written, and is understood again. */
	resume_format(&r, again);
	if (resume_parse(again, &same) || same.done != r.done || same.size != r.size)
		abort();
	return 0;
}
