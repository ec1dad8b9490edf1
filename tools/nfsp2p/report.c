// SPDX-License-Identifier: GPL-2.0
/* Text and JSON: see report.h. */
#include "report.h"

#include <errno.h>
#include <pci/pci.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nfsp2p.h"

/**
 * size_text - a size for people
 * @text:	filled in, SIZE_TEXT bytes
 * @bytes:	the size
 *
 * Return: @text: "64 MiB", and the very number if no unit divides it.
 */
const char *size_text(char *text, uint64_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
	size_t unit = 0;

	while (bytes && !(bytes % 1024) && unit + 1 < sizeof(units) / sizeof(units[0])) {
		bytes /= 1024;
		unit++;
	}
	if (!unit && bytes >= 10240)
		snprintf(text, SIZE_TEXT, "%.1f MiB", (double)bytes / (1 << 20));
	else
		snprintf(text, SIZE_TEXT, "%llu %s", (unsigned long long)bytes, units[unit]);
	return text;
}

static void say_nothing(char *message, ...)
{
	(void)message;
}

static __attribute__((noreturn)) void give_up(char *message, ...)
{
	fprintf(stderr, "nfsp2p: libpci failed: %s\n", message);
	exit(EXIT_UNKNOWN);
}

/**
 * names_open - get ready to look up names of PCI functions
 * @names:	to be given back with names_close()
 *
 * Names only: pci_init(), which looks for devices and ends the program if there is no
 * PCI, is not called, and what it would set is set here.
 */
void names_open(struct names *names)
{
	names->access = pci_alloc();
	names->access->error = give_up;
	names->access->warning = say_nothing;
	names->access->debug = say_nothing;
	/* No cache of names from the net in somebody's home, which libpci 3.13 also leaks. */
	pci_set_param(names->access, "net.cache_name", "");
}

/**
 * names_close - give back what names_open() took
 * @names:	the same
 */
void names_close(struct names *names)
{
	pci_cleanup(names->access);
}

/**
 * pci_text - what a PCI function is called
 * @names:	from names_open()
 * @text:	filled in
 * @n:		size of @text
 * @f:		the function
 *
 * The database of names is libpci's (pci.ids); without it, the numbers are shown.
 *
 * Return: @text.
 */
const char *pci_text(struct names *names, char *text, size_t n, const struct pci_function *f)
{
	return pci_lookup_name(names->access, text, (int)n,
			       PCI_LOOKUP_VENDOR | PCI_LOOKUP_DEVICE | PCI_LOOKUP_NO_HWDB,
			       f->vendor, f->device);
}

/* "ReqRedir+" after a bridge that redirects, "" after others. */
static const char *redirect_mark(const struct pci_function *f)
{
	if (f->acs == ACS_UNKNOWN)
		return " (ACS?)";
	return f->acs == ACS_THERE && f->acs_control & ACS_REDIRECTS ? " (ACS redirect)" : "";
}

/**
 * path_text - the bridges above a PCI function, outwards
 * @s:		a snapshot
 * @pci:	index of the function
 * @text:	filled in: "0000:02:00.0 > 0000:01:00.0 > pci0000:00"
 * @n:		size of @text
 *
 * Return: @text.
 */
const char *path_text(const struct snapshot *s, int pci, char *text, size_t n)
{
	size_t used = 0;
	int depth = 0;

	text[0] = '\0';
	for (int at = s->pci[pci].parent; at != NO_PCI && depth < 32 && used < n;
	     at = s->pci[at].parent, depth++)
		used += (size_t)snprintf(text + used, n - used, "%s%s > ", s->pci[at].bdf,
					 redirect_mark(&s->pci[at]));
	if (used < n)
		snprintf(text + used, n - used, "%s",
			 s->pci[pci].host[0] ? s->pci[pci].host : "unknown");
	return text;
}

/**
 * route_name - a route as programs read it
 * @route:	any
 *
 * Return: a constant string.
 */
const char *route_name(enum route route)
{
	static const char *const names[] = {
		[ROUTE_UNKNOWN] = "unknown",	       [ROUTE_NONE] = "none",
		[ROUTE_BUS] = "bus-address",	       [ROUTE_HOST_BRIDGE] = "host-bridge",
		[ROUTE_EITHER] = "bus-or-host-bridge",
	};

	return names[route];
}

static const char *tri_text(enum tri tri, const char *yes, const char *no)
{
	return tri == TRI_YES ? yes : tri == TRI_NO ? no : "unknown";
}

/**
 * report_kernel - print what the kernel can do for NFS, in one line
 * @k:		of a snapshot
 */
void report_kernel(const struct kernel *k)
{
	printf("kernel %s: ", k->release[0] ? k->release : "unknown");
	if (k->p2pdma == TRI_NO)
		printf("built without CONFIG_PCI_P2PDMA, ");
	printf("nfs %s", tri_text(k->nfs, "loaded", "not loaded"));
	if (k->series_id[0])
		printf(" (version %.*s, series %s)", (int)(strrchr(k->version, '+') - k->version),
		       k->version, k->series_id);
	else if (k->version[0])
		printf(" (%s%s)", k->version, k->out_of_tree ? ", out of tree" : "");
	else if (k->out_of_tree)
		printf(" (out of tree)");
	printf(", rpcrdma %s", tri_text(k->rpcrdma, "loaded", "not loaded"));
	if (k->rpcrdma_version[0] && strcmp(k->rpcrdma_version, k->version))
		printf(" (%s)", k->rpcrdma_version);
	if (k->nfs == TRI_YES)
		printf(", P2PDMA %s", tri_text(k->series, "supported", "not supported"));
	if (k->series == TRI_YES)
		printf(" and turned %s", tri_text(k->enabled, "on", "off (nfs.p2pdma=N)"));
	printf("\n");
}

/**
 * report_findings - print a verdict's findings, one a line, the decisive one first
 * @v:		the verdict
 */
void report_findings(const struct verdict *v)
{
	for (size_t i = 0; i < v->nfindings; i++) {
		const struct finding *f = &v->findings[i];

		printf("    %s: %s%s%s\n",
		       f->answer == ANSWER_YES ? "info" : answer_name(f->answer), f->why,
		       f->todo ? "; to do: " : "", f->todo ? f->todo : "");
	}
}

/* null for what is not known. */
static struct json_object *json_tri(enum tri tri)
{
	return tri == TRI_UNKNOWN ? NULL : json_object_new_boolean(tri == TRI_YES);
}

/**
 * json_kernel - the same as report_kernel(), for programs
 * @k:		of a snapshot
 *
 * Return: an object, owned by the caller.
 */
struct json_object *json_kernel(const struct kernel *k)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "release", json_text(k->release));
	json_object_object_add(o, "nfs_loaded", json_tri(k->nfs));
	json_object_object_add(o, "nfs_version", json_text(k->version));
	json_object_object_add(o, "nfs_series", k->series_id[0] ? json_text(k->series_id) : NULL);
	json_object_object_add(o, "nfs_out_of_tree", json_object_new_boolean(k->out_of_tree));
	json_object_object_add(o, "rpcrdma_loaded", json_tri(k->rpcrdma));
	json_object_object_add(o, "rpcrdma_version", json_text(k->rpcrdma_version));
	json_object_object_add(o, "pci_p2pdma", json_tri(k->p2pdma));
	json_object_object_add(o, "p2pdma_supported", json_tri(k->series));
	json_object_object_add(o, "p2pdma_enabled", json_tri(k->enabled));
	json_object_object_add(o, "cpu", json_text(k->cpu));
	return o;
}

/**
 * json_verdict - a verdict for programs
 * @v:		the verdict
 *
 * Return: an object, owned by the caller.
 */
struct json_object *json_verdict(const struct verdict *v)
{
	struct json_object *o = json_object_new_object();
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < v->nfindings; i++) {
		const struct finding *f = &v->findings[i];
		struct json_object *one = json_object_new_object();

		json_object_object_add(one, "code", json_text(f->code));
		json_object_object_add(
			one, "severity",
			json_text(f->answer == ANSWER_YES ? "info" : answer_name(f->answer)));
		json_object_object_add(one, "why", json_text(f->why));
		json_object_object_add(one, "todo", json_text(f->todo));
		json_object_array_add(list, one);
	}
	json_object_object_add(o, "usable", json_text(answer_name(v->answer)));
	if (v->answer == ANSWER_YES)
		json_object_object_add(o, "route", json_text(route_name(v->route)));
	json_object_object_add(o, "findings", list);
	return o;
}

/**
 * report_flush - has all that was printed been written?
 *
 * Return: 0, or a negative errno if standard output does not take it.
 */
int report_flush(void)
{
	if (fflush(stdout))
		return -errno;
	/* The buffer was written before, and in vain. */
	return ferror(stdout) ? -EIO : 0;
}

/**
 * report_json - print an object, and free it
 * @object:	owned by the caller until now
 *
 * Return: as report_flush().
 */
int report_json(struct json_object *object)
{
	puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY |
							    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
	return report_flush();
}
