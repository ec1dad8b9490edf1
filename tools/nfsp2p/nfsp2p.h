/* SPDX-License-Identifier: GPL-2.0 */
/*
 * nfsp2p - PCI peer-to-peer memory as the buffer of NFS I/O: what all
 * subcommands share.
 */
#ifndef NFSP2P_H
#define NFSP2P_H

#define NFSP2P_VERSION "0.1"

/**
 * enum exit_code - what every subcommand ends with
 * @EXIT_YES:		done; for check: every pair asked about is usable
 * @EXIT_NO:		it failed, or a pair is not usable; the reason was printed
 * @EXIT_USAGE:		the command line was wrong
 * @EXIT_UNKNOWN:	could not tell; why not was printed
 */
enum exit_code {
	EXIT_YES = 0,
	EXIT_NO = 1,
	EXIT_USAGE = 2,
	EXIT_UNKNOWN = 3,
};

/*
 * One function a subcommand.  @argv[0] is the subcommand's name, as getopt_long()
 * wants it; the return value is an &enum exit_code.
 */
int cmd_list(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_cp(int argc, char **argv);
int cmd_bench(int argc, char **argv);

int usage_error(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
