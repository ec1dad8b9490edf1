// SPDX-License-Identifier: GPL-2.0
/*
 * lab-exec - run the guest's command for lab/vm.
 *
 * Usage: lab-exec CONTROL-DIR
 *
 * CONTROL-DIR/argv holds the command's arguments, each ended by a NUL.  Its
 * output goes through two pipes into CONTROL-DIR/stdout and stderr, which lie
 * on a 9p share without cache: when write() returns, the bytes are on the
 * host, so nothing is lost at power-off.  Pipes, because a command may reopen
 * /dev/stderr, which would truncate a file.  The exit status goes, last of
 * all, into CONTROL-DIR/status (128 + N for signal N, 126/127 if it could not
 * be started, as a shell says it).
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_ARGS 4096

/**
 * struct stream - one output of the command on its way to the host
 * @from: our end of the pipe, non-blocking; -1 after its end
 * @to: the file on the control share
 * @pipe_write: the command's end, closed in the parent
 */
struct stream {
	int from;
	int to;
	int pipe_write;
};

/* Read CONTROL-DIR/argv; the result lives until exit. */
static char **read_argv(void)
{
	static char *args[MAX_ARGS + 1];
	struct stat st;
	char *buf;
	int fd, n = 0;

	fd = open("argv", O_RDONLY);
	if (fd < 0 || fstat(fd, &st))
		err(125, "cannot open argv in the control share");
	buf = calloc(1, (size_t)st.st_size + 1);
	if (!buf || read(fd, buf, (size_t)st.st_size) != st.st_size)
		err(125, "cannot read argv in the control share");
	close(fd);

	for (char *p = buf; p < buf + st.st_size && n < MAX_ARGS; p += strlen(p) + 1)
		args[n++] = p;
	if (!n)
		errx(125, "the control share holds no command");
	return args;
}

static void open_stream(struct stream *s, const char *name)
{
	int ends[2];

	s->to = open(name, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (s->to < 0 || pipe2(ends, O_CLOEXEC))
		err(125, "cannot set up %s", name);
	s->from = ends[0];
	s->pipe_write = ends[1];
	/* Only our end: the command must see an ordinary blocking pipe. */
	if (fcntl(s->from, F_SETFL, O_NONBLOCK))
		err(125, "cannot set up %s", name);
}

/*
 * Move what is there now, once: a daemon that the command left behind may write
 * for ever.  A stream that reached its end is closed.
 */
static void forward(struct stream *s)
{
	/* All that a pipe can hold: pipe-max-size of proc(5) is 1 MiB. */
	static char buf[1 << 20];
	ssize_t n, done, w;

	if (s->from < 0)
		return;
	do {
		n = read(s->from, buf, sizeof(buf));
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		close(s->from);
		s->from = -1;
	}
	for (done = 0; done < n; done += w) {
		w = write(s->to, buf + done, (size_t)(n - done));
		if (w < 0)
			err(125, "cannot write to the control share");
	}
}

static pid_t start(char **args, const struct stream *out, const struct stream *errs,
		   const sigset_t *old_mask)
{
	pid_t pid = fork();

	if (pid < 0)
		err(125, "cannot fork");
	if (pid)
		return pid;
	sigprocmask(SIG_SETMASK, old_mask, NULL);
	setsid();
	dup2(out->pipe_write, STDOUT_FILENO);
	dup2(errs->pipe_write, STDERR_FILENO);
	execvp(args[0], args);
	warn("cannot run '%s'", args[0]);
	_exit(errno == ENOENT ? 127 : 126);
}

/*
 * Forward output until the command ends; returns its wait status.  Daemons may
 * keep the pipes open after that: the command's end is the end.
 */
static int relay(pid_t pid, int child_signals, struct stream *streams)
{
	struct signalfd_siginfo info;
	struct pollfd fds[3];
	int status = 0;
	pid_t gone;

	do {
		fds[0] = (struct pollfd){ .fd = streams[0].from, .events = POLLIN };
		fds[1] = (struct pollfd){ .fd = streams[1].from, .events = POLLIN };
		fds[2] = (struct pollfd){ .fd = child_signals, .events = POLLIN };
		if (poll(fds, 3, -1) < 0 && errno != EINTR)
			err(125, "cannot wait for output");
		/* A child that only stopped must not keep this readable. */
		while (read(child_signals, &info, sizeof(info)) > 0)
			;
		gone = waitpid(pid, &status, WNOHANG);
		forward(&streams[0]);
		forward(&streams[1]);
	} while (gone != pid);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	int status, cwd, child_signals;
	struct stream streams[2];
	sigset_t child, old_mask;
	char **args;
	pid_t pid;
	FILE *f;

	if (argc != 2)
		errx(125, "usage: lab-exec CONTROL-DIR");
	cwd = open(".", O_PATH | O_CLOEXEC);
	if (cwd < 0 || chdir(argv[1]))
		err(125, "cannot enter %s", argv[1]);
	args = read_argv();
	open_stream(&streams[0], "stdout");
	open_stream(&streams[1], "stderr");

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, &old_mask);
	child_signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	if (child_signals < 0 || fchdir(cwd))
		err(125, "cannot prepare the command");
	pid = start(args, &streams[0], &streams[1], &old_mask);
	close(streams[0].pipe_write);
	close(streams[1].pipe_write);
	status = relay(pid, child_signals, streams);

	if (chdir(argv[1]))
		err(125, "cannot enter %s", argv[1]);
	f = fopen("status", "we");
	if (!f || fprintf(f, "%d\n", status) < 0 || fclose(f))
		err(125, "cannot hand back the exit status");
	return 0;
}
