// SPDX-License-Identifier: GPL-2.0
/*
 * The parser of /proc/self/mountinfo: see mount.h.
 *
 * Source of the format: proc_pid_mountinfo(5).  libmount could do it, but it brings
 * three more libraries along, and loading them took more instructions than anything
 * else that "cp" did before its first I/O.
 */
#include "mount.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "snapshot.h"

/* Fields of a line in front of the optional ones, counted from 0. */
enum {
	FIELD_ID,
	FIELD_PARENT,
	FIELD_DEVICE,
	FIELD_ROOT,
	FIELD_TARGET,
	FIELD_OPTIONS,
	FIELDS,
};

static int add(struct snapshot *s, char *fields[FIELDS], const char *source)
{
	struct nfs_mount mount = { 0 }, *more;

	if (sscanf(fields[FIELD_ID], "%u", &mount.id) != 1 ||
	    sscanf(fields[FIELD_DEVICE], "%u:%u", &mount.major, &mount.minor) != 2)
		return 0;
	more = realloc(s->mounts, (s->nmounts + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	s->mounts = more;
	mount.source = strdup(source);
	mount.target = strdup(fields[FIELD_TARGET]);
	s->mounts[s->nmounts++] = mount;
	return mount.source && mount.target ? 0 : -ENOMEM;
}

static int parse_line(struct snapshot *s, char *line)
{
	char *fields[FIELDS], *field, *type, *source;

	for (int i = 0; i < FIELDS; i++) {
		fields[i] = strsep(&line, " ");
		if (!fields[i])
			return 0;
	}
	/* Any number of optional fields, then a hyphen. */
	while ((field = strsep(&line, " ")) && strcmp(field, "-"))
		;
	type = strsep(&line, " ");
	source = strsep(&line, " ");
	if (!source || (strcmp(type, "nfs") && strcmp(type, "nfs4")))
		return 0;
	mount_unescape(fields[FIELD_TARGET]);
	mount_unescape(source);
	return add(s, fields, source);
}

/**
 * mountinfo_parse - find the NFS mounts
 * @text:	contents of /proc/self/mountinfo; is changed
 * @s:		they are appended to @s->mounts, in their order
 *
 * Lines that look otherwise are ignored.
 *
 * Return: 0 or -ENOMEM.
 */
int mountinfo_parse(char *text, struct snapshot *s)
{
	char *rest = text, *line;
	int rc = 0;

	while (!rc && (line = strsep(&rest, "\n")))
		rc = parse_line(s, line);
	return rc;
}
