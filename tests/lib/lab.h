/* SPDX-License-Identifier: GPL-2.0 */
/* The lab guest that a test runs in: mounts, topology, child processes. */
#ifndef TESTS_LAB_H
#define TESTS_LAB_H

#include <stdbool.h>
#include <stddef.h>

#define LAB_MOUNT  "/mnt/nfs"	 /* the client's view */
#define LAB_EXPORT "/export"	 /* the same files on the server */
#define LAB_SECOND "/mnt/second" /* one more mount of the client's */

/**
 * enum lab_route - which way peer-to-peer data takes in this guest
 * @LAB_BUS:	by PCI bus address, below the common switch
 * @LAB_ROOT:	through the root complex (host bridge or IOMMU)
 * @LAB_BOUNCED:	it would be copied by the CPU on its way, and must not go
 * @LAB_NONE:	not at all
 */
enum lab_route {
	LAB_BUS,
	LAB_ROOT,
	LAB_BOUNCED,
	LAB_NONE,
};

extern const char *const lab_versions[];

enum lab_route lab_route(void);
bool lab_reachable(void);
bool lab_is_stock(void);
const char *lab_rnic(void);

void lab_put(const char *path, const char *text);
int lab_run(const char *const argv[]);
void lab_must(const char *const argv[]);
int lab_mount(const char *version, const char *proto);
int lab_mount_with(const char *version, const char *proto, const char *const extra[]);
int lab_unmount(void);
void lab_mount_second(const char *options, const char *what);
void lab_unmount_second(void);
bool lab_is_mounted(const char *version, const char *proto);
void lab_skip(const char *reason) __attribute__((noreturn));

int lab_main_setup(int argc, char **argv);

#endif
