/* SPDX-License-Identifier: GPL-2.0 */
/* Messages of cp and bench, on standard error, one line each. */
#ifndef NFSP2P_MESSAGE_H
#define NFSP2P_MESSAGE_H

void message_command(const char *name);
int message_error(const char *object, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void message_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
