// SPDX-License-Identifier: GPL-2.0
/* nfsp2p check and the kernel: see opinion.h. */
#include "opinion.h"

#include <libgen.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "io.h"
#include "lab.h"

/**
 * opinion_provider - the address of a provider
 * @kind:	kind of memory
 * @bdf:	filled in
 */
void opinion_provider(enum mem_kind kind, char bdf[32])
{
	char path[PATH_MAX];

	assert_int_equal(p2pmem_find(PCI_DEVICES, kind, path, sizeof(path)), 0);
	snprintf(bdf, 32, "%s", basename(dirname(path)));
}

/**
 * opinion_ask - run nfsp2p check on OPINION_FILE
 * @prefix:	put in front of the command, with a space behind it, or ""
 * @options:	of nfsp2p check
 * @kind:	provider that is asked about
 *
 * Return: what it says.
 */
struct opinion opinion_ask(const char *prefix, const char *options, enum mem_kind kind)
{
	struct json_object *o, *pairs, *findings, *code;
	char command[256], text[65536], bdf[32];
	struct opinion opinion = { 0 };
	FILE *f;

	opinion_provider(kind, bdf);
	snprintf(command, sizeof(command),
		 "%snfsp2p check --json %s --provider %s " LAB_MOUNT "/" OPINION_FILE, prefix,
		 options, bdf);
	f = popen(command, "re");
	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	opinion.status = pclose(f);
	opinion.status = WIFEXITED(opinion.status) ? WEXITSTATUS(opinion.status) : 99;
	o = json_tokener_parse(text);
	if (!o || !json_object_object_get_ex(o, "pairs", &pairs) ||
	    !json_object_object_get_ex(json_object_array_get_idx(pairs, 0), "findings", &findings))
		fail_msg("%s: status %d, and no JSON: %s", command, opinion.status, text);
	assert_int_equal(json_object_array_length(pairs), 1);
	for (size_t i = 0; i < json_object_array_length(findings); i++) {
		json_object_object_get_ex(json_object_array_get_idx(findings, i), "code", &code);
		snprintf(opinion.codes + strlen(opinion.codes),
			 sizeof(opinion.codes) - strlen(opinion.codes), "%s ",
			 json_object_get_string(code));
	}
	json_object_put(o);
	return opinion;
}

/**
 * opinion_decisive - is this the finding that comes first?
 * @opinion:	from opinion_ask()
 * @code:	of the finding
 */
bool opinion_decisive(const struct opinion *opinion, const char *code)
{
	const size_t len = strlen(code);

	return !strncmp(opinion->codes, code, len) && opinion->codes[len] == ' ';
}

/**
 * opinion_try - one read and one write of OPINION_SIZE bytes
 * @file:	open
 * @kind:	memory of the buffer
 *
 * Return: 0 if both work; a negative errno if both fail with it, or if there is no
 * buffer.
 */
int opinion_try(const struct nfsfile *file, enum mem_kind kind)
{
	struct membuf buf = { 0 };
	ssize_t done[2];
	int rc;

	rc = membuf_alloc(&buf, kind, OPINION_SIZE);
	if (rc)
		return rc;
	for (int write = 0; write < 2; write++)
		done[write] = io_one(IO_SYNC, write, file->client, buf.data, OPINION_SIZE, 0);
	membuf_free(&buf);
	if (done[0] != done[1])
		fail_msg("read returned %zd, write %zd", done[0], done[1]);
	return done[0] == (ssize_t)OPINION_SIZE ? 0 : (int)done[0];
}
