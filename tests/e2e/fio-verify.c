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
 * @kind:	where fio's buffers live
 * @block:	fio's block size
 * @size:	bytes of the file
 * @engine:	fio's ioengine
 * @depth:	I/Os in flight
 */
struct job {
	const char *name;
	enum mem_kind kind;
	const char *block;
	unsigned int size;
	const char *engine;
	const char *depth;
};

static const struct job jobs[] = {
	{ "CMB 512 psync", MEM_CMB, "512", 256 << 10, "psync", "1" },
	{ "BAR 512 psync", MEM_BAR, "512", 256 << 10, "psync", "1" },
	{ "CMB 4k libaio x8", MEM_CMB, "4k", 1 << 20, "libaio", "8" },
	{ "BAR 4k io_uring x8", MEM_BAR, "4k", 1 << 20, "io_uring", "8" },
	{ "CMB 64k io_uring x4", MEM_CMB, "64k", 8 << 20, "io_uring", "4" },
	{ "BAR 64k libaio x16", MEM_BAR, "64k", 8 << 20, "libaio", "16" },
	{ "CMB 1M psync", MEM_CMB, "1m", 8 << 20, "psync", "1" },
	{ "BAR 1M libaio x4", MEM_BAR, "1m", 8 << 20, "libaio", "4" },
};

#define JOBS (sizeof(jobs) / sizeof(jobs[0]))

static void run_job(void **state)
{
	const struct job *job = *state;
	char bs[32], size[32], engine[32], depth[32], mem[PATH_MAX];
	char dir[PATH_MAX - 64];
	const char *const argv[] = {
		"fio", "--name=verify", "--filename=" LAB_MOUNT "/fio",
		"--rw=randwrite", "--direct=1", "--verify=crc32c",
		"--verify_fatal=1", "--randseed=7", "--invalidate=0",
		bs, size, engine, depth, mem, NULL
	};
	struct expected exp = {
		.pins = PINS_BALANCED,
		.no_copy = true,
		.p2p_read = job->size,	/* each block is written once... */
		.p2p_write = job->size,	/* ... and read back once */
	};
	struct evidence before;

	if (lab_mount("4.2", "rdma"))
		fail_msg("lab-nfs up failed");
	assert_return_code(p2pmem_find(PCI_DEVICES, job->kind, dir,
				       sizeof(dir)), 0);
	snprintf(bs, sizeof(bs), "--bs=%s", job->block);
	snprintf(size, sizeof(size), "--size=%u", job->size);
	snprintf(engine, sizeof(engine), "--ioengine=%s", job->engine);
	snprintf(depth, sizeof(depth), "--iodepth=%s", job->depth);
	snprintf(mem, sizeof(mem), "--iomem=mmapshared:%s/allocate", dir);
	evidence_start(&before);
	assert_int_equal(lab_run(argv), 0);
	evidence_check(&before, &exp);
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
	return _cmocka_run_group_tests("fio-verify", tests, JOBS, NULL, leave);
}
