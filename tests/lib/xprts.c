// SPDX-License-Identifier: GPL-2.0
/* RPC transports in sysfs and mountstats: see xprts.h. */
#include "xprts.h"

#include <glob.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define XPRTS "/sys/kernel/sunrpc/xprt-switches/switch-*/xprt-*"

static void xprts_find(const char *attribute, glob_t *found)
{
	char path[128];

	snprintf(path, sizeof(path), XPRTS "/%s", attribute);
	if (glob(path, 0, NULL, found))
		fail_msg("no transport has %s in sysfs", attribute);
}

/* First word of a file; a transport may go while it is looked at. */
static void first_word(const char *path, char word[64])
{
	FILE *f = fopen(path, "re");

	word[0] = '\0';
	if (!f)
		return;
	if (fscanf(f, "%63s", word) != 1)
		word[0] = '\0';
	fclose(f);
}

/**
 * xprts_sum - sum of a number over all transports
 * @attribute:	the file, e.g. "p2pdma_read_bytes"
 *
 * Fails the running test if no transport has that.
 *
 * Return: the sum.
 */
uint64_t xprts_sum(const char *attribute)
{
	uint64_t sum = 0, value;
	char word[64];
	glob_t found;

	xprts_find(attribute, &found);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		first_word(found.gl_pathv[i], word);
		if (sscanf(word, "%" SCNu64, &value) == 1)
			sum += value;
	}
	globfree(&found);
	return sum;
}

/**
 * xprts_connected - how many RDMA transports have a connection
 *
 * net/sunrpc/sysfs.c, rpc_sysfs_xprt_state_show(): one line, a word for each bit.
 *
 * Return: the number.
 */
unsigned int xprts_connected(void)
{
	unsigned int count = 0;
	char line[256];
	glob_t found;

	xprts_find("xprt_state", &found);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		FILE *f =
			strstr(found.gl_pathv[i], "-rdma/") ? fopen(found.gl_pathv[i], "re") : NULL;

		if (!f)
			continue;
		if (fgets(line, sizeof(line), f) && strstr(line, "CONNECTED"))
			count++;
		fclose(f);
	}
	globfree(&found);
	return count;
}

/*
 * The numbers of an "xprt: rdma" line; the last four are what is asked for.  There must
 * not be more than 31: prometheus/procfs has room for these, and does not count them.
 */
static bool parse_xprt(const char *line, struct xprt_stats *st)
{
	uint64_t n[64] = { 0 };
	int count, at = 0;
	char *end;

	if (sscanf(line, " xprt: rdma%n", &at) < 0 || !at)
		return false;
	for (line += at, count = 0; count < 64; line = end, count++) {
		n[count] = strtoull(line, &end, 10);
		if (end == line)
			break;
	}
	assert_int_equal(count, 31);
	*st = (struct xprt_stats){
		.state = (unsigned int)n[count - 4],
		.read = n[count - 3],
		.write = n[count - 2],
		.refused = n[count - 1],
	};
	return true;
}

/**
 * xprts_of_mount - the RDMA transports of one mount, from mountstats
 * @mountpoint:	where it is
 * @st:		filled in, one for each transport
 * @max:	how many there may be
 *
 * Fails the running test if there are more.
 *
 * Return: how many there are.
 */
int xprts_of_mount(const char *mountpoint, struct xprt_stats *st, int max)
{
	FILE *f = fopen("/proc/self/mountstats", "re");
	char line[1024], on[300];
	struct xprt_stats found;
	bool ours = false;
	int count = 0;

	assert_non_null(f);
	snprintf(on, sizeof(on), " mounted on %s with ", mountpoint);
	while (fgets(line, sizeof(line), f)) {
		if (!strncmp(line, "device ", 7))
			ours = strstr(line, on) != NULL;
		if (!ours || !parse_xprt(line, &found))
			continue;
		assert_true(count < max);
		st[count++] = found;
	}
	fclose(f);
	return count;
}
