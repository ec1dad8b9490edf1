// SPDX-License-Identifier: GPL-2.0
/*
 * With a flexfiles layout, READ and WRITE go to a data server, by a transport
 * that the mount's own RPC client knows nothing of.  Here the data server is the
 * NFS server itself, over NFSv3, by whatever netid lab-nfs makes it announce.
 *
 * By RDMA, peer-to-peer memory works as it does without a layout.  By TCP it is
 * refused, although the mount itself is by RDMA.  The same where the NIC cannot
 * reach the memory, which only its transport finds out.  A refusal must not make
 * the client go back for another layout and try again.
 *
 * With mirrors, each WRITE goes to all of them, out of the same pinned memory.
 */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/evidence.h"
#include "../lib/io.h"
#include "../lib/lab.h"
#include "../lib/nfsfile.h"
#include "../lib/pattern.h"

#define FILE_SIZE (4UL << 20)
#define OLD_SEED  1
#define NEW_SEED  2
/*
 * What one I/O may cost besides its data: LAYOUTGET, GETDEVICEINFO, and what it
 * takes to meet a data server for the first time.
 */
#define MAX_CALLS 12

/**
 * struct row - one test
 * @name:	what it is called
 * @version:	NFS version of the mount
 * @netid:	how the data server is reached
 * @mirrors:	how many data servers there seem to be
 * @write:	direction, as the file sees it
 * @kind:	kind of memory
 * @engine:	interface
 * @len:	bytes
 */
struct row {
	char name[80];
	const char *version;
	const char *netid;
	unsigned int mirrors;
	bool write;
	enum mem_kind kind;
	enum io_engine engine;
	size_t len;
};

#define MAX_ROWS 150

static struct row rows[MAX_ROWS];
static struct CMUnitTest tests[MAX_ROWS];
static size_t ntests;
static struct nfsfile file = NFSFILE_CLOSED;
static struct membuf buf, front;
static char mounted[32];

/* Mount, unless it is mounted like that already. */
static void mount_pnfs(const struct row *row)
{
	const char *const extra[] = { "--pnfs", row->netid, NULL };
	char wanted[sizeof(mounted)], mirrors[12];

	snprintf(wanted, sizeof(wanted), "%s %s %u", row->version, row->netid, row->mirrors);
	if (!strcmp(wanted, mounted))
		return;
	mounted[0] = '\0';
	nfsfile_close(&file);
	if (lab_mount_with(row->version, "rdma", extra))
		fail_msg("lab-nfs up --pnfs %s failed", row->netid);
	/* A layout is asked for when the file is used. */
	snprintf(mirrors, sizeof(mirrors), "%u", row->mirrors);
	lab_put("/sys/module/nfsd/parameters/lab_mirrors", mirrors);
	nfsfile_open(&file, "pnfs", FILE_SIZE);
	snprintf(mounted, sizeof(mounted), "%s", wanted);
}

/* RPCs that all clients of this machine have sent since boot. */
static uint64_t client_calls(void)
{
	FILE *f = fopen("/proc/net/rpc/nfs", "re");
	uint64_t calls = 0;
	char line[256];

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "rpc %" SCNu64, &calls) == 1)
			break;
	fclose(f);
	return calls;
}

static void prepare(const struct row *row, struct evidence *before)
{
	int rc;

	mount_pnfs(row);
	nfsfile_server_fill(&file, FILE_SIZE, OLD_SEED, 0);
	evidence_start(before);
	rc = membuf_alloc(&buf, row->kind, row->len);
	if (rc)
		fail_msg("no %s buffer: %s", mem_name(row->kind), strerror(-rc));
	pattern_fill(buf.data, row->len, NEW_SEED, 0);
}

static int free_buffer(void **state)
{
	(void)state;
	membuf_free(&buf);
	membuf_free(&front);
	return 0;
}

/* Data goes to each mirror, and comes from one; its pages are pinned once. */
static void expect(const struct row *row, struct expected *exp)
{
	uint64_t pages;

	expected_add(exp, row->write, row->kind, buf.data, row->len);
	pages = exp->pages;
	for (unsigned int i = 1; row->write && i < row->mirrors; i++)
		expected_add(exp, row->write, row->kind, buf.data, row->len);
	exp->pages = pages;
}

static void test_works(void **state)
{
	const struct row *row = *state;
	struct expected exp = { .pins = PINS_EXACT };
	struct evidence before, after;
	ssize_t done;

	prepare(row, &before);
	expect(row, &exp);
	done = io_one(row->engine, row->write, file.client, buf.data, row->len, 0);
	assert_int_equal(done, row->len);
	if (row->write)
		nfsfile_server_check(&file, row->len, NEW_SEED, 0);
	else
		nfsfile_buffer_check(buf.data, row->len, OLD_SEED, 0, mem_name(row->kind));
	nfsfile_server_check(&file, FILE_SIZE - row->len, OLD_SEED, row->len);
	free_buffer(NULL);
	/* The NIC does not see what goes by TCP. */
	if (!strcmp(row->netid, "tcp"))
		exp.ram_skew = 0;
	evidence_check(&before, &exp);
	evidence_take(&after);
	/* Nothing of it went to the metadata server, which would be NFSv4. */
	assert_true(after.server.v3_data > before.server.v3_data);
	assert_int_equal(after.server.v3_data - before.server.v3_data,
			 after.server.reads - before.server.reads + after.server.writes -
				 before.server.writes);
}

static void test_refused(void **state)
{
	const struct row *row = *state;
	struct expected nothing = { .pins = PINS_BALANCED };
	struct evidence before;
	uint64_t calls;
	ssize_t done;

	prepare(row, &before);
	calls = client_calls();
	done = io_one(row->engine, row->write, file.client, buf.data, row->len, 0);
	calls = client_calls() - calls;
	assert_int_equal(done, -EREMOTEIO);
	nfsfile_server_check(&file, FILE_SIZE, OLD_SEED, 0);
	nfsfile_buffer_check(buf.data, row->len, NEW_SEED, 0, "refused buffer");
	free_buffer(NULL);
	evidence_no_data_rpc(&before, true);
	evidence_check(&before, &nothing);
	if (calls > MAX_CALLS)
		fail_msg("the refusal took %" PRIu64 " RPCs, which is more than one try", calls);
}

/*
 * Memory in front of what is refused is written to all mirrors, or none: one of
 * them meets the refusal first, when the others still have it in their queues.
 */
static void test_front(void **state)
{
	const struct row *row = *state;
	struct expected nothing = { .may_copy = row->len };
	struct evidence before, after;
	struct iovec iov[2];
	uint64_t rpcs;
	ssize_t done;

	prepare(row, &before);
	assert_int_equal(membuf_alloc(&front, MEM_RAM, row->len), 0);
	pattern_fill(front.data, row->len, NEW_SEED, 0);
	iov[0] = (struct iovec){ front.data, row->len };
	iov[1] = (struct iovec){ buf.data, row->len };
	done = io_vec(row->engine, row->write, file.client, iov, 2, 0);
	assert_int_equal(done, row->len);
	if (row->write)
		nfsfile_server_check(&file, row->len, NEW_SEED, 0);
	else
		nfsfile_buffer_check(front.data, row->len, OLD_SEED, 0, "RAM in front");
	nfsfile_server_check(&file, FILE_SIZE - row->len, OLD_SEED, row->len);
	nfsfile_buffer_check(buf.data, row->len, NEW_SEED, 0, "refused buffer");
	free_buffer(NULL);
	evidence_check(&before, &nothing);
	evidence_take(&after);
	rpcs = after.server.reads - before.server.reads + after.server.writes -
	       before.server.writes;
	assert_int_equal(rpcs, row->write ? row->mirrors : 1);
}

static void add(CMUnitTestFunction func, const char *what, const struct row *row)
{
	struct row *copy = &rows[ntests];

	assert_true(ntests < MAX_ROWS);
	*copy = *row;
	snprintf(copy->name, sizeof(copy->name), "v%s %s by %s %s %s %s %zu %s", row->version,
		 row->mirrors > 1 ? "two mirrors" : "data server", row->netid, what,
		 row->write ? "write" : "read", mem_name(row->kind), row->len,
		 io_engine_name(row->engine));
	tests[ntests++] = (struct CMUnitTest){
		.name = copy->name,
		.test_func = func,
		.teardown_func = free_buffer,
		.initial_state = copy,
	};
}

static void add_rows(const char *version, const char *netid, unsigned int mirrors)
{
	static const size_t lens[] = { 512, 65536, 1UL << 20 };
	const bool able = !strcmp(netid, "rdma") && lab_reachable();
	struct row row = { .version = version, .netid = netid, .mirrors = mirrors };

	for (int i = 0; i < 2 * MEM_KINDS * 3; i++) {
		row.write = i % 2;
		row.kind = i / 2 % MEM_KINDS;
		row.len = lens[i / 2 / MEM_KINDS];
		row.engine = i % IO_ENGINES;
		if (row.kind == MEM_RAM)
			add(test_works, "serves", &row);
		else if (able)
			add(test_works, "carries", &row);
		else
			add(test_refused, "refuses", &row);
		if (row.kind != MEM_RAM && !able && row.len == 65536)
			add(test_front, "serves RAM in front of", &row);
	}
}

int main(int argc, char **argv)
{
	static const char *const versions[] = { "4.1", "4.2" };
	static const char *const netids[] = { "tcp", "rdma" };
	int rc = lab_main_setup(argc, argv);

	if (rc)
		return rc;
	for (size_t v = 0; v < 2; v++)
		for (size_t n = 0; n < 2; n++)
			add_rows(versions[v], netids[n], 1);
	add_rows("4.2", "tcp", 2);
	add_rows("4.2", "rdma", 2);
	return _cmocka_run_group_tests("pnfs", tests, ntests, NULL, nfsfile_leave);
}
