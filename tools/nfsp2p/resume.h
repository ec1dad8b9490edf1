/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is remembered of an unfinished copy, and when it may be trusted.
 */
#ifndef NFSP2P_RESUME_H
#define NFSP2P_RESUME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "file.h"

/* Bytes of a record in its file. One sector, so that it is written as a whole. */
#define RESUME_RECORD 512

/**
 * struct resume - one record
 * @ino:	of the source
 * @size:	of the source, in bytes
 * @mtime:	of the source
 * @block:	bytes of one I/O
 * @done:	bytes from the beginning that are in stable storage
 * @host:	name of the machine that copies
 * @pid:	process that copies
 */
struct resume {
	uint64_t ino, size;
	struct timespec mtime;
	uint64_t block, done;
	char host[65];
	pid_t pid;
};

/**
 * enum resume_verdict - what a record is good for
 * @RESUME_OK:		go on at @done
 * @RESUME_OTHER:	it is of another file, or of another version of it
 * @RESUME_BLOCK:	it was made with another block size
 * @RESUME_BAD:		it makes no sense
 * @RESUME_FOREIGN:	what is there of the copy may be somebody else's
 */
enum resume_verdict {
	RESUME_OK,
	RESUME_OTHER,
	RESUME_BLOCK,
	RESUME_BAD,
	RESUME_FOREIGN,
};

void resume_format(const struct resume *r, char record[RESUME_RECORD]);
int resume_parse(const char record[RESUME_RECORD], struct resume *r);
enum resume_verdict resume_judge(const struct resume *r, const struct file_id *src, uint64_t block,
				 uint64_t have);
bool resume_complete(const struct file *src, const struct stat *copy);
const char *resume_reason(enum resume_verdict verdict);

#endif
