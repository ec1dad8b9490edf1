// SPDX-License-Identifier: GPL-2.0
/* Makes the copies of all items: see items.h. */
#include "items.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dest.h"
#include "message.h"
#include "stop.h"

/* Would every other file fail with this, too? */
static bool is_final(const struct copier *c, int error)
{
	if (!error)
		return false;
	return error == -EINTR || error == -ENOSPC || error == -EDQUOT || error == -EROFS ||
	       payload_refused(&c->payload, error) || payload_lost(&c->payload);
}

/*
 * Names are brought to stable storage a folder at a time, when all of them are there.
 * The folder of what was named on the command line is no item.
 */
static int keep_name(const struct item *item)
{
	int rc = item->named ? dest_keep_name(item->to) : 0;

	return rc ? message_error(item->to, rc, "its name cannot be brought to stable storage") : 0;
}

static int keep_names_in(const struct item *item)
{
	int rc = dest_keep_folder(item->to);

	/* That it could not be made has been said. */
	if (!rc || rc == -ENOENT || rc == -ENOTDIR)
		return 0;
	return message_error(item->to, rc, "the names in it cannot be brought to stable storage");
}

/* Writable for us until everything is in it. */
static int make_folder(struct item *item)
{
	struct stat st;

	item->made = !mkdir(item->to, (item->st.st_mode & 0777) | 0700);
	if (item->made)
		return 0;
	if (errno == EEXIST && !stat(item->to, &st) && S_ISDIR(st.st_mode))
		return 0;
	return message_error(item->to, -errno, "cannot make this folder");
}

static int copy_item(struct copier *c, const struct item *item)
{
	int rc = copy_file(c, item->from, item->to, item->named ? 0 : O_NOFOLLOW);

	return rc ? rc : keep_name(item);
}

/**
 * items_copy_files - make folders and the files in them
 * @c:		how
 * @w:		what; which folders were made is noted
 *
 * Goes on with the next file if one fails, unless all would.
 *
 * Return: 0, or a negative errno: -EINTR if we were asked to end, else what failed
 * first.
 */
int items_copy_files(struct copier *c, struct walk *w)
{
	int first = 0;

	for (size_t i = 0; i < w->n; i++) {
		struct item *item = &w->items[i];
		int rc = 0;

		if (stop_signal())
			return -EINTR;
		if (S_ISDIR(item->st.st_mode))
			rc = make_folder(item);
		else if (S_ISREG(item->st.st_mode) || item->named)
			rc = copy_item(c, item);
		if (is_final(c, rc))
			return rc;
		if (!first)
			first = rc;
	}
	return first;
}

/* Under a temporary name first: what is there is replaced, never missing. */
static int make_node(const struct item *item)
{
	char temp[PATH_MAX];
	int rc;

	if (dest_path(temp, item->to, "node"))
		return message_error(item->to, -ENAMETOOLONG, "no room for a temporary name");
	unlink(temp);
	rc = item->link ? symlink(item->link, temp)
			: mknod(temp, item->st.st_mode & (S_IFMT | 0777), item->st.st_rdev);
	if (rc)
		return message_error(item->to, -errno, "cannot make this %s",
				     item->link ? "link" : "special file");
	if (rename(temp, item->to)) {
		rc = message_error(item->to, -errno, "cannot make it");
		unlink(temp);
		return rc;
	}
	return keep_name(item);
}

static int preserve(const struct copier *c, const struct item *item)
{
	const struct timespec times[2] = { item->st.st_atim, item->st.st_mtim };
	const struct stat *st = &item->st;
	mode_t mode;

	if (!c->preserve)
		return 0;
	mode = file_own(AT_FDCWD, item->to, st->st_uid, st->st_gid, st->st_mode);
	if (!item->link && chmod(item->to, mode))
		return message_error(item->to, -errno, "cannot set its mode");
	if (utimensat(AT_FDCWD, item->to, times, AT_SYMLINK_NOFOLLOW))
		return message_error(item->to, -errno, "cannot set its times");
	return 0;
}

/* All that is in it is there. */
static int finish_folder(const struct copier *c, const struct item *item, mode_t mask)
{
	int rc = keep_names_in(item);

	if (!rc)
		rc = keep_name(item);
	if (!c->preserve && item->made && (item->st.st_mode & 0700) != 0700 &&
	    chmod(item->to, item->st.st_mode & 0777 & ~mask))
		rc = message_error(item->to, -errno, "cannot set its mode");
	return rc;
}

/**
 * items_copy_rest - make links and special files, and finish folders
 * @c:		how
 * @w:		what
 *
 * Return: 0, or what failed first.
 */
int items_copy_rest(struct copier *c, const struct walk *w)
{
	mode_t mask = umask(0);
	int first = 0;

	umask(mask);
	/* From the end: what is in a folder comes before it, or its times would change. */
	for (size_t i = w->n; i-- && !stop_signal();) {
		const struct item *item = &w->items[i];
		int rc;

		if (S_ISREG(item->st.st_mode) || (item->named && !S_ISDIR(item->st.st_mode)))
			continue;
		rc = S_ISDIR(item->st.st_mode) ? finish_folder(c, item, mask) : make_node(item);
		if (!rc)
			rc = preserve(c, item);
		if (!first)
			first = rc;
	}
	return first;
}
