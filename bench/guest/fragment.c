// SPDX-License-Identifier: GPL-2.0
/*
 * Leaves the guest with so many free pages whose neighbours are in use that
 * whatever is allocated a page at a time is not contiguous: pages of the server's
 * file and of its RPCs. By themselves they are or are not, by what happened while
 * the guest booted, and a NIC has less to do if they are. Runs a command and ends
 * when it does.
 *
 * Usage: fragment COMMAND [ARGUMENT]...
 */
#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE	   4096UL
#define PIPE_PAGES 256 /* what fcntl(2) F_SETPIPE_SZ lets anyone have */
#define PIPES	   96
#define MAPPED	   (192UL << 20)

/* The kernel keeps pages that can be moved apart from those that cannot. */
static void fragment_movable(void)
{
	unsigned char *p =
		mmap(NULL, MAPPED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || madvise(p, MAPPED, MADV_NOHUGEPAGE))
		err(1, "mmap of %zu bytes", MAPPED);
	for (size_t i = 0; i < MAPPED; i += PAGE)
		p[i] = 1;
	for (size_t i = 0; i < MAPPED; i += 2 * PAGE)
		if (madvise(p + i, PAGE, MADV_DONTNEED))
			err(1, "madvise");
}

static void pipe_make(int ends[2])
{
	if (pipe2(ends, O_CLOEXEC))
		err(1, "pipe");
	if (fcntl(ends[1], F_SETPIPE_SZ, PIPE_PAGES * PAGE) < 0)
		err(1, "size of a pipe");
}

/* Pages of pipes cannot be moved. Fill two in turns, and close one of them. */
static void fragment_unmovable(void)
{
	static const char page[PAGE];
	static int kept[PIPES][2], freed[PIPES][2];

	for (int i = 0; i < PIPES; i++) {
		pipe_make(kept[i]);
		pipe_make(freed[i]);
		for (int n = 0; n < PIPE_PAGES; n++)
			if (write(kept[i][1], page, PAGE) != PAGE ||
			    write(freed[i][1], page, PAGE) != PAGE)
				err(1, "write to a pipe");
	}
	for (int i = 0; i < PIPES; i++) {
		close(freed[i][0]);
		close(freed[i][1]);
	}
}

int main(int argc, char **argv)
{
	int status;
	pid_t pid;

	if (argc < 2)
		errx(2, "usage: fragment COMMAND [ARGUMENT]...");
	fragment_movable();
	fragment_unmovable();
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		execvp(argv[1], argv + 1);
		err(127, "%s", argv[1]);
	}
	if (waitpid(pid, &status, 0) != pid)
		err(1, "waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
