// SPDX-License-Identifier: GPL-2.0
/* LOCALIO, switched on and off, and recognised: see local.h. */
#include "local.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "counters.h"
#include "io.h"
#include "lab.h"
#include "pattern.h"

/* The client looks for a local server in the background. */
#define PROBE_TRIES 200
#define PROBE_PAUSE 100000 /* us */
#define SEED	    2

#define V3_PROBE "/sys/module/nfsv3/parameters/nfs3_localio_probe_throttle"
#define LOCALIO	 "/sys/module/nfs/parameters/localio_enabled"

/**
 * local_exists - does the kernel have LOCALIO?
 *
 * Only the debug kernel has it.  Says so on stderr if not.  The client's module has
 * to be loaded.
 *
 * Return: true if it has.
 */
bool local_exists(void)
{
	if (!access(LOCALIO, W_OK))
		return true;
	fprintf(stderr, "this kernel has no LOCALIO: run it with lab/vm --debug\n");
	return false;
}

/**
 * local_switch - allow the client to serve READ and WRITE locally, or not
 * @on:	allow it
 *
 * What is mounted follows some time later: see local_wait().
 */
void local_switch(bool on)
{
	lab_put(LOCALIO, on ? "Y" : "N");
}

/**
 * local_probe_v3 - let the client of NFSv3 ask again at each READ and WRITE
 *
 * Otherwise it does so only when it mounts: there is no other sign for it that its
 * server has become local.
 */
void local_probe_v3(void)
{
	lab_put(V3_PROBE, "1");
}

/**
 * local_data_rpcs - how many READ and WRITE has the mount sent?
 *
 * Return: the number since it was mounted.  If it cannot be read, the running test
 * fails.
 */
uint64_t local_data_rpcs(void)
{
	struct mount_stats st;

	assert_return_code(mount_stats_read(LAB_MOUNT, &st), 0);
	return st.read.ops + st.write.ops;
}

/**
 * local_serves - does one READ and one WRITE of RAM go without any RPC?
 * @file:	open at both ends; its first LOCAL_LEN bytes are overwritten
 *
 * Fails the running test if the data are wrong.
 *
 * Return: true if so.
 */
bool local_serves(const struct nfsfile *file)
{
	static unsigned char ram[LOCAL_LEN] __attribute__((aligned(4096)));
	uint64_t before = local_data_rpcs();

	pattern_fill(ram, LOCAL_LEN, SEED, 0);
	assert_int_equal(io_one(IO_SYNC, true, file->client, ram, LOCAL_LEN, 0), LOCAL_LEN);
	nfsfile_server_check(file, LOCAL_LEN, SEED, 0);
	memset(ram, 0, LOCAL_LEN);
	assert_int_equal(io_one(IO_SYNC, false, file->client, ram, LOCAL_LEN, 0), LOCAL_LEN);
	nfsfile_buffer_check(ram, LOCAL_LEN, SEED, 0, "RAM buffer");
	return local_data_rpcs() == before;
}

/**
 * local_wait - wait until READ and WRITE are served locally
 * @file:	as for local_serves()
 *
 * Fails the running test if they never are.
 */
void local_wait(const struct nfsfile *file)
{
	for (int try = 0; try < PROBE_TRIES; try++) {
		if (local_serves(file))
			return;
		usleep(PROBE_PAUSE);
	}
	fail_msg("the client did not find its server to be local");
}
