// SPDX-License-Identifier: GPL-2.0
/* What cp and bench have in common: see choice.h. */
#include "choice.h"

#include <string.h>

#include "message.h"
#include "nfsp2p.h"
#include "stop.h"

/**
 * choice_mem - the option --mem
 * @c:		is changed
 * @command:	the subcommand
 * @text:	the option's argument
 *
 * Return: 0, or EXIT_USAGE.
 */
int choice_mem(struct choice *c, const char *command, const char *text)
{
	c->host = !strcmp(text, "host");
	c->p2p = !strcmp(text, "p2p");
	return c->host || c->p2p ? 0
				 : usage_error(command, "--mem wants host or p2p, not '%s'", text);
}

/**
 * choice_check - do the options go together?
 * @c:		all of them
 * @command:	the subcommand
 *
 * Return: 0, or EXIT_USAGE.
 */
int choice_check(const struct choice *c, const char *command)
{
	if (c->host && c->provider)
		return usage_error(command, "--mem host uses no provider");
	return 0;
}

/**
 * choice_run - do the work with a snapshot of this machine
 * @s:		filled in for @work, and freed afterwards
 * @paths:	what the work is about: files or folders, which need not exist
 * @n:		how many
 * @work:	returns 0, or not 0 if it failed, which it has said
 * @arg:	for @work
 *
 * Signals that end a command are caught meanwhile: see stop.h.
 *
 * Return: an exit code; does not return if a signal ended it.
 */
int choice_run(struct snapshot *s, char *const *paths, size_t n, int (*work)(void *arg), void *arg)
{
	int rc = snapshot_load_for(s, snapshot_default_root(), paths, n);

	if (rc) {
		message_error("/proc and /sys", rc, "cannot read what this machine has");
	} else {
		stop_catch();
		rc = work(arg);
	}
	snapshot_free(s);
	stop_die();
	return rc ? EXIT_NO : EXIT_YES;
}
