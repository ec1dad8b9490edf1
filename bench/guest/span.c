// SPDX-License-Identifier: GPL-2.0
/*
 * Runs a command between the marks that the plugin counts by (../plugin/count.c):
 * everything that the guest executes meanwhile is the command's, from exec(2) to
 * its end. Writes a JSON object, as bench/host/report wants it, to standard output;
 * the command's own output goes to standard error.
 *
 * Usage: span NAME=VALUE... -- COMMAND [ARGUMENT]...
 */
#include <err.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <json-c/json.h>

#include "../mark.h"

static void run(char **argv)
{
	posix_spawn_file_actions_t actions;
	int status, rc;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
	mark(MARK_BEGIN);
	rc = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
	if (!rc && waitpid(pid, &status, 0) != pid)
		err(1, "waitpid");
	mark(MARK_END);
	posix_spawn_file_actions_destroy(&actions);
	if (rc)
		errx(1, "%s: %s", argv[0], strerror(rc));
	if (status)
		errx(1, "%s failed (status 0x%x)", argv[0], status);
}

int main(int argc, char **argv)
{
	struct json_object *o = json_object_new_object();
	int i = 1;

	for (; i < argc && strcmp(argv[i], "--"); i++) {
		char *value = strchr(argv[i], '=');

		if (!value)
			errx(2, "not NAME=VALUE: %s", argv[i]);
		*value++ = '\0';
		json_object_object_add(o, argv[i], json_object_new_string(value));
	}
	if (++i >= argc)
		errx(2, "usage: span NAME=VALUE... -- COMMAND [ARGUMENT]...");
	run(argv + i);
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	json_object_put(o);
	return 0;
}
