/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which way did the data go?  A snapshot of every counter before an I/O, a
 * description of the I/O, and a check of what the counters did meanwhile.
 *
 * Client and server share one virtual NIC, which therefore counts both ends: a
 * client WRITE of N bytes is one RDMA Read of the server, N bytes out of the
 * client's buffer and N bytes into the server's memory.  RPC messages add the
 * same to ram_read as to ram_write.  So the difference of those two is exact,
 * although their sizes are not known.
 */
#ifndef TESTS_EVIDENCE_H
#define TESTS_EVIDENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "counters.h"
#include "p2pmem.h"

/**
 * struct evidence - all counters at one moment
 * @nic:	virtual NIC
 * @mount:	NFS mount
 * @pins:	pinned pages of the whole system
 * @server:	data operations of the NFS server
 * @available:	free p2pmem in bytes, 0 for MEM_RAM or without provider
 */
struct evidence {
	struct nic_stats nic;
	struct mount_stats mount;
	struct pin_stats pins;
	struct server_stats server;
	uint64_t available[MEM_KINDS];
};

/**
 * enum pin_rule - what is known about the number of pages that our modules pin
 * @PINS_BALANCED:	nothing but that all are released
 * @PINS_AT_LEAST:	each page at least once
 * @PINS_EXACT:		each page exactly once
 */
enum pin_rule {
	PINS_BALANCED,
	PINS_AT_LEAST,
	PINS_EXACT,
};

/**
 * struct expected - what an I/O over the virtual NIC must do to the counters
 * @p2p_read:	payload that the NIC takes out of peer-to-peer memory, bytes
 * @p2p_write:	payload that the NIC puts into peer-to-peer memory, bytes
 * @ram_skew:	by how much ram_write grows more than ram_read, bytes
 * @pages:	pages of the caller's buffers
 * @pins:	how @pages is to be taken
 * @may_copy:	bytes that the CPU may copy on their way from or to the wire:
 *		xprtrdma does so with small payloads in memory
 * @resent:	the transport may have moved payload more than once
 */
struct expected {
	uint64_t p2p_read, p2p_write;
	int64_t ram_skew;
	uint64_t pages;
	enum pin_rule pins;
	uint64_t may_copy;
	bool resent;
};

void evidence_take(struct evidence *ev);
void evidence_start(struct evidence *ev);
void expected_add(struct expected *exp, bool write, enum mem_kind kind, const void *data,
		  size_t len);
void evidence_check(const struct evidence *before, const struct expected *exp);
void evidence_check_pins(const struct evidence *before);
void evidence_no_data_rpc(const struct evidence *before, bool tried);

#endif
