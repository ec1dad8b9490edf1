// SPDX-License-Identifier: GPL-2.0
/* Readers of counters: see counters.h. */
#include "counters.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VRNIC_DIR "/sys/kernel/debug/vrnic"

/**
 * nic_stats_parse - add the counters of one device
 * @f:		contents of a vrnic "stats" file: one "key value" a line
 * @sum:	each counter is added to
 *
 * Return: 0, or -EPROTO if one of the counters is missing.
 */
int nic_stats_parse(FILE *f, struct nic_stats *sum)
{
	const struct {
		const char *key;
		uint64_t *value;
	} keys[] = {
		{ "ram_read_bytes", &sum->ram_read },
		{ "ram_write_bytes", &sum->ram_write },
		{ "p2p_bus_read_bytes", &sum->bus_read },
		{ "p2p_bus_write_bytes", &sum->bus_write },
		{ "p2p_iommu_read_bytes", &sum->iommu_read },
		{ "p2p_iommu_write_bytes", &sum->iommu_write },
		{ "dma_faults", &sum->faults },
		{ "connects", &sum->connects },
		{ "kills", &sum->kills },
		{ "send", &sum->sends },
		{ "rdma_read", &sum->rdma_reads },
		{ "rdma_write", &sum->rdma_writes },
		{ "paused", &sum->paused },
	};
	const size_t nkeys = sizeof(keys) / sizeof(keys[0]);
	char line[256], key[64];
	size_t seen = 0;
	uint64_t value;

	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63s %" SCNu64, key, &value) != 2)
			continue;
		for (size_t i = 0; i < nkeys; i++) {
			if (!strcmp(key, keys[i].key)) {
				*keys[i].value += value;
				seen++;
			}
		}
	}
	return seen == nkeys ? 0 : -EPROTO;
}

/**
 * nic_stats_read - the counters of all virtual NICs together
 * @sum:	filled in; all zeros if there is none
 *
 * Return: 0 or a negative errno.
 */
int nic_stats_read(struct nic_stats *sum)
{
	glob_t found;
	int rc = 0;

	*sum = (struct nic_stats){ 0 };
	if (glob(VRNIC_DIR "/*/stats", 0, NULL, &found))
		return 0;
	for (size_t i = 0; !rc && i < found.gl_pathc; i++) {
		FILE *f = fopen(found.gl_pathv[i], "re");

		rc = f ? nic_stats_parse(f, sum) : -errno;
		if (f)
			fclose(f);
	}
	globfree(&found);
	return rc;
}

/**
 * nic_control - give one command to every virtual NIC
 * @command:	what the vrnic "ctl" file takes, e.g. "kill"
 *
 * Return: 0, -ENODEV without a virtual NIC, or a negative errno.
 */
int nic_control(const char *command)
{
	glob_t found;
	int rc = 0;

	if (glob(VRNIC_DIR "/*/ctl", 0, NULL, &found))
		return -ENODEV;
	for (size_t i = 0; !rc && i < found.gl_pathc; i++) {
		int fd = open(found.gl_pathv[i], O_WRONLY | O_CLOEXEC);

		if (fd < 0 || write(fd, command, strlen(command)) < 0)
			rc = -errno;
		if (fd >= 0)
			close(fd);
	}
	globfree(&found);
	return rc;
}

/* "device SERVER:/ mounted on DIR with fstype TYPE ..." starts a mount. */
static bool mount_starts(const char *line, const char *mountpoint, bool *ours)
{
	char dir[256], type[32];

	if (strncmp(line, "device ", 7))
		return false;
	*ours = sscanf(line, "device %*s mounted on %255s with fstype %31s", dir, type) == 2 &&
		!strcmp(dir, mountpoint) && !strncmp(type, "nfs", 3);
	return true;
}

/*
 * One transport of the mount.  The columns are those of
 * net/sunrpc/xprtrdma/transport.c:xprt_rdma_print_stats(); columns that later
 * kernels append do not matter here.
 */
static void parse_xprt(const char *line, struct mount_stats *st)
{
	uint64_t pullup, fixup, failed;

	if (strncmp(line, "rdma ", 5))
		return;
	st->rdma = true;
	if (sscanf(line,
		   "rdma %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
		   "%*s %*s %*s %*s %*s %" SCNu64 " %" SCNu64 " %*s %" SCNu64,
		   &pullup, &fixup, &failed) != 3)
		return;
	st->pullup += pullup;
	st->fixup += fixup;
	st->failed_marshal += failed;
}

/* "NAME: ops ntrans timeouts sent received queue rtt execute errors" */
static void parse_op(const char *line, struct mount_stats *st)
{
	uint64_t ops, sent;
	char name[32];

	if (sscanf(line, "%31[A-Z_]: %" SCNu64 " %*s %*s %" SCNu64, name, &ops, &sent) != 3)
		return;
	if (!strcmp(name, "READ"))
		st->read = (struct op_stats){ ops, sent };
	else if (!strcmp(name, "WRITE"))
		st->write = (struct op_stats){ ops, sent };
	else if (!strcmp(name, "COMMIT"))
		st->commit = (struct op_stats){ ops, sent };
	else if (!strcmp(name, "LAYOUTGET"))
		st->layoutget = (struct op_stats){ ops, sent };
}

/* "nfsv4: bm0=...,bm1=...,sessions,pnfs=DRIVER,lease_time=...": see fs/nfs/super.c */
static void parse_nfsv4(const char *line, struct mount_stats *st)
{
	const char *driver = strstr(line, ",pnfs=");

	if (driver)
		sscanf(driver, ",pnfs=%31[^,\n]", st->pnfs);
}

/* "events: N...": the last two of 27, see include/linux/nfs_iostat.h */
static void parse_events(const char *line, struct mount_stats *st)
{
	uint64_t reads, writes;

	if (sscanf(line,
		   "events: %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u "
		   "%*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64,
		   &reads, &writes) != 2)
		return;
	st->pnfs_reads = reads;
	st->pnfs_writes = writes;
}

/**
 * mount_stats_parse - find one NFS mount
 * @f:		contents of /proc/self/mountstats
 * @mountpoint:	as it is written there
 * @st:		filled in
 *
 * If several mounts lie on top of each other, the uppermost counts.
 *
 * Return: 0, or -ENOENT if no NFS file system is mounted there.
 */
int mount_stats_parse(FILE *f, const char *mountpoint, struct mount_stats *st)
{
	bool found = false, ours = false;
	char *line = NULL;
	size_t n = 0;

	while (getline(&line, &n, f) > 0) {
		const char *p = line + strspn(line, "\t ");

		if (mount_starts(line, mountpoint, &ours)) {
			if (ours)
				*st = (struct mount_stats){ 0 };
			found |= ours;
			continue;
		}
		if (!ours)
			continue;
		if (!strncmp(p, "caps:", 5))
			sscanf(p, "caps: caps=0x%" SCNx64, &st->caps);
		else if (!strncmp(p, "xprt:", 5))
			parse_xprt(p + 5 + strspn(p + 5, "\t "), st);
		else if (!strncmp(p, "nfsv4:", 6))
			parse_nfsv4(p, st);
		else if (!strncmp(p, "events:", 7))
			parse_events(p, st);
		else
			parse_op(p, st);
	}
	free(line);
	return found ? 0 : -ENOENT;
}

/**
 * mount_stats_read - the counters of one NFS mount now
 * @mountpoint:	where it is mounted
 * @st:		filled in
 *
 * Return: 0 or a negative errno.
 */
int mount_stats_read(const char *mountpoint, struct mount_stats *st)
{
	FILE *f = fopen("/proc/self/mountstats", "re");
	int rc;

	if (!f)
		return -errno;
	rc = mount_stats_parse(f, mountpoint, st);
	fclose(f);
	return rc;
}

/**
 * pin_stats_parse - find the two counters of pinned pages
 * @f:		contents of /proc/vmstat
 * @st:		filled in
 *
 * Return: 0, or -EPROTO if one is missing.
 */
int pin_stats_parse(FILE *f, struct pin_stats *st)
{
	int seen = 0;
	char line[128];

	while (fgets(line, sizeof(line), f)) {
		seen += sscanf(line, "nr_foll_pin_acquired %" SCNu64, &st->acquired) == 1;
		seen += sscanf(line, "nr_foll_pin_released %" SCNu64, &st->released) == 1;
	}
	return seen == 2 ? 0 : -EPROTO;
}

/**
 * pin_stats_read - the two counters of pinned pages now
 * @st:		filled in
 *
 * The kernel keeps per-CPU deltas of them; only a read of stat_refresh folds
 * these into /proc/vmstat.
 *
 * Return: 0 or a negative errno.
 */
int pin_stats_read(struct pin_stats *st)
{
	int fd = open("/proc/sys/vm/stat_refresh", O_RDONLY | O_CLOEXEC);
	char byte;
	FILE *f;
	int rc;

	if (fd < 0)
		return -errno;
	rc = read(fd, &byte, 1) < 0 ? -errno : 0;
	close(fd);
	if (rc)
		return rc;
	f = fopen("/proc/vmstat", "re");
	if (!f)
		return -errno;
	rc = pin_stats_parse(f, st);
	fclose(f);
	return rc;
}

/* The value in column @index (0 is the first) of a list of numbers. */
static uint64_t column(const char *list, int index)
{
	uint64_t value = 0;
	char *end;

	for (int i = 0; i <= index; i++, list = end) {
		value = strtoull(list, &end, 10);
		if (end == list)
			return 0;
	}
	return value;
}

/**
 * server_stats_parse - count data operations over all protocol versions
 * @f:		contents of /proc/net/rpc/nfsd
 * @st:		filled in
 *
 * Lines "proc3 COUNT ..." list procedures by number (RFC 1813: READ 6, WRITE 7,
 * COMMIT 21), "proc4ops COUNT ..." operations (RFC 7530: COMMIT 5, READ 25,
 * WRITE 38); the first number is the length of the list.
 *
 * Return: 0, or -EPROTO if the lists are missing.
 */
int server_stats_parse(FILE *f, struct server_stats *st)
{
	char *line = NULL;
	int seen = 0;
	size_t n = 0;

	*st = (struct server_stats){ 0 };
	while (getline(&line, &n, f) > 0) {
		const char *list;

		if (!strncmp(line, "proc3 ", 6)) {
			list = line + 6;
			st->reads += column(list, 7);
			st->writes += column(list, 8);
			st->commits += column(list, 22);
			st->v3_data = column(list, 7) + column(list, 8);
			seen++;
		} else if (!strncmp(line, "proc4ops ", 9)) {
			list = line + 9;
			st->reads += column(list, 26);
			st->writes += column(list, 39);
			st->commits += column(list, 6);
			seen++;
		}
	}
	free(line);
	return seen == 2 ? 0 : -EPROTO;
}

/**
 * server_stats_read - the server's counters now
 * @st:		filled in
 *
 * Return: 0 or a negative errno.
 */
int server_stats_read(struct server_stats *st)
{
	FILE *f = fopen("/proc/net/rpc/nfsd", "re");
	int rc;

	if (!f)
		return -errno;
	rc = server_stats_parse(f, st);
	fclose(f);
	return rc;
}
