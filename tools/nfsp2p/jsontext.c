// SPDX-License-Identifier: GPL-2.0
/* Strings in JSON: see report.h. */
#include <stdlib.h>
#include <string.h>

#include "report.h"

/* U+FFFD, "replacement character". */
#define REPLACEMENT "\xef\xbf\xbd"

/*
 * How many bytes the character at @at has, 0 if it is none.  The first byte says how
 * many, and limits the second: nothing longer than it need be, no surrogates, nothing
 * above U+10FFFF (RFC 3629, section 4).
 */
static size_t character(const unsigned char *at)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t n;

	if (*at < 0x80)
		return 1;
	if (*at < 0xc2 || *at > 0xf4)
		return 0;
	n = *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : 4;
	if (*at == 0xe0)
		low = 0xa0;
	else if (*at == 0xed)
		high = 0x9f;
	else if (*at == 0xf0)
		low = 0x90;
	else if (*at == 0xf4)
		high = 0x8f;
	if (at[1] < low || at[1] > high)
		return 0;
	/* A NUL byte ends it here, too. */
	for (size_t i = 2; i < n; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	}
	return n;
}

/**
 * json_text - a string for programs
 * @text:	any bytes, such as the name of a file; or NULL
 *
 * JSON is UTF-8 (RFC 8259, section 8.1), names of files need not be, and json-c passes
 * on what it is given.  Each byte that belongs to no character becomes U+FFFD.
 *
 * Return: a string, owned by the caller; NULL, which is JSON's null, for NULL.
 */
struct json_object *json_text(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	struct json_object *o;
	char *valid, *to;

	if (!text)
		return NULL;
	valid = malloc(strlen(text) * strlen(REPLACEMENT) + 1);
	if (!valid)
		return NULL;
	for (to = valid; *at;) {
		const size_t n = character(at);

		if (n)
			to = mempcpy(to, at, n);
		else
			to = mempcpy(to, REPLACEMENT, strlen(REPLACEMENT));
		at += n ? n : 1;
	}
	*to = '\0';
	o = json_object_new_string(valid);
	free(valid);
	return o;
}
