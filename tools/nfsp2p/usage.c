// SPDX-License-Identifier: GPL-2.0
/* What is said about wrong command lines. */
#include <stdarg.h>
#include <stdio.h>

#include "nfsp2p.h"

/**
 * usage_error - say what is wrong with a command line
 * @command:	the subcommand, or NULL
 * @format:	as for printf(3): what is wrong, without a full stop
 *
 * Return: EXIT_USAGE, for the caller to end with.
 */
int usage_error(const char *command, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "nfsp2p%s%s: ", command ? " " : "", command ? command : "");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\nTry 'nfsp2p%s%s --help'.\n", command ? " " : "", command ? command : "");
	return EXIT_USAGE;
}
