// SPDX-License-Identifier: GPL-2.0
/* Tests that are rows of a table: see rows.h. */
#include "rows.h"

#include <stdio.h>
#include <stdlib.h>

#include "lab.h"

/**
 * rows_add - make one row a test
 * @rows:	where it goes, as the last one
 * @test:	its functions and its state, which stays the caller's and has to
 *		live until rows_run() returns; the name is not looked at
 * @fmt:	as for printf(): the name, which has to be telling
 *
 * Ends the program if there is no memory.
 */
void rows_add(struct rows *rows, struct CMUnitTest test, const char *fmt, ...)
{
	struct CMUnitTest *tests;
	va_list args;
	char *name;
	int len;

	tests = realloc(rows->tests, (rows->count + 1) * sizeof(*tests));
	va_start(args, fmt);
	len = vasprintf(&name, fmt, args);
	va_end(args);
	if (!tests || len < 0) {
		perror("cannot list the tests");
		exit(2);
	}
	test.name = name;
	tests[rows->count++] = test;
	rows->tests = tests;
}

/**
 * rows_run - run the tests as one cmocka group
 * @rows:	the tests; none is left afterwards
 * @group:	name of the program
 * @leave:	called once after the last test
 *
 * Return: the exit status of the program.
 */
int rows_run(struct rows *rows, const char *group, CMFixtureFunction leave)
{
	int failed = _cmocka_run_group_tests(group, rows->tests, rows->count, NULL, leave);

	for (size_t i = 0; i < rows->count; i++)
		free((void *)(uintptr_t)rows->tests[i].name);
	free(rows->tests);
	*rows = (struct rows){ 0 };
	return failed;
}

/**
 * subjects_main - main() of a program that is a table of subjects
 * @argc:	of main()
 * @argv:	of main()
 * @table:	the subjects
 * @count:	how many
 * @group:	name of the program
 * @after:	called after each of them, whether it failed or not
 * @leave:	called once after the last one
 *
 * Return: the exit status of the program.
 */
int subjects_main(int argc, char **argv, const struct subject *table, size_t count,
		  const char *group, CMFixtureFunction after, CMFixtureFunction leave)
{
	int rc = lab_main_setup(argc, argv);
	struct rows rows = { 0 };

	if (rc)
		return rc;
	for (const struct subject *s = table; s < table + count; s++)
		rows_add(&rows,
			 (struct CMUnitTest){
				 .test_func = s->func,
				 .teardown_func = after,
				 .initial_state = (void *)(uintptr_t)s,
			 },
			 "%s", s->name);
	return rows_run(&rows, group, leave);
}
