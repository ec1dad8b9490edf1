// SPDX-License-Identifier: GPL-2.0
/* Lists of connections: see rdma.h. */
#include "rdma.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/**
 * rdma_conns_add - append a connection to a list
 * @conns:	the list, NULL at first; grows by reallocation
 * @n:		how many it has
 * @conn:	is copied
 *
 * Return: 0 or -ENOMEM; the list is valid after both.
 */
int rdma_conns_add(struct rdma_conn **conns, size_t *n, const struct rdma_conn *conn)
{
	struct rdma_conn *more = realloc(*conns, (*n + 1) * sizeof(**conns));

	if (!more)
		return -ENOMEM;
	*conns = more;
	more[(*n)++] = *conn;
	return 0;
}

/**
 * rdma_conns_parse - read a recorded list of connections
 * @text:	one connection a line, "DEVICE USER ADDRESS PORT"; is changed
 * @conns:	filled in; to be freed
 * @n:		how many
 *
 * Lines that look otherwise are ignored.
 *
 * Return: 0 or -ENOMEM.
 */
int rdma_conns_parse(char *text, struct rdma_conn **conns, size_t *n)
{
	char *rest = text, *line;
	int rc = 0;

	*conns = NULL;
	*n = 0;
	while (!rc && (line = strsep(&rest, "\n"))) {
		struct rdma_conn conn = { 0 };

		if (sscanf(line, "%63s %31s %63s %5u", conn.device, conn.user, conn.address,
			   &conn.port) == 4)
			rc = rdma_conns_add(conns, n, &conn);
	}
	return rc;
}
