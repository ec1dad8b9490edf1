/* SPDX-License-Identifier: GPL-2.0 */
/*
 * RDMA devices, the functions that do their DMA, and which of them a
 * transport's connection uses.
 */
#ifndef NFSP2P_RDMA_H
#define NFSP2P_RDMA_H

#include <stdbool.h>
#include <stddef.h>

struct snapshot;

/* Not an index of &struct snapshot.rnics. */
#define NO_RNIC (-1)

/**
 * struct rnic - one RDMA device
 * @name:		what the kernel calls it: "mlx5_0"
 * @pci:		index of its PCI function in &struct snapshot.pci, NO_PCI if it has none
 * @virtual_dma:	it has no device that does DMA: the CPU copies (rxe, siw)
 * @active:		one of its ports is active
 * @netdev:		network interface of its first port, "" if there is none
 *
 * Source: a device without a DMA device has no parent in sysfs, and
 * include/rdma/ib_verbs.h, ib_uses_virt_dma().
 */
struct rnic {
	char name[64];
	int pci;
	bool virtual_dma;
	bool active;
	char netdev[16];
};

/**
 * struct rdma_conn - a connection that a kernel user of the RDMA CM has
 * @device:		RDMA device, as in &struct rnic.name
 * @user:		the module that made it: "rpcrdma"
 * @address:		of the peer, as text
 * @port:		of the peer
 */
struct rdma_conn {
	char device[64];
	char user[32];
	char address[64];
	unsigned int port;
};

int rdma_load(struct snapshot *s);
int rdma_conns(const char *root, struct rdma_conn **conns, size_t *n);
int rdma_conns_parse(char *text, struct rdma_conn **conns, size_t *n);
int rdma_conns_add(struct rdma_conn **conns, size_t *n, const struct rdma_conn *conn);
int rdma_conns_ask(struct rdma_conn **conns, size_t *n);
int rnic_find(const struct snapshot *s, const char *name);

#endif
