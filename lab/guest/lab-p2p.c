// SPDX-License-Identifier: GPL-2.0
/*
 * lab-p2p - show the PCI peer-to-peer memory of the guest.
 *
 * "lab-p2p list" prints one line a provider that has published its memory:
 * address, size and free bytes, driver.  All of it comes from the kernel's
 * attributes, Documentation/ABI/testing/sysfs-bus-pci (p2pmem/).
 */
#include <argp.h>
#include <dirent.h>
#include <err.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PCI_DEVICES "/sys/bus/pci/devices"

/**
 * read_attribute() - one number from a device's p2pmem folder
 * @bdf: name of the device, 0000:03:00.0
 * @name: size, available or published
 * @value: where the number goes; untouched on failure
 *
 * Return: false if the device has no such attribute, that is, no P2P memory.
 */
static bool read_attribute(const char *bdf, const char *name, unsigned long long *value)
{
	char path[PATH_MAX];
	bool ok;
	FILE *f;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/p2pmem/%s", bdf, name);
	f = fopen(path, "re");
	if (!f)
		return false;
	ok = fscanf(f, "%llu", value) == 1;
	fclose(f);
	return ok;
}

/* The driver's name is the last part of where the "driver" link leads. */
static void print_provider(const char *bdf, unsigned long long size, unsigned long long available)
{
	char path[PATH_MAX], target[PATH_MAX] = "none";
	ssize_t n;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/driver", bdf);
	n = readlink(path, target, sizeof(target) - 1);
	if (n >= 0)
		target[n] = '\0';
	printf("%s %llu %llu %s\n", bdf, size, available, basename(target));
}

static int list(void)
{
	struct dirent **names;
	int n;

	n = scandir(PCI_DEVICES, &names, NULL, alphasort);
	if (n < 0)
		err(1, "cannot list %s", PCI_DEVICES);
	for (int i = 0; i < n; i++) {
		unsigned long long size, available, published = 0;

		if (read_attribute(names[i]->d_name, "size", &size) &&
		    read_attribute(names[i]->d_name, "available", &available) &&
		    read_attribute(names[i]->d_name, "published", &published) && published)
			print_provider(names[i]->d_name, size, available);
		free(names[i]);
	}
	free(names);
	return fflush(stdout) ? 1 : 0;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case ARGP_KEY_ARG:
		if (state->arg_num || strcmp(arg, "list"))
			argp_error(state, "'%s': the only command is 'list'", arg);
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "a command is missing: 'list'");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int main(int argc, char **argv)
{
	static const struct argp parser = {
		NULL,
		parse_option,
		"list",
		"Print BDF, size, free bytes and driver of each PCI device with "
		"published peer-to-peer memory.",
		NULL,
		NULL,
		NULL
	};

	argp_err_exit_status = 2;
	argp_parse(&parser, argc, argv, 0, NULL, NULL);
	return list();
}
