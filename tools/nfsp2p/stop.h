/* SPDX-License-Identifier: GPL-2.0 */
/* SIGINT, SIGTERM and SIGHUP: end cleanly at the first, at once at the second. */
#ifndef NFSP2P_STOP_H
#define NFSP2P_STOP_H

void stop_catch(void);
int stop_signal(void);
void stop_die(void);

#endif
