// SPDX-License-Identifier: GPL-2.0
/* How results of bench are shown: see bench.h. */
#include <inttypes.h>
#include <stdio.h>

#include <json-c/json.h>

#include "bench.h"
#include "nfsp2p.h"
#include "report.h"

static double rate(const struct score *s)
{
	return s->valid && s->seconds > 0 ? (double)s->bytes / 0x1p20 / s->seconds : 0;
}

static double latency(const struct score *s, unsigned int depth)
{
	return s->ops ? s->seconds * 1e6 * depth / (double)s->ops : 0;
}

static double cpu_cost(const struct score *s)
{
	return s->bytes ? s->cpu * 1e6 / ((double)s->bytes / 0x1p20) : 0;
}

static void number(double value, bool valid, int width, int digits)
{
	if (valid)
		printf(" %*.*f", width, digits, value);
	else
		printf(" %*s", width, "-");
}

static void row(const struct cell *c)
{
	unsigned int depth = c->geometry.depth;

	printf("%-5s %6zuK %5u", c->write ? "write" : "read", c->geometry.block >> 10, depth);
	if (c->left_out) {
		printf(" %s\n", c->left_out);
		return;
	}
	number(rate(&c->p2p), c->p2p.valid, 9, 1);
	number(rate(&c->host), c->host.valid, 9, 1);
	number(rate(&c->host) > 0 ? rate(&c->p2p) / rate(&c->host) : 0,
	       c->p2p.valid && c->host.valid, 6, 2);
	number(latency(&c->p2p, depth), c->p2p.valid, 9, 0);
	number(latency(&c->host, depth), c->host.valid, 9, 0);
	number(cpu_cost(&c->p2p), c->p2p.valid, 9, 0);
	number(cpu_cost(&c->host), c->host.valid, 9, 0);
	printf("\n");
}

/* Which way what was measured went. */
static void evidence(const struct bench_result *r)
{
	printf("peer to peer: read %" PRIu64, r->moved_read);
	if (r->nfs)
		printf(" (counted %" PRIu64 ")", r->counted_read);
	printf(", written %" PRIu64, r->moved_write);
	if (r->nfs)
		printf(" (counted %" PRIu64 ")\n", r->counted_write);
	else
		printf(" (by construction)\n");
}

/**
 * bench_table - print results for people
 * @r:		the results
 *
 * Return: as report_flush().
 */
int bench_table(const struct bench_result *r)
{
	printf("%s, P2P memory of %s\n", r->file, r->provider[0] ? r->provider : "nobody");
	printf("%-5s %7s %5s %19s %6s %19s %19s\n", "", "", "", "---- MiB/s --------", "P2P/",
	       "---- us per I/O ---", "- CPU us per MiB --");
	printf("%-5s %7s %5s %9s %9s %6s %9s %9s %9s %9s\n", "", "block", "depth", "P2P", "host",
	       "host", "P2P", "host", "P2P", "host");
	for (size_t i = 0; i < r->n; i++)
		row(&r->cells[i]);
	if (r->provider[0])
		evidence(r);
	return report_flush();
}

static struct json_object *json_score(const struct score *s)
{
	struct json_object *o = json_object_new_object();

	if (!s->valid) {
		json_object_put(o);
		return NULL;
	}
	json_object_object_add(o, "bytes", json_object_new_uint64(s->bytes));
	json_object_object_add(o, "ios", json_object_new_uint64(s->ops));
	json_object_object_add(o, "seconds", json_object_new_double(s->seconds));
	json_object_object_add(o, "cpu_seconds", json_object_new_double(s->cpu));
	return o;
}

/**
 * bench_json - print results for programs
 * @r:		the results
 *
 * Return: as report_json().
 */
int bench_json(const struct bench_result *r)
{
	struct json_object *o = json_object_new_object(), *rows = json_object_new_array();

	for (size_t i = 0; i < r->n; i++) {
		const struct cell *c = &r->cells[i];
		struct json_object *one = json_object_new_object();

		json_object_object_add(one, "operation", json_text(c->write ? "write" : "read"));
		json_object_object_add(one, "block", json_object_new_uint64(c->geometry.block));
		json_object_object_add(one, "depth", json_object_new_uint64(c->geometry.depth));
		json_object_object_add(one, "left_out", json_text(c->left_out));
		json_object_object_add(one, "p2p", json_score(&c->p2p));
		json_object_object_add(one, "host", json_score(&c->host));
		json_object_array_add(rows, one);
	}
	json_object_object_add(o, "version", json_text(NFSP2P_VERSION));
	json_object_object_add(o, "file", json_text(r->file));
	json_object_object_add(o, "provider", r->provider[0] ? json_text(r->provider) : NULL);
	json_object_object_add(o, "results", rows);
	json_object_object_add(o, "p2p_read_bytes", json_object_new_uint64(r->moved_read));
	json_object_object_add(o, "p2p_write_bytes", json_object_new_uint64(r->moved_write));
	json_object_object_add(o, "counted", json_object_new_boolean(r->nfs));
	if (r->nfs) {
		json_object_object_add(o, "counted_read_bytes",
				       json_object_new_uint64(r->counted_read));
		json_object_object_add(o, "counted_write_bytes",
				       json_object_new_uint64(r->counted_write));
	}
	return report_json(o);
}
