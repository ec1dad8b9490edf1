/* SPDX-License-Identifier: GPL-2.0 */
/* Makes the copies of all items of a walk. */
#ifndef NFSP2P_ITEMS_H
#define NFSP2P_ITEMS_H

#include "copy.h"
#include "walk.h"

int items_copy_files(struct copier *c, struct walk *w);
int items_copy_rest(struct copier *c, const struct walk *w);

#endif
