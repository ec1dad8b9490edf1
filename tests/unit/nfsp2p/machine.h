/* SPDX-License-Identifier: GPL-2.0 */
/* One machine, put together of parts, and what nfsp2p makes of it. */
#ifndef TESTS_MACHINE_H
#define TESTS_MACHINE_H

#include <stdbool.h>

#include "../../../tools/nfsp2p/verdict.h"
#include "../../lib/faketree.h"

#define KERNEL	  "7.3.4-test"
#define ABLE_CAPS (NFS_CAP_P2PDMA | 0xdffbfe3f)

/* The places of an NVMe drive and an RDMA device: two root ports, or one switch. */
#define PORT_A	 "pci0000:00/0000:00:01.0"
#define PORT_B	 "pci0000:00/0000:00:02.0"
#define PORT_C	 "pci0000:80/0000:80:01.0"
#define UP	 PORT_A "/0000:01:00.0"
#define DOWN_1	 UP "/0000:02:00.0"
#define DOWN_2	 UP "/0000:02:01.0"
#define REDIRECT (ACS_REQUEST_REDIRECT | ACS_COMPLETION_REDIRECT)

/**
 * struct machine - the machine of the running test
 * @tree:	its /proc and /sys
 * @shot:	what nfsp2p has read of it
 * @verdict:	and what it says
 */
struct machine {
	struct faketree tree;
	struct snapshot shot;
	struct verdict verdict;
};

extern struct machine machine;
extern const struct fake_mount machine_able; /* all is well with it */

int machine_setup(void **state);
int machine_teardown(void **state);
void machine_bridge(const char *path, enum fake_port port, int acs);
void machine_host_bridge(const char *path, unsigned int vendor, unsigned int device);
void machine_endpoint(const char *path, unsigned int vendor, unsigned int device,
		      const char *driver);
void machine_nvme(const char *path);
void machine_mlx5(const char *name, const char *path);
void machine_amd(void);
void machine_intel(unsigned int bridge_device);
void machine_switch(int acs);
void machine_ports(const char *second);
void machine_judge(enum answer answer, const char *code);
void machine_judge_mount(struct fake_mount mount, enum answer answer, const char *code);
bool machine_says(const char *text);

#endif
