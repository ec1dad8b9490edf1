/* SPDX-License-Identifier: GPL-2.0 */
/* What nfsp2p asks fsync(2) for: of folders, the tests answer. */
#ifndef TESTS_SYNCED_H
#define TESTS_SYNCED_H

#include <limits.h>
#include <stdbool.h>

/**
 * struct synced - the folders that were to be synced
 * @error:	what to say of it, 0 is success
 * @folders:	how many times
 * @name:	a file to look for at that time
 * @state:	another one
 * @named:	@name was there the last time
 * @recorded:	@state was there the last time
 */
struct synced {
	int error;
	unsigned int folders;
	char name[PATH_MAX], state[PATH_MAX];
	bool named, recorded;
};

extern struct synced synced;

#endif
