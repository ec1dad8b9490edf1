/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One file, seen from both ends: through the NFS client with O_DIRECT, and on
 * the server's own file system without any NFS in between.
 */
#ifndef TESTS_NFSFILE_H
#define TESTS_NFSFILE_H

#include <stddef.h>
#include <stdint.h>

#define NFSFILE_MAX   (16UL << 20) /* largest piece checked at once, bytes */
#define NFSFILE_GUARD 64	   /* bytes around it that stay untouched */

/**
 * struct nfsfile - a file that is open at both ends
 * @client:	file descriptor below the mount point, O_RDWR and O_DIRECT
 * @server:	file descriptor below the export, O_RDWR
 *
 * While the server's own descriptor is open for writing, knfsd grants no
 * delegation, and what a test does behind the client's back needs no recall.
 */
struct nfsfile {
	int client;
	int server;
};

#define NFSFILE_CLOSED                                                                             \
	{                                                                                          \
		.client = -1, .server = -1                                                         \
	}

void nfsfile_open(struct nfsfile *file, const char *name, size_t size);
void nfsfile_mount(struct nfsfile *file, const char *version, const char *proto, const char *name,
		   size_t size);
void nfsfile_close(struct nfsfile *file);
int nfsfile_leave(void **state);
void nfsfile_server_fill(const struct nfsfile *file, size_t len, uint64_t seed, uint64_t pos);
void nfsfile_server_check(const struct nfsfile *file, size_t len, uint64_t seed, uint64_t pos);
void nfsfile_guard(const struct nfsfile *file, size_t len, uint64_t pos);
void nfsfile_guard_check(const struct nfsfile *file, size_t len, uint64_t pos);
void nfsfile_buffer_check(const void *data, size_t len, uint64_t seed, uint64_t pos,
			  const char *what);

#endif
