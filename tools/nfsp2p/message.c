// SPDX-License-Identifier: GPL-2.0
/* Messages: see message.h. */
#include "message.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "progress.h"

static const char *command = "";

/* What to try next, where the name of the error does not say it. */
static const char *advice(int error)
{
	switch (error) {
	case -ENOSPC:
	case -EDQUOT:
		return "make room, and try again";
	case -EROFS:
		return "mount it for writing";
	case -EACCES:
	case -EPERM:
		return "check its permissions, or try as root";
	case -EREMOTEIO:
		return "the kernel refuses peer-to-peer memory for it; 'nfsp2p check' says why";
	case -EFAULT:
	case -ENODEV:
		return "was the provider removed?";
	case -EIO:
	case -ETIMEDOUT:
		return "look at the kernel's log, and at the server";
	default:
		return NULL;
	}
}

/**
 * message_command - the name that messages begin with
 * @name:	of the subcommand, constant
 */
void message_command(const char *name)
{
	command = name;
}

/**
 * message_error - say what failed
 * @object:	file or device that it is about
 * @error:	negative errno, or 0 if @format says it all
 * @format:	what failed, as for printf(3), without a full stop
 *
 * Return: @error, or -EIO without one: something for the caller to return.
 */
int message_error(const char *object, int error, const char *format, ...)
{
	const char *next = advice(error);
	va_list args;

	progress_clear();
	fprintf(stderr, "nfsp2p %s: %s: ", command, object);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	if (error)
		fprintf(stderr, ": %s", strerror(-error));
	if (next)
		fprintf(stderr, " (%s)", next);
	fputc('\n', stderr);
	return error ? error : -EIO;
}

/**
 * message_note - say what the user should know, though nothing failed
 * @format:	as for printf(3), without a full stop
 */
void message_note(const char *format, ...)
{
	va_list args;

	progress_clear();
	fprintf(stderr, "nfsp2p %s: ", command);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}
