// SPDX-License-Identifier: GPL-2.0
/* nfsp2p list: providers and RDMA devices. */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "nfsp2p.h"
#include "report.h"
#include "snapshot.h"

static int help(void)
{
	printf("Usage: nfsp2p list [--json] [--root DIR]\n\n"
	       "Show the PCI devices that offer P2P memory and the RDMA devices, with what is\n"
	       "between them and the host bridge.\n\n"
	       "  --json      for programs\n"
	       "  --root DIR  read a recorded tree (DIR/proc, DIR/sys) instead of this machine\n"
	       "  --help      this text\n\n"
	       "Examples:\n"
	       "  nfsp2p list\n"
	       "  nfsp2p list --json | jq -r '.providers[].bdf'\n");
	return EXIT_YES;
}

static void list_providers(const struct snapshot *s, struct names *names)
{
	char size[SIZE_TEXT], available[SIZE_TEXT], text[512];

	if (!s->nproviders)
		printf("No provider: no PCI device of this machine offers P2P memory%s.\n",
		       s->kernel.p2pdma == TRI_NO
			       ? ", and the kernel is built without CONFIG_PCI_P2PDMA"
			       : "");
	else
		printf("%-13s %-10s %10s %10s %-9s %4s  %s\n", "PROVIDER", "DRIVER", "SIZE",
		       "AVAILABLE", "PUBLISHED", "NODE", "NAME");
	for (size_t i = 0; i < s->nproviders; i++) {
		const struct provider *p = &s->providers[i];
		const struct pci_function *f = &s->pci[p->pci];

		printf("%-13s %-10s %10s %10s %-9s %4d  %s\n", p->bdf,
		       f->driver[0] ? f->driver : "-", size_text(size, p->size),
		       size_text(available, p->available), p->published ? "yes" : "no",
		       f->numa_node, pci_text(names, text, sizeof(text), f));
		printf("  below %s\n", path_text(s, p->pci, text, sizeof(text)));
	}
}

static void list_rnics(const struct snapshot *s, struct names *names)
{
	char text[512];

	if (!s->nrnics)
		printf("No RDMA device.\n");
	else
		printf("%-13s %-13s %-10s %-10s %-7s %4s  %s\n", "RDMA DEVICE", "DMA BY", "DRIVER",
		       "NETDEV", "ACTIVE", "NODE", "NAME");
	for (size_t i = 0; i < s->nrnics; i++) {
		const struct rnic *r = &s->rnics[i];
		const struct pci_function *f = r->pci == NO_PCI ? NULL : &s->pci[r->pci];

		printf("%-13s %-13s %-10s %-10s %-7s %4d  %s\n", r->name,
		       r->virtual_dma ? "the CPU"
		       : f	      ? f->bdf
				      : "unknown",
		       f && f->driver[0] ? f->driver : "-", r->netdev[0] ? r->netdev : "-",
		       r->active ? "yes" : "no", f ? f->numa_node : -1,
		       f ? pci_text(names, text, sizeof(text), f) : "-");
		if (f)
			printf("  below %s\n", path_text(s, r->pci, text, sizeof(text)));
	}
}

/* What providers and RDMA devices have in common. */
static void add_function(struct json_object *o, const struct snapshot *s, struct names *names,
			 int pci)
{
	const struct pci_function *f = &s->pci[pci];
	struct json_object *above = json_object_new_array();
	char text[512];

	for (int at = f->parent, depth = 0; at != NO_PCI && depth < 32;
	     at = s->pci[at].parent, depth++) {
		const struct pci_function *bridge = &s->pci[at];
		struct json_object *one = json_object_new_object();

		json_object_object_add(one, "bdf", json_text(bridge->bdf));
		json_object_object_add(
			one, "acs_redirect",
			bridge->acs == ACS_UNKNOWN
				? NULL
				: json_object_new_boolean(bridge->acs == ACS_THERE &&
							  bridge->acs_control & ACS_REDIRECTS));
		json_object_array_add(above, one);
	}
	json_object_object_add(o, "bdf", json_text(f->bdf));
	json_object_object_add(o, "driver", json_text(f->driver));
	json_object_object_add(o, "name", json_text(pci_text(names, text, sizeof(text), f)));
	json_object_object_add(o, "numa_node", json_object_new_int(f->numa_node));
	json_object_object_add(o, "iommu", json_text(f->iommu));
	json_object_object_add(o, "bridges", above);
	json_object_object_add(o, "host_bridge", json_text(f->host));
}

static struct json_object *json_provider(const struct snapshot *s, struct names *names,
					 const struct provider *p)
{
	struct json_object *o = json_object_new_object();

	add_function(o, s, names, p->pci);
	json_object_object_add(o, "size", json_object_new_uint64(p->size));
	json_object_object_add(o, "available", json_object_new_uint64(p->available));
	json_object_object_add(o, "published", json_object_new_boolean(p->published));
	json_object_object_add(o, "permitted", json_object_new_boolean(p->access == ACCESS_OK));
	return o;
}

static struct json_object *json_rnic(const struct snapshot *s, struct names *names,
				     const struct rnic *r)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "device", json_text(r->name));
	json_object_object_add(o, "virtual_dma", json_object_new_boolean(r->virtual_dma));
	json_object_object_add(o, "active", json_object_new_boolean(r->active));
	json_object_object_add(o, "netdev", json_text(r->netdev));
	if (r->pci != NO_PCI)
		add_function(o, s, names, r->pci);
	return o;
}

static int list_json(const struct snapshot *s, struct names *names)
{
	struct json_object *o = json_object_new_object();
	struct json_object *providers = json_object_new_array(), *rnics = json_object_new_array();

	for (size_t i = 0; i < s->nproviders; i++)
		json_object_array_add(providers, json_provider(s, names, &s->providers[i]));
	for (size_t i = 0; i < s->nrnics; i++)
		json_object_array_add(rnics, json_rnic(s, names, &s->rnics[i]));
	json_object_object_add(o, "version", json_text(NFSP2P_VERSION));
	json_object_object_add(o, "providers", providers);
	json_object_object_add(o, "rdma_devices", rnics);
	return report_json(o);
}

static int list(const char *root, bool json)
{
	struct snapshot s;
	struct names names;
	int rc = snapshot_load(&s, root);

	/* Without mounts there is a list, too. */
	if (rc && !s.npci) {
		fprintf(stderr, "nfsp2p list: cannot read %s/sys: %s\n", root, strerror(-rc));
		snapshot_free(&s);
		return EXIT_UNKNOWN;
	}
	names_open(&names);
	if (json) {
		rc = list_json(&s, &names);
	} else {
		list_providers(&s, &names);
		printf("\n");
		list_rnics(&s, &names);
		rc = report_flush();
	}
	names_close(&names);
	snapshot_free(&s);
	if (rc)
		fprintf(stderr, "nfsp2p list: cannot write the list: %s\n", strerror(-rc));
	return rc ? EXIT_NO : EXIT_YES;
}

/**
 * cmd_list - nfsp2p list
 * @argc:	arguments, the command's name included
 * @argv:	the same
 *
 * Return: an exit code.
 */
int cmd_list(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "root", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char *root = snapshot_default_root();
	bool json = false;
	int option;

	while ((option = getopt_long(argc, argv, "jh", options, NULL)) != -1) {
		switch (option) {
		case 'j':
			json = true;
			break;
		case 'r':
			root = optarg;
			break;
		case 'h':
			return help();
		default:
			return EXIT_USAGE;
		}
	}
	if (optind < argc)
		return usage_error("list", "'%s': only options are taken", argv[optind]);
	return list(root, json);
}
