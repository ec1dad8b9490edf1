// SPDX-License-Identifier: GPL-2.0
/*
 * A TCG plugin that counts the instructions a guest executes, by the address
 * of the block of code they are in, between two marks that a program in the
 * guest sets.
 *
 * A count is exact and the same in each run, nothing runs in the guest to take
 * it, and idle time does not enter. What belongs to which address is not known
 * here: bench/host/report.c has the guest's symbols.
 *
 * Argument: out=FILE. Each end mark appends a section to it:
 *
 *	section
 *	ADDRESS INSTRUCTIONS EXECUTIONS
 *	...
 *
 * with numbers in hexadecimal, decimal, decimal. Address 0 stands for all of
 * user space. Source of the interface: QEMU 7.2, docs/devel/tcg-plugins.rst and
 * qemu-plugin.h, whose API version 1 this declares as far as it is used, since
 * Debian has no package with that header.
 */
#include <inttypes.h>
#include <search.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../mark.h"

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;

enum { INLINE_ADD_U64 };
enum { CB_NO_REGS };

typedef void (*tb_trans_cb)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void (*vcpu_cb)(unsigned int vcpu, void *data);
typedef void (*exit_cb)(qemu_plugin_id_t id, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, tb_trans_cb cb);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, int op, void *ptr,
					      uint64_t imm);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, int op, void *ptr,
						uint64_t imm);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, vcpu_cb cb, int flags,
					    void *data);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, exit_cb cb, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t idx);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

/**
 * struct block - a block of code as QEMU translates it
 * @addr:	address of its first instruction, 0 for all of user space
 * @insns:	instructions executed; QEMU adds to this
 * @runs:	how often it was entered; QEMU adds to this
 * @next:	in the list of all blocks
 *
 * A block is often left in the middle: by an exception, or, with -icount, at each
 * access to a device, after which QEMU goes on with another block. That is why its
 * instructions are counted one by one. Blocks are never freed: translated code
 * refers to them.
 */
struct block {
	uint64_t addr;
	uint64_t insns;
	uint64_t runs;
	struct block *next;
};

static void *tree;
static struct block *blocks;
static FILE *out;

static int block_compare(const void *a, const void *b)
{
	const struct block *x = a, *y = b;

	return (x->addr > y->addr) - (x->addr < y->addr);
}

static struct block *block_get(uint64_t addr)
{
	struct block key = { .addr = addr }, *block, **found;

	found = tfind(&key, &tree, block_compare);
	if (found)
		return *found;
	block = malloc(sizeof(*block));
	if (!block)
		abort();
	*block = key;
	block->next = blocks;
	blocks = block;
	if (!tsearch(block, &tree, block_compare))
		abort();
	return block;
}

static void section_begin(unsigned int vcpu, void *data)
{
	(void)vcpu;
	(void)data;
	for (struct block *b = blocks; b; b = b->next)
		b->runs = b->insns = 0;
}

static void section_end(unsigned int vcpu, void *data)
{
	(void)vcpu;
	(void)data;
	fprintf(out, "section\n");
	for (struct block *b = blocks; b; b = b->next)
		if (b->runs)
			fprintf(out, "%" PRIx64 " %" PRIu64 " %" PRIu64 "\n", b->addr, b->insns,
				b->runs);
	fflush(out);
}

/* A mark is a long no-operation with a displacement that nobody else uses. */
static void find_marks(struct qemu_plugin_tb *tb)
{
	static const unsigned char nop[] = { 0x0f, 0x1f, 0x84, 0x00 };
	size_t n = qemu_plugin_tb_n_insns(tb);

	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		const unsigned char *code = qemu_plugin_insn_data(insn);
		uint32_t mark;

		if (qemu_plugin_insn_size(insn) != 8 || memcmp(code, nop, sizeof(nop)))
			continue;
		memcpy(&mark, code + sizeof(nop), sizeof(mark));
		if (mark == MARK_BEGIN)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, section_begin, CB_NO_REGS,
							       NULL);
		else if (mark == MARK_END)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, section_end, CB_NO_REGS, NULL);
	}
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	uint64_t addr = qemu_plugin_tb_vaddr(tb);
	bool user = !(addr >> 63);
	size_t n = qemu_plugin_tb_n_insns(tb);
	struct block *block = block_get(user ? 0 : addr);

	(void)id;
	if (user)
		find_marks(tb);
	qemu_plugin_register_vcpu_tb_exec_inline(tb, INLINE_ADD_U64, &block->runs, 1);
	for (size_t i = 0; i < n; i++)
		qemu_plugin_register_vcpu_insn_exec_inline(qemu_plugin_tb_get_insn(tb, i),
							   INLINE_ADD_U64, &block->insns, 1);
}

static void done(qemu_plugin_id_t id, void *data)
{
	(void)id;
	(void)data;
	fclose(out);
}

__attribute__((visibility("default"))) int
qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv)
{
	(void)info;
	if (argc != 1 || strncmp(argv[0], "out=", 4)) {
		fprintf(stderr, "count: the only argument is out=FILE\n");
		return -1;
	}
	out = fopen(argv[0] + 4, "we");
	if (!out) {
		perror(argv[0] + 4);
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, done, NULL);
	return 0;
}
