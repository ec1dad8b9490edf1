// SPDX-License-Identifier: GPL-2.0
/*
 * What is to be copied: see walk.h.
 *
 * Everything is listed before the first byte is moved: the size of the whole is
 * known then, and the kernel's counters of CPU copies, which grow with each
 * READDIR and READLINK, are read afterwards.
 */
#include "walk.h"

#include <errno.h>
#include <fts.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "message.h"
#include "stop.h"

static struct item *append(struct walk *w)
{
	/* Doubles whenever it is a power of two. */
	if (!(w->n & (w->n - 1))) {
		size_t size = w->n ? 2 * w->n : 1;
		struct item *items = reallocarray(w->items, size, sizeof(*items));

		if (!items)
			return NULL;
		w->items = items;
	}
	w->items[w->n] = (struct item){ 0 };
	return &w->items[w->n++];
}

/* Copies of the strings; items are freed with the walk, also half-made ones. */
static int add(struct walk *w, const char *from, const char *to, const struct stat *st, bool named)
{
	struct item *item = append(w);
	char link[PATH_MAX];
	ssize_t n;

	if (!item)
		return -ENOMEM;
	item->from = strdup(from);
	item->to = strdup(to);
	item->st = *st;
	item->named = named;
	if (!item->from || !item->to)
		return -ENOMEM;
	if (S_ISREG(st->st_mode))
		w->bytes += (uint64_t)st->st_size;
	if (!S_ISLNK(st->st_mode))
		return 0;
	n = readlink(from, link, sizeof(link) - 1);
	if (n < 0)
		return message_error(from, -errno, "cannot read this link");
	link[n] = '\0';
	item->link = strdup(link);
	return item->link ? 0 : -ENOMEM;
}

/* One step of fts(3); @skip is the length of the root's name. */
static int visit(struct walk *w, const FTSENT *e, size_t skip, const char *to)
{
	char path[PATH_MAX];

	switch (e->fts_info) {
	case FTS_DP:
		return 0;
	case FTS_DNR:
	case FTS_ERR:
	case FTS_NS:
		return message_error(e->fts_path, -e->fts_errno, "cannot look into it");
	default:
		break;
	}
	if (snprintf(path, sizeof(path), "%s%s", to, e->fts_path + skip) >= (int)sizeof(path))
		return message_error(e->fts_path, -ENAMETOOLONG, "cannot name its copy");
	return add(w, e->fts_path, path, e->fts_statp, e->fts_level == FTS_ROOTLEVEL);
}

static int walk_tree(struct walk *w, const char *from, const char *to)
{
	/* COMFOLLOW: what is named may be a link to a folder. */
	char *roots[] = { (char *)from, NULL };
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, NULL);
	FTSENT *e;
	int rc = 0;

	if (!fts)
		return message_error(from, -errno, "cannot look into it");
	errno = 0;
	while (!rc && (e = fts_read(fts))) {
		rc = stop_signal() ? -EINTR : visit(w, e, strlen(from), to);
		errno = 0;
	}
	if (!rc && errno)
		rc = message_error(from, -errno, "cannot look into it");
	fts_close(fts);
	return rc;
}

/**
 * walk_add - add a file, or a folder and all that is in it
 * @w:		all zeros at first; to be freed with walk_free()
 * @from:	its name, without slashes at the end
 * @to:		name of its copy
 * @recursive:	folders are allowed
 *
 * What is wrong is said.
 *
 * Return: 0 or a negative errno, -EINTR if we were asked to end.
 */
int walk_add(struct walk *w, const char *from, const char *to, bool recursive)
{
	struct stat st;
	int rc;

	if (stat(from, &st))
		return message_error(from, -errno, "cannot copy it");
	if (!S_ISDIR(st.st_mode))
		rc = add(w, from, to, &st, true);
	else if (!recursive)
		return message_error(from, 0, "is a directory: -r copies it");
	else
		rc = walk_tree(w, from, to);
	return rc == -ENOMEM ? message_error(from, rc, "too many files") : rc;
}

/**
 * walk_free - free all items
 * @w:		all zeros afterwards
 */
void walk_free(struct walk *w)
{
	for (size_t i = 0; i < w->n; i++) {
		free(w->items[i].from);
		free(w->items[i].to);
		free(w->items[i].link);
	}
	free(w->items);
	*w = (struct walk){ 0 };
}

/**
 * walk_target - the name of a copy
 * @to:		filled in
 * @n:		size of @to
 * @from:	name of the source, without slashes at the end
 * @dst:	the destination that was named
 * @into:	@dst is a folder, and the copy keeps its name in it
 *
 * Return: 0; -ENAMETOOLONG; -EINVAL if @from has no name of its own: "..", "/".
 */
int walk_target(char *to, size_t n, const char *from, const char *dst, bool into)
{
	const char *slash = strrchr(from, '/');
	const char *base = slash ? slash + 1 : from;
	int used;

	if (into && (!*base || !strcmp(base, ".") || !strcmp(base, "..")))
		return -EINVAL;
	used = into ? snprintf(to, n, "%s/%s", dst, base) : snprintf(to, n, "%s", dst);
	return (size_t)used < n ? 0 : -ENAMETOOLONG;
}

/**
 * walk_inside - is a path below a folder, or the folder itself?
 * @dir:	an existing folder
 * @path:	something that need not exist, but its parent does
 *
 * Return: true if so, also by way of symbolic links.
 */
bool walk_inside(const char *dir, const char *path)
{
	char real_dir[PATH_MAX], real[PATH_MAX], parent[PATH_MAX];
	char *slash;
	size_t len;

	if (!realpath(dir, real_dir))
		return false;
	if (!realpath(path, real)) {
		snprintf(parent, sizeof(parent), "%s", path);
		slash = strrchr(parent, '/');
		if (slash == parent)
			slash++;
		if (slash)
			*slash = '\0';
		if (!realpath(slash ? parent : ".", real))
			return false;
	}
	len = strlen(real_dir);
	return !strncmp(real_dir, real, len) && (!real[len] || real[len] == '/' || len == 1);
}
