/* SPDX-License-Identifier: GPL-2.0 */
/*
 * May a mount use a provider's memory? A pure function of a snapshot.
 */
#ifndef NFSP2P_VERDICT_H
#define NFSP2P_VERDICT_H

#include <stddef.h>
#include <stdint.h>

#include "snapshot.h"

/**
 * enum answer - to "is this usable?"
 * @ANSWER_YES:		it is
 * @ANSWER_UNKNOWN:	could not tell
 * @ANSWER_NO:		it is not
 *
 * The larger one wins where several are put together.
 */
enum answer {
	ANSWER_YES,
	ANSWER_UNKNOWN,
	ANSWER_NO,
};

/**
 * struct finding - one thing that was found
 * @answer:		what it means alone; ANSWER_YES for what is only good to know
 * @code:		a short constant name for programs: "not-rdma"
 * @why:		a sentence: what was found, on which object
 * @todo:		what to do about it, or NULL
 */
struct finding {
	enum answer answer;
	const char *code;
	char *why;
	char *todo;
};

#define MAX_FINDINGS 24

/**
 * struct verdict - answer and findings, the decisive one first
 * @answer:		all findings together
 * @findings:		what was found
 * @nfindings:		how many
 * @route:		the way, if @answer is ANSWER_YES
 * @distance:		sum of the links between the provider and the devices
 */
struct verdict {
	enum answer answer;
	struct finding findings[MAX_FINDINGS];
	size_t nfindings;
	enum route route;
	unsigned int distance;
};

/**
 * struct endpoint - one end of a copy: an NFS mount, or a device that does DMA
 * @mount:		the mount, or NULL
 * @pci:		without @mount: index of the PCI function (of an NVMe drive)
 */
struct endpoint {
	const struct nfs_mount *mount;
	int pci;
};

void verdict_mount(const struct snapshot *s, const struct nfs_mount *m, struct verdict *v);
void verdict_pair(const struct snapshot *s, const struct nfs_mount *m, const struct provider *p,
		  struct verdict *v);
void verdict_machine(const struct snapshot *s, const struct provider *p, struct verdict *v);
void verdict_endpoint(const struct snapshot *s, const struct endpoint *e, const struct provider *p,
		      struct verdict *v);
void verdict_ends(const struct snapshot *s, const struct endpoint *ends, size_t n,
		  const struct provider *p, struct verdict *v);
const struct provider *verdict_pick(const struct snapshot *s, const struct endpoint *ends, size_t n,
				    uint64_t bytes, struct verdict *v);
void verdict_add(struct verdict *v, enum answer answer, const char *code, const char *todo,
		 const char *format, ...) __attribute__((format(printf, 5, 6)));
void verdict_measured(struct verdict *v, const char *code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
const char *verdict_reason(const struct verdict *v);
const char *answer_name(enum answer answer);
void verdict_free(struct verdict *v);

#endif
