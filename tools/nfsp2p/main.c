// SPDX-License-Identifier: GPL-2.0
/* nfsp2p: which subcommand? */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "nfsp2p.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *what;
} commands[] = {
	{ "list", cmd_list, "show P2P memory providers and RDMA devices" },
	{ "check", cmd_check, "say whether an NFS mount can use P2P memory, and why not" },
	{ "cp", cmd_cp, "copy files through P2P memory" },
	{ "bench", cmd_bench, "measure P2P memory beside host memory" },
};

#define NCOMMANDS (sizeof(commands) / sizeof(commands[0]))

static int help(void)
{
	printf("Usage: nfsp2p COMMAND [OPTION]... [ARGUMENT]...\n\n"
	       "Move file data between PCI devices' memory and NFS over RDMA.\n\nCommands:\n");
	for (size_t i = 0; i < NCOMMANDS; i++)
		printf("  %-8s %s\n", commands[i].name, commands[i].what);
	printf("\n'nfsp2p COMMAND --help' shows the options of a command; --version this\n"
	       "program's version.\n"
	       "\nExamples:\n"
	       "  nfsp2p list\n"
	       "  nfsp2p check /mnt/nfs\n"
	       "\nExit status: 0 done or yes, 1 failed or no, 2 wrong command line, 3 could not\n"
	       "tell.\n");
	return EXIT_YES;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	static char name[32];
	int option;

	/* "+": options after the subcommand are the subcommand's. */
	option = getopt_long(argc, argv, "+hV", options, NULL);
	if (option == 'h')
		return help();
	if (option == 'V') {
		printf("nfsp2p %s\n", NFSP2P_VERSION);
		return EXIT_YES;
	}
	if (option != -1)
		return EXIT_USAGE;
	if (optind == argc)
		return usage_error(NULL, "which command? One of list, check, cp, bench");
	argc -= optind;
	argv += optind;
	optind = 1;
	for (size_t i = 0; i < NCOMMANDS; i++) {
		if (strcmp(argv[0], commands[i].name))
			continue;
		/* What getopt_long(3) begins its messages with. */
		snprintf(name, sizeof(name), "nfsp2p %s", commands[i].name);
		argv[0] = name;
		return commands[i].run(argc, argv);
	}
	return usage_error(NULL, "unknown command '%s'", argv[0]);
}
