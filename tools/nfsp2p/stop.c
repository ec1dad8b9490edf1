// SPDX-License-Identifier: GPL-2.0
/* Signals that end a copy: see stop.h. */
#include "stop.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

#define NSIGNALS (sizeof(signals) / sizeof(signals[0]))

static volatile sig_atomic_t caught;
static sigset_t ours; /* those that the handler is for */

/*
 * On a hard mount whose server is gone, what is in flight may never end: the second
 * signal has its default action, whichever it is.
 */
static void handler(int sig)
{
	static const char text[] = "\nnfsp2p: stopping; waiting for what is in flight (again: at "
				   "once, the temporary file stays)\n";
	const int was = errno;

	caught = sig;
	for (size_t i = 0; i < NSIGNALS; i++) {
		if (sigismember(&ours, signals[i]) == 1)
			signal(signals[i], SIG_DFL);
	}
	/* Nothing can be done if that fails, and what was interrupted has its own errno. */
	if (isatty(STDERR_FILENO) && write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		errno = 0;
	errno = was;
}

/**
 * stop_catch - from now on, signals are remembered
 *
 * System calls that wait are interrupted, not restarted.  A signal that is
 * ignored, as by nohup(1), stays ignored.
 */
void stop_catch(void)
{
	struct sigaction action = { .sa_handler = handler }, old;

	sigemptyset(&ours);
	for (size_t i = 0; i < NSIGNALS; i++) {
		if (!sigaction(signals[i], NULL, &old) && old.sa_handler != SIG_IGN)
			sigaddset(&ours, signals[i]);
	}
	/* A second one waits until the handler has reset it. */
	action.sa_mask = ours;
	for (size_t i = 0; i < NSIGNALS; i++) {
		if (sigismember(&ours, signals[i]) == 1)
			sigaction(signals[i], &action, NULL);
	}
	/* A pipe that is closed is an error of write(2), like any other. */
	signal(SIGPIPE, SIG_IGN);
}

/**
 * stop_signal - were we asked to end?
 *
 * Return: the signal, or 0.
 */
int stop_signal(void)
{
	return caught;
}

/**
 * stop_die - end by the signal that was caught, so that the shell knows
 *
 * Returns only if there was none.
 */
void stop_die(void)
{
	if (!caught)
		return;
	signal(caught, SIG_DFL);
	raise(caught);
}
