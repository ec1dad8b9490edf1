// SPDX-License-Identifier: GPL-2.0
/* Try it: see probe.h. */
#include "probe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "counters.h"
#include "p2pmem.h"
#include "trace.h"

#define PROBE_BYTES 65536
/* How many names of a folder are looked at for a file to read. */
#define MAX_NAMES 4096

/**
 * struct attempt - one read, and what was seen of it
 * @done:	bytes read, or a negative errno
 * @moved:	what the mount's transports counted meanwhile
 * @reason:	why the kernel refused, "" if it did not say
 * @traced:	0, or a negative errno if its reason could not be asked for
 */
struct attempt {
	ssize_t done;
	struct counters moved;
	char reason[32];
	int traced;
};

/**
 * probe_o_direct - can a file be opened with O_DIRECT?
 * @path:	the file; folders are not judged
 * @v:		a finding is added if not
 */
void probe_o_direct(const char *path, struct verdict *v)
{
	struct stat st;
	int fd;

	if (stat(path, &st) || !S_ISREG(st.st_mode))
		return;
	fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (fd >= 0)
		close(fd);
	else if (errno == EINVAL)
		verdict_add(
			v, ANSWER_NO, "no-o-direct", "use another file or file system",
			"%s cannot be opened with O_DIRECT, without which P2P memory is of no use",
			path);
	else
		verdict_add(v, ANSWER_UNKNOWN, "not-readable", "run as a user who may read it",
			    "%s cannot be opened: %s", path, strerror(errno));
}

/* Open a file with something in it; -ENOENT if it is empty, or none. */
static int open_file(int dir, const char *name)
{
	struct stat st;
	int fd = openat(dir, name, O_RDONLY | O_DIRECT | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size > 0)
		return fd;
	close(fd);
	return -ENOENT;
}

/* @path itself, or some file in the folder. Its name is left in @name. */
static int find_file(const char *path, char name[NAME_MAX + 1])
{
	struct dirent *entry;
	struct stat st;
	int fd = -ENOENT;
	DIR *dir;

	name[0] = '\0';
	if (stat(path, &st))
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return open_file(AT_FDCWD, path);
	dir = opendir(path);
	if (!dir)
		return -errno;
	for (int i = 0; fd < 0 && i < MAX_NAMES && (entry = readdir(dir)); i++) {
		if (entry->d_type != DT_REG && entry->d_type != DT_UNKNOWN)
			continue;
		fd = open_file(dirfd(dir), entry->d_name);
		snprintf(name, NAME_MAX + 1, "%s", entry->d_name);
	}
	closedir(dir);
	return fd;
}

static int attempt(const struct nfs_mount *m, int fd, struct p2pmem *mem, struct attempt *a)
{
	struct counters before, after;
	struct trace trace;
	int rc;

	*a = (struct attempt){ 0 };
	rc = counters_read(m, &before);
	if (rc)
		return rc;
	/* Only root may; the reason of a refusal is missing for others. */
	a->traced = trace_open(&trace);
	a->done = pread(fd, mem->data, mem->size, 0);
	if (a->done < 0)
		a->done = -errno;
	if (trace_reason(&trace, a->reason, sizeof(a->reason)))
		a->reason[0] = '\0';
	trace_close(&trace);
	rc = counters_read(m, &after);
	a->moved = counters_since(&before, &after);
	return rc;
}

static void judge(const struct provider *p, const char *file, const struct attempt *a,
		  struct verdict *v)
{
	if (a->done == -EREMOTEIO)
		verdict_add(v, ANSWER_NO, "probe-refused", NULL,
			    "probe: reading %s into %s was refused (Remote I/O error)%s%s", file,
			    p->bdf,
			    a->reason[0]	   ? "; the kernel's reason: "
			    : a->traced == -EACCES ? "; run as root for the kernel's reason"
						   : "",
			    a->reason);
	else if (a->done < 0)
		verdict_add(v, ANSWER_UNKNOWN, "probe-failed", NULL,
			    "probe: cannot read %s into %s: %s", file, p->bdf,
			    strerror((int)-a->done));
	else if (!a->done)
		verdict_add(v, ANSWER_UNKNOWN, "probe-empty", "name a file that is not empty",
			    "probe: %s has nothing to read", file);
	else if (!a->moved.counted)
		verdict_add(v, ANSWER_UNKNOWN, "probe-not-counted", NULL,
			    "probe: %zd bytes of %s came to %s, but the kernel does not count "
			    "which way",
			    a->done, file, p->bdf);
	else if (a->moved.p2p_read < (uint64_t)a->done)
		verdict_add(v, ANSWER_NO, "probe-copied", NULL,
			    "probe: %zd bytes of %s came to %s, but only %llu of them by P2PDMA",
			    a->done, file, p->bdf, (unsigned long long)a->moved.p2p_read);
	else
		verdict_measured(
			v, "probe-p2pdma",
			"probe: %zd bytes of %s came to %s by P2PDMA (%s counted %llu, "
			"and %llu copied by the CPU)",
			a->done, file, p->bdf,
			a->moved.of_machine ? "all transports of this machine, data servers' "
					      "among them,"
					    : "the transports",
			(unsigned long long)a->moved.p2p_read, (unsigned long long)a->moved.copied);
}

/* Is one of the findings such that nothing must, or can, be tried? */
static bool hopeless(const struct verdict *v)
{
	static const char *const codes[] = { "not-published", "not-permitted", "no-allocate",
					     "full" };

	for (size_t i = 0; i < v->nfindings; i++) {
		for (size_t k = 0; k < sizeof(codes) / sizeof(codes[0]); k++) {
			if (!strcmp(v->findings[i].code, codes[k]))
				return true;
		}
	}
	return false;
}

/**
 * probe_pair - read from a mount into a provider's memory, and judge
 * @m:		the mount
 * @p:		the provider
 * @path:	a file on the mount, or a folder to take a file from
 * @v:		the verdict so far; what was seen is added, and counts for more
 *
 * Nothing is written.  The counters are those of the transports, which all mounts of
 * the server share: other P2P I/O at the same time counts, too.
 */
void probe_pair(const struct nfs_mount *m, const struct provider *p, const char *path,
		struct verdict *v)
{
	char name[NAME_MAX + 1], file[PATH_MAX + NAME_MAX + 2];
	struct p2pmem mem = { 0 };
	struct attempt a;
	int fd, rc;

	if (hopeless(v))
		return;
	fd = find_file(path, name);
	snprintf(file, sizeof(file), "%s%s%s", path, name[0] ? "/" : "", name);
	if (fd < 0) {
		verdict_add(v, ANSWER_UNKNOWN, "probe-no-file",
			    "name a file: nfsp2p check --probe FILE",
			    "probe: found no file to read at %s: %s", path, strerror(-fd));
		return;
	}
	rc = p2pmem_map(&mem, p->bdf, p->available < PROBE_BYTES ? p->available : PROBE_BYTES);
	if (rc == -ENOMEM)
		rc = p2pmem_map(&mem, p->bdf, 1);
	if (!rc)
		rc = attempt(m, fd, &mem, &a);
	if (rc)
		verdict_add(v, ANSWER_UNKNOWN, "probe-failed", NULL,
			    "probe: cannot try %s with %s: %s", file, p->bdf, strerror(-rc));
	else
		judge(p, file, &a, v);
	p2pmem_unmap(&mem);
	close(fd);
}
