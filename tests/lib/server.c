// SPDX-License-Identifier: GPL-2.0
/* What tests do to the NFS server of the guest: see server.h. */
#include "server.h"

#include "lab.h"

/**
 * server_restart - end the server's last thread, then start it again
 *
 * It forgets its clients and what they had open, and has another write
 * verifier.  It ends up with the listeners and threads of lab-nfs.  Fails the
 * running test if the kernel refuses any of it.
 */
void server_restart(void)
{
	lab_put("/proc/fs/nfsd/threads", "0\n");
	lab_put("/proc/fs/nfsd/portlist", "tcp 2049\n");
	lab_put("/proc/fs/nfsd/portlist", "rdma 20049\n");
	lab_put("/proc/fs/nfsd/threads", "8\n");
	/* lockd's grace period holds up NFSv4's, and nobody has a lock. */
	lab_put("/proc/fs/lockd/nlm_end_grace", "Y");
}

/**
 * server_threads - change how many requests the server handles at a time
 * @threads:	as a number and a newline; "1\n" makes it answer in the order in which
 *		requests come in, "8\n" is what lab-nfs starts
 */
void server_threads(const char *threads)
{
	lab_put("/proc/fs/nfsd/threads", threads);
}
