// SPDX-License-Identifier: GPL-2.0
/*
 * fio as an independent client: it writes blocks with checksums from P2P memory
 * in random order and reads them back into P2P memory, with its own code for
 * mapping, submitting and verifying.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/evidence.h"
#include "../lib/lab.h"
#include "../lib/p2pmem.h"

/**
 * struct job - one run of fio
 * @name:	what the test is called
 * @block:	fio's block size
 * @engine:	fio's ioengine
 * @depth:	I/Os in flight
 * @kind:	where fio's buffers live
 * @size:	bytes of the file
 */
struct job {
	const char *name;
	const char *block;
	const char *engine;
	const char *depth;
	enum mem_kind kind;
	unsigned int size;
};

static const char target[] = "--filename=" LAB_MOUNT "/fio";

static const struct job jobs[] = {
	{ "CMB 512 psync", "512", "psync", "1", MEM_CMB, 256 << 10 },
	{ "BAR 512 psync", "512", "psync", "1", MEM_BAR, 256 << 10 },
	{ "CMB 4k libaio x8", "4k", "libaio", "8", MEM_CMB, 1 << 20 },
	{ "BAR 4k io_uring x8", "4k", "io_uring", "8", MEM_BAR, 1 << 20 },
	{ "CMB 64k io_uring x4", "64k", "io_uring", "4", MEM_CMB, 8 << 20 },
	{ "BAR 64k libaio x16", "64k", "libaio", "16", MEM_BAR, 8 << 20 },
	{ "CMB 1M psync", "1m", "psync", "1", MEM_CMB, 8 << 20 },
	{ "BAR 1M libaio x4", "1m", "libaio", "4", MEM_BAR, 8 << 20 },
};

#define JOBS (sizeof(jobs) / sizeof(jobs[0]))

static void run_job(void **state)
{
	const struct job *job = *state;
	char bs[32], size[32], engine[32], depth[32], mem[PATH_MAX];
	char dir[PATH_MAX - 64];
	const char *const argv[] = { "fio",
				     "--name=verify",
				     target,
				     "--rw=randwrite",
				     "--direct=1",
				     "--verify=crc32c",
				     "--verify_fatal=1",
				     "--randseed=7",
				     "--invalidate=0",
				     "--verify_state_save=0",
				     bs,
				     size,
				     engine,
				     depth,
				     mem,
				     NULL };
	struct expected exp = {
		.pins = PINS_BALANCED,
		.p2p_read = job->size,	/* each block is written once... */
		.p2p_write = job->size, /* ... and read back once */
	};
	struct evidence before;

	assert_return_code(p2pmem_find(PCI_DEVICES, job->kind, dir, sizeof(dir)), 0);
	snprintf(bs, sizeof(bs), "--bs=%s", job->block);
	snprintf(size, sizeof(size), "--size=%u", job->size);
	snprintf(engine, sizeof(engine), "--ioengine=%s", job->engine);
	snprintf(depth, sizeof(depth), "--iodepth=%s", job->depth);
	snprintf(mem, sizeof(mem), "--iomem=mmapshared:%s/allocate", dir);
	evidence_start(&before);
	lab_must(argv);
	evidence_check(&before, &exp);
}

/* Smaller RPCs than the matrix has: a block of 1 MiB takes four. */
static int enter(void **state)
{
	static const char *const small[] = { "-o", "rsize=262144,wsize=262144", NULL };

	(void)state;
	return lab_mount_with("4.2", "rdma", small);
}

static int leave(void **state)
{
	(void)state;
	return lab_unmount();
}

int main(int argc, char **argv)
{
	static struct CMUnitTest tests[JOBS];
	int rc = lab_main_setup(argc, argv);

	if (rc)
		return rc;
	for (size_t i = 0; i < JOBS; i++)
		tests[i] = (struct CMUnitTest){
			.name = jobs[i].name,
			.test_func = run_job,
			.initial_state = (void *)(uintptr_t)&jobs[i],
		};
	return _cmocka_run_group_tests("fio-verify", tests, JOBS, enter, leave);
}
