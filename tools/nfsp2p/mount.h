/* SPDX-License-Identifier: GPL-2.0 */
/*
 * NFS mounts and their transports, from /proc/self/mountinfo (by libmount),
 * /proc/self/mountstats and /sys/fs/nfs.
 */
#ifndef NFSP2P_MOUNT_H
#define NFSP2P_MOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct snapshot;

/* NFS_CAP_P2PDMA of series/7.3/0031, NFS_CAP_READ_PLUS of include/linux/nfs_fs_sb.h. */
#define NFS_CAP_P2PDMA	  (1ULL << 32)
#define NFS_CAP_READ_PLUS (1ULL << 29)

/**
 * enum xprt_p2pdma - what a transport says of its device
 * @XPRT_UNKNOWN:	it has never been connected
 * @XPRT_NO:		its device cannot do P2PDMA
 * @XPRT_YES:		it can
 * @XPRT_SILENT:	the kernel does not say: it has no series
 *
 * The first three are the numbers that the kernel prints (series/7.3/0037).
 */
enum xprt_p2pdma {
	XPRT_UNKNOWN,
	XPRT_NO,
	XPRT_YES,
	XPRT_SILENT,
};

/**
 * struct nfs_xprt - one transport of a mount
 * @proto:		"rdma", "tcp", "udp" or "local"
 * @p2pdma:		can its device?
 * @read:		payload moved to P2P memory of this machine, in bytes
 * @write:		payload moved from P2P memory of this machine, in bytes
 * @refused:		how often P2P memory was refused
 * @pullup:		bytes that the CPU copied to send them
 * @fixup:		bytes that the CPU copied after they were received
 */
struct nfs_xprt {
	char proto[8];
	enum xprt_p2pdma p2pdma;
	uint64_t read, write, refused;
	uint64_t pullup, fixup;
};

#define MAX_XPRTS 32
#define MAX_RNICS 8

/**
 * struct nfs_mount - one NFS mount
 * @id:			mount id, as in mountinfo
 * @major:		of its device number
 * @minor:		of its device number
 * @source:		SERVER:/PATH
 * @target:		where it is mounted
 * @vers:		"3", "4.2" ...; "" if unknown
 * @proto:		"rdma", "tcp" ...; "" if unknown
 * @sec:		security flavour: "sys", "krb5i" ...; "" if unknown
 * @pnfs:		name of the layout driver, "" without pNFS
 * @rsize:		most bytes of one READ, 0 if unknown
 * @wsize:		most bytes of one WRITE, 0 if unknown
 * @caps:		NFS_CAP_* bits
 * @have_stats:		mountstats has this mount: all of the above but @id, @source and
 *			@target come from there
 * @localio:		the server is this machine and the client goes round it
 * @xprts:		its transports
 * @nxprts:		how many; more than MAX_XPRTS are cut off, see @more_xprts
 * @more_xprts:		there are more than @xprts has
 * @rnics:		the RDMA devices of its connections, indices of &struct snapshot.rnics
 * @nrnics:		how many; 0 if it is not known, or there is no connection now
 */
struct nfs_mount {
	unsigned int id, major, minor;
	char *source, *target;
	char vers[8], proto[8], sec[16], pnfs[40];
	unsigned int rsize, wsize;
	uint64_t caps;
	bool have_stats;
	bool localio;
	struct nfs_xprt xprts[MAX_XPRTS];
	size_t nxprts;
	bool more_xprts;
	int rnics[MAX_RNICS];
	size_t nrnics;
};

int mount_load(struct snapshot *s);
int mount_load_stats(struct snapshot *s);
void mount_clear(struct nfs_mount *m);
int mountstats_parse(char *text, struct nfs_mount *mounts, size_t n);
int mount_of_path(const struct snapshot *s, const char *path, const struct nfs_mount **m);
void mount_touch(const char *path);
bool mount_missing(const struct snapshot *s, const char *path);

#endif
