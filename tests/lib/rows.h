/* SPDX-License-Identifier: GPL-2.0 */
/* Tests that are rows of a table: one function, many circumstances. */
#ifndef TESTS_ROWS_H
#define TESTS_ROWS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "p2pmem.h"

/**
 * struct rows - the tests of one program; starts out as all zeros
 * @tests:	as cmocka takes them
 * @count:	how many
 */
struct rows {
	struct CMUnitTest *tests;
	size_t count;
};

/**
 * struct subject - a row of the programs that need to know no more
 * @func:	the test; its state is the subject
 * @name:	of the test
 * @version:	NFS version
 * @write:	direction, as the file sees it
 * @kind:	where the buffers live
 */
struct subject {
	CMUnitTestFunction func;
	const char *name;
	const char *version;
	bool write;
	enum mem_kind kind;
};

void rows_add(struct rows *rows, struct CMUnitTest test, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int rows_run(struct rows *rows, const char *group, CMFixtureFunction leave);
int subjects_main(int argc, char **argv, const struct subject *table, size_t count,
		  const char *group, CMFixtureFunction after, CMFixtureFunction leave);

#endif
