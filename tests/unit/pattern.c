// SPDX-License-Identifier: GPL-2.0
/* Does the test data tell its position, and are its differences noticed? */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/lab.h"
#include "../lib/pattern.h"

#define SIZE 100000

static unsigned char a[SIZE], b[SIZE];
static struct mismatch bad;

/* Any piece of a file looks the same however it is cut. */
static void test_pieces(void **state)
{
	static const size_t steps[] = { 1, 3, 7, 8, 9, 4096, 16383, 50001 };

	(void)state;
	pattern_fill(a, SIZE, 5, 1000003);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		memset(b, 0, SIZE);
		for (size_t at = 0; at < SIZE; at += steps[i])
			pattern_fill(b + at, SIZE - at < steps[i] ? SIZE - at : steps[i], 5,
				     1000003 + at);
		assert_memory_equal(a, b, SIZE);
		assert_true(pattern_check(b, SIZE, 5, 1000003, &bad));
	}
}

static void test_bounds(void **state)
{
	(void)state;
	for (size_t len = 0; len < 40; len++) {
		for (size_t pos = 0; pos < 17; pos++) {
			memset(a, 0xcc, 64);
			pattern_fill(a + 8, len, 1, pos);
			assert_int_equal(a[7], 0xcc);
			assert_int_equal(a[8 + len], 0xcc);
			assert_true(pattern_check(a + 8, len, 1, pos, &bad));
		}
	}
}

static void test_every_flip(void **state)
{
	static const size_t places[] = { 0, 1, 8, 16383, 16384, 16385, SIZE - 1 };

	(void)state;
	pattern_fill(a, SIZE, 9, 12345);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		size_t at = places[i];

		a[at] ^= 0x10;
		assert_false(pattern_check(a, SIZE, 9, 12345, &bad));
		assert_int_equal(bad.pos, 12345 + at);
		assert_int_equal(bad.got, a[at]);
		assert_int_equal(bad.want, a[at] ^ 0x10);
		a[at] ^= 0x10;
	}
}

/* Stale data and shifted data must not pass for a few bytes' sake. */
static void test_other_seed_or_place(void **state)
{
	size_t same_seed = 0, same_place = 0;

	(void)state;
	pattern_fill(a, SIZE, 1, 0);
	pattern_fill(b, SIZE, 2, 0);
	for (size_t i = 0; i < SIZE; i++)
		same_seed += a[i] == b[i];
	pattern_fill(b, SIZE, 1, 8);
	for (size_t i = 0; i < SIZE; i++)
		same_place += a[i] == b[i];
	/* One in 256 by chance. */
	assert_in_range(same_seed, SIZE / 512, SIZE / 128);
	assert_in_range(same_place, SIZE / 512, SIZE / 128);
	assert_false(pattern_check(a, 512, 2, 0, &bad));
	assert_false(pattern_check(a, 512, 1, 8, &bad));
}

static void test_is_byte(void **state)
{
	(void)state;
	memset(a, 7, 100);
	assert_true(pattern_is_byte(a, 100, 7, &bad));
	a[99] = 8;
	assert_false(pattern_is_byte(a, 100, 7, &bad));
	assert_int_equal(bad.pos, 99);
	assert_int_equal(bad.got, 8);
	assert_true(pattern_is_byte(a, 99, 7, &bad));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces),	   cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_every_flip), cmocka_unit_test(test_other_seed_or_place),
		cmocka_unit_test(test_is_byte),
	};
	int rc = lab_main_setup(argc, argv);

	return rc ? rc : cmocka_run_group_tests_name("pattern", tests, NULL, NULL);
}
