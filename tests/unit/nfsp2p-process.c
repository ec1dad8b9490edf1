// SPDX-License-Identifier: GPL-2.0
/* What others do to a process of nfsp2p: io_uring is forbidden, signals are sent. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../tools/nfsp2p/nfsp2p.h"
#include "../../tools/nfsp2p/stop.h"
#include "nfsp2p/machine.h"

static char messages[4096];

/* As a container's seccomp filter does. */
static void forbid_io_uring(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		_exit(99);
}

/* Run a command in a process of its own; what it says is left in messages. */
static int run(int (*command)(int argc, char **argv), char *const args[])
{
	int file = memfd_create("messages", MFD_CLOEXEC), argc = 0, status;
	char *argv[16] = { NULL };
	pid_t child;

	while (args[argc]) {
		argv[argc] = args[argc];
		argc++;
	}
	fflush(stdout);
	child = fork();
	if (!child) {
		forbid_io_uring();
		dup2(file, STDERR_FILENO);
		optind = 0;
		_exit(command(argc, argv));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	messages[pread(file, messages, sizeof(messages) - 1, 0)] = '\0';
	close(file);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

#define RUN(command, ...) run(command, (char *const[]){ __VA_ARGS__, NULL })

static void test_io_uring_forbidden(void **state)
{
	char path[PATH_MAX], copy[PATH_MAX];

	(void)state;
	machine_amd();
	machine_switch(NO_ACS);
	fake_mount(&machine.tree, &machine_able);
	setenv("NFSP2P_ROOT", machine.tree.root, 1);
	snprintf(path, sizeof(path), "%s/scratch", machine.tree.root);
	snprintf(copy, sizeof(copy), "%s/copy", machine.tree.root);
	fake_file(&machine.tree, "proc/sys/kernel/io_uring_disabled", "2\n");
	assert_int_equal(RUN(cmd_bench, "bench", "--mem", "host", path), EXIT_NO);
	assert_string_equal(messages,
			    "nfsp2p bench: io_uring: cannot set it up: Operation not permitted "
			    "(the sysctl kernel.io_uring_disabled is 2: set it to 0)\n");
	assert_int_equal(access(path, F_OK), -1);
	fake_file(&machine.tree, "scratch", "something\n");
	fake_file(&machine.tree, "proc/sys/kernel/io_uring_disabled", "1\n");
	assert_int_equal(RUN(cmd_bench, "bench", "--mem", "host", "--force", path), EXIT_NO);
	assert_non_null(strstr(messages, "io_uring_disabled is 1: set it to 0, or try as root"));
	fake_file(&machine.tree, "proc/sys/kernel/io_uring_disabled", "0\n");
	assert_int_equal(RUN(cmd_cp, "cp", "--mem", "host", path, copy), EXIT_NO);
	assert_non_null(strstr(messages, "nfsp2p cp: io_uring: cannot set it up: "));
	assert_non_null(strstr(messages, "io_uring_disabled is 0, so a seccomp filter"));
	assert_int_equal(access(copy, F_OK), -1);
}

/* What a process ends by that gets two signals: the second, or 0 if it goes on. */
static int second(int first, int then, bool ignored, bool at_once)
{
	pid_t child = fork();
	sigset_t all;
	int status;

	if (!child) {
		signal(SIGINT, SIG_DFL);
		signal(SIGTERM, SIG_DFL);
		signal(SIGHUP, ignored ? SIG_IGN : SIG_DFL);
		stop_catch();
		sigfillset(&all);
		if (at_once)
			sigprocmask(SIG_BLOCK, &all, NULL);
		raise(first);
		if (!at_once && stop_signal() != first)
			_exit(1);
		raise(then);
		if (at_once)
			sigprocmask(SIG_UNBLOCK, &all, NULL);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFSIGNALED(status))
		return WTERMSIG(status);
	assert_int_equal(WEXITSTATUS(status), 0);
	return 0;
}

static void test_second_signal(void **state)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		for (size_t j = 0; j < 3; j++) {
			const int first = signals[i], then = signals[j];

			assert_int_equal(second(first, then, false, false), then);
			/* Which of them comes first is not said. */
			if (i != j)
				assert_int_not_equal(second(first, then, false, true), 0);
		}
	}
	/* As by nohup(1). */
	assert_int_equal(second(SIGTERM, SIGHUP, true, false), 0);
	assert_int_equal(second(SIGTERM, SIGINT, true, false), SIGINT);
}

#define T(name) cmocka_unit_test_setup_teardown(test_##name, machine_setup, machine_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(io_uring_forbidden),
		T(second_signal),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("nfsp2p-process", tests, NULL, NULL);
}
