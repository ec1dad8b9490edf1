// SPDX-License-Identifier: GPL-2.0
/* What tests do to the NFS server of the guest: see server.h. */
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t done = fd < 0 ? -1 : write(fd, text, strlen(text));

	if (done < 0)
		fail_msg("cannot write '%s' to %s: %s", text, path, strerror(errno));
	close(fd);
}

/**
 * server_restart - end the server's last thread, then start it again
 *
 * It forgets its clients and what they had open, and has another write
 * verifier.  It ends up with the listeners and threads of lab-nfs.  Fails the
 * running test if the kernel refuses any of it.
 */
void server_restart(void)
{
	put("/proc/fs/nfsd/threads", "0\n");
	put("/proc/fs/nfsd/portlist", "tcp 2049\n");
	put("/proc/fs/nfsd/portlist", "rdma 20049\n");
	put("/proc/fs/nfsd/threads", "8\n");
	/* lockd's grace period holds up NFSv4's, and nobody has a lock. */
	put("/proc/fs/lockd/nlm_end_grace", "Y");
}
