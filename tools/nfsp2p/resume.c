// SPDX-License-Identifier: GPL-2.0
/* Records of unfinished copies: see resume.h. */
#include "resume.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC "nfsp2p-resume 1"

/* FNV-1a: tells a record from one that was torn or edited; it is no defence. */
static uint64_t sum_of(const char *text, size_t len)
{
	uint64_t sum = 0xcbf29ce484222325u;

	while (len--)
		sum = (sum ^ (unsigned char)*text++) * 0x100000001b3u;
	return sum;
}

/**
 * resume_format - write a record down
 * @r:		what it says
 * @record:	filled in: one line of text, then spaces, then a line feed
 */
void resume_format(const struct resume *r, char record[RESUME_RECORD])
{
	int n;

	memset(record, ' ', RESUME_RECORD);
	record[RESUME_RECORD - 1] = '\n';
	n = snprintf(record, RESUME_RECORD,
		     MAGIC " ino=%" PRIu64 " size=%" PRIu64 " mtime=%lld.%09ld block=%" PRIu64
			   " done=%" PRIu64 " pid=%d host=%.64s",
		     r->ino, r->size, (long long)r->mtime.tv_sec, r->mtime.tv_nsec, r->block,
		     r->done, (int)r->pid, r->host);
	/* The longest possible line is shorter than 300 bytes. */
	snprintf(record + n, (size_t)(RESUME_RECORD - n), " sum=%016" PRIx64, sum_of(record, n));
	*strchr(record, '\0') = ' ';
}

/**
 * resume_parse - read a record
 * @record:	bytes of a file; anything may be in it
 * @r:		filled in
 *
 * Return: 0, or -EPROTO if it is no record, or one that was damaged.
 */
int resume_parse(const char record[RESUME_RECORD], struct resume *r)
{
	char text[RESUME_RECORD + 1];
	long long seconds;
	uint64_t sum;
	char *tail;
	int pid, end = 0;

	memcpy(text, record, RESUME_RECORD);
	text[RESUME_RECORD] = '\0';
	tail = strstr(text, " sum=");
	if (!tail || sscanf(tail, " sum=%16" SCNx64, &sum) != 1 ||
	    sum != sum_of(text, (size_t)(tail - text)))
		return -EPROTO;
	*tail = '\0';
	*r = (struct resume){ 0 };
	if (sscanf(text,
		   MAGIC " ino=%" SCNu64 " size=%" SCNu64 " mtime=%lld.%9ld block=%" SCNu64
			 " done=%" SCNu64 " pid=%d host=%64s%n",
		   &r->ino, &r->size, &seconds, &r->mtime.tv_nsec, &r->block, &r->done, &pid,
		   r->host, &end) != 8 ||
	    text[end])
		return -EPROTO;
	r->mtime.tv_sec = (time_t)seconds;
	r->pid = pid;
	return 0;
}

/**
 * resume_judge - may a copy go on where a record says that it ended?
 * @r:		the record
 * @src:	the source now
 * @block:	bytes of one I/O now
 * @have:	size of what is there of the copy
 *
 * Return: RESUME_OK, or why not.
 */
enum resume_verdict resume_judge(const struct resume *r, const struct file_id *src, uint64_t block,
				 uint64_t have)
{
	if (r->ino != src->ino || r->size != src->size || r->mtime.tv_sec != src->mtime.tv_sec ||
	    r->mtime.tv_nsec != src->mtime.tv_nsec)
		return RESUME_OTHER;
	if (r->block != block)
		return RESUME_BLOCK;
	/* A hole in front of @done need not be in the file yet. */
	if (r->done > r->size || (r->done % block && r->done != r->size) || have > r->size)
		return RESUME_BAD;
	return RESUME_OK;
}

/**
 * resume_complete - is a file what an earlier copy has completed?
 * @src:	the source now
 * @copy:	what is at the final name
 *
 * Such a copy has size and time of its source.  The time of a device node says
 * nothing about the contents of the device: there is no telling then.
 *
 * Return: true if it need not be copied again.
 */
bool resume_complete(const struct file *src, const struct stat *copy)
{
	const struct file_id *id = &src->id;

	return src->kind != FILE_BLOCK && (uint64_t)copy->st_size == id->size &&
	       copy->st_mtim.tv_sec == id->mtime.tv_sec &&
	       copy->st_mtim.tv_nsec == id->mtime.tv_nsec;
}

/**
 * resume_reason - why a copy cannot go on
 * @verdict:	from resume_judge()
 *
 * Return: a constant string, the end of a sentence.
 */
const char *resume_reason(enum resume_verdict verdict)
{
	switch (verdict) {
	case RESUME_OTHER:
		return "the source is not what it was";
	case RESUME_BLOCK:
		return "it was made with another block size";
	case RESUME_BAD:
		return "its record makes no sense";
	case RESUME_FOREIGN:
		return "what is there may be somebody else's";
	default:
		return "it is fine";
	}
}
