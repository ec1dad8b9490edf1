/* SPDX-License-Identifier: GPL-2.0 */
/* What cp did itself, in bytes; the kernel's own figures are in counters.h. */
#ifndef NFSP2P_TALLY_H
#define NFSP2P_TALLY_H

#include <stdint.h>

#include "file.h"

/**
 * struct tally - payload that was moved
 * @files:	files that are complete
 * @skipped:	files that were complete before (--resume)
 * @bytes:	sum of the sizes of @files
 * @p2p_read:	read into a provider's memory, by the kind of the source
 * @p2p_written:	written from there, by the kind of the destination
 * @host:	carried by host memory as a whole: read and written
 * @tail:	carried by host memory because O_DIRECT does not take ends of files
 * @verified:	read into host memory for checksums
 * @records:	written for --resume
 */
struct tally {
	uint64_t files, skipped, bytes;
	uint64_t p2p_read[FILE_KINDS], p2p_written[FILE_KINDS];
	uint64_t host, tail;
	uint64_t verified;
	uint64_t records;
};

#endif
