// SPDX-License-Identifier: GPL-2.0
/* Small files of /proc and /sys: see tree.h. */
#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is read of an attribute, which the kernel limits to one page. */
#define LINE_LIMIT 4096

static int path_va(char *path, size_t n, const char *root, const char *format, va_list args)
{
	int used = snprintf(path, n, "%s", root);
	int rest;

	if (used < 0 || (size_t)used >= n)
		return -ENAMETOOLONG;
	rest = vsnprintf(path + used, n - (size_t)used, format, args);
	return rest < 0 || (size_t)rest >= n - (size_t)used ? -ENAMETOOLONG : 0;
}

/**
 * tree_path - where a file of a tree is
 * @path:	filled in
 * @n:		size of @path
 * @root:	"" for this machine, or the folder of a recorded tree
 * @format:	as for printf(3): the absolute name on the machine
 *
 * Return: 0, or -ENAMETOOLONG.
 */
int tree_path(char *path, size_t n, const char *root, const char *format, ...)
{
	va_list args;
	int rc;

	va_start(args, format);
	rc = path_va(path, n, root, format, args);
	va_end(args);
	return rc;
}

static int read_file(const char *path, size_t limit, char **data, size_t *len)
{
	/* Not to be held up by a FIFO in a recorded tree. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t used = 0, size = LINE_LIMIT;
	struct stat st;
	char *text;
	int rc = 0;

	if (fd < 0)
		return -errno;
	text = malloc(size + 1);
	if (fstat(fd, &st))
		rc = -errno;
	else if (!S_ISREG(st.st_mode))
		rc = -EINVAL;
	else if (!text)
		rc = -ENOMEM;
	while (!rc && used < limit) {
		ssize_t done;

		if (used == size) {
			char *more = realloc(text, 2 * size + 1);

			if (!more) {
				rc = -ENOMEM;
				break;
			}
			text = more;
			size *= 2;
		}
		done = read(fd, text + used, (size < limit ? size : limit) - used);
		if (done < 0)
			rc = -errno;
		if (done <= 0)
			break;
		used += (size_t)done;
	}
	close(fd);
	if (rc) {
		free(text);
		return rc;
	}
	text[used] = '\0';
	*data = text;
	if (len)
		*len = used;
	return 0;
}

/**
 * tree_read - read a whole file
 * @data:	allocated, ends with a NUL byte that does not count; to be freed;
 *		unchanged on failure
 * @len:	how many bytes were read, or NULL
 * @limit:	most bytes that are read; what is behind them is ignored
 * @root:	as in tree_path()
 * @format:	as in tree_path()
 *
 * Return: 0 or a negative errno; -EINVAL for what is not a regular file.
 */
int tree_read(char **data, size_t *len, size_t limit, const char *root, const char *format, ...)
{
	char path[PATH_MAX];
	va_list args;
	int rc;

	va_start(args, format);
	rc = path_va(path, sizeof(path), root, format, args);
	va_end(args);
	return rc ? rc : read_file(path, limit, data, len);
}

static int line_va(char *line, size_t n, const char *root, const char *format, va_list args)
{
	char path[PATH_MAX], *text = NULL;
	size_t len;
	int rc;

	rc = path_va(path, sizeof(path), root, format, args);
	if (!rc)
		rc = read_file(path, LINE_LIMIT, &text, NULL);
	if (rc)
		return rc;
	/* read_file() has set it. */
	len = strcspn(text, "\n"); /* NOLINT(clang-analyzer-core.NonNullParamChecker) */
	if (len >= n) {
		rc = -EOVERFLOW;
	} else {
		memcpy(line, text, len);
		line[len] = '\0';
	}
	free(text);
	return rc;
}

/**
 * tree_line - the first line of an attribute
 * @line:	filled in, without the newline; unchanged on failure
 * @n:		size of @line
 * @root:	as in tree_path()
 * @format:	as in tree_path()
 *
 * Return: 0, -EOVERFLOW if it does not fit, or another negative errno.
 */
int tree_line(char *line, size_t n, const char *root, const char *format, ...)
{
	va_list args;
	int rc;

	va_start(args, format);
	rc = line_va(line, n, root, format, args);
	va_end(args);
	return rc;
}

/**
 * tree_u64 - an attribute that is one number
 * @value:	filled in; unchanged on failure
 * @root:	as in tree_path()
 * @format:	as in tree_path()
 *
 * The number may be decimal or, with 0x, hexadecimal.
 *
 * Return: 0, -EINVAL if it is no number, or another negative errno.
 */
int tree_u64(uint64_t *value, const char *root, const char *format, ...)
{
	char line[64], *end;
	unsigned long long n;
	va_list args;
	int rc;

	va_start(args, format);
	rc = line_va(line, sizeof(line), root, format, args);
	va_end(args);
	if (rc)
		return rc;
	errno = 0;
	n = strtoull(line, &end, 0);
	if (errno || end == line || *end || line[0] == '-')
		return -EINVAL;
	*value = n;
	return 0;
}

/**
 * tree_link - the last part of what a symbolic link leads to
 * @name:	filled in, e.g. with a driver's name; unchanged on failure
 * @n:		size of @name
 * @root:	as in tree_path()
 * @format:	as in tree_path()
 *
 * Return: 0 or a negative errno.
 */
int tree_link(char *name, size_t n, const char *root, const char *format, ...)
{
	char path[PATH_MAX], target[PATH_MAX];
	const char *last;
	va_list args;
	ssize_t len;
	int rc;

	va_start(args, format);
	rc = path_va(path, sizeof(path), root, format, args);
	va_end(args);
	if (rc)
		return rc;
	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return -errno;
	target[len] = '\0';
	last = strrchr(target, '/');
	last = last ? last + 1 : target;
	if (strlen(last) >= n)
		return -EOVERFLOW;
	memcpy(name, last, strlen(last) + 1);
	return 0;
}

/**
 * tree_exists - is there such a file or folder?
 * @root:	as in tree_path()
 * @format:	as in tree_path()
 */
bool tree_exists(const char *root, const char *format, ...)
{
	char path[PATH_MAX];
	va_list args;
	int rc;

	va_start(args, format);
	rc = path_va(path, sizeof(path), root, format, args);
	va_end(args);
	return !rc && !access(path, F_OK);
}

static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/**
 * tree_names - what is in a folder
 * @path:	which
 * @names:	filled in, in order of the names; to be freed with tree_names_free()
 * @n:		how many
 *
 * Return: 0 or a negative errno.
 */
int tree_names(const char *path, char ***names, size_t *n)
{
	struct dirent **entries;
	int count = scandir(path, &entries, visible, alphasort);
	int rc = 0;

	if (count < 0)
		return -errno;
	*n = 0;
	*names = calloc((size_t)count + 1, sizeof(**names));
	if (!*names)
		rc = -ENOMEM;
	for (int i = 0; i < count; i++) {
		if (!rc) {
			(*names)[*n] = strdup(entries[i]->d_name);
			if ((*names)[*n])
				(*n)++;
			else
				rc = -ENOMEM;
		}
		free(entries[i]);
	}
	free(entries);
	if (rc && *names) {
		tree_names_free(*names, *n);
		*names = NULL;
	}
	return rc;
}

/**
 * tree_names_free - free what tree_names() returned
 * @names:	the names, or NULL
 * @n:		how many
 */
void tree_names_free(char **names, size_t n)
{
	for (size_t i = 0; names && i < n; i++)
		free(names[i]);
	free(names);
}
