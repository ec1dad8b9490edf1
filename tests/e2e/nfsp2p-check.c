// SPDX-License-Identifier: GPL-2.0
/*
 * nfsp2p check tells the truth: whatever it says about a mount and a provider, the
 * kernel then does.  Each test asks first, and then tries: a read and a write with the
 * provider's memory as the buffer.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "../lib/io.h"
#include "../lib/lab.h"
#include "../lib/nfsfile.h"
#include "../lib/p2pmem.h"

#define SIZE   65536UL
#define SWITCH "/sys/module/nfs/parameters/p2pdma"
#define NOBODY "setpriv --reuid 65534 --regid 65534 --clear-groups "

/* Exit codes of nfsp2p(1). */
enum {
	USABLE = 0,
	NOT_USABLE = 1,
	UNKNOWN = 3,
};

/**
 * struct row - one test
 * @name:	what it is called
 * @version:	NFS version
 * @proto:	"rdma" or "tcp"
 * @kind:	provider
 */
struct row {
	char name[80];
	const char *version, *proto;
	enum mem_kind kind;
};

/**
 * struct opinion - what nfsp2p check says about one pair
 * @status:	its exit code
 * @codes:	the codes of its findings, each with a space behind it
 */
struct opinion {
	int status;
	char codes[512];
};

static struct row rows[40];
static struct CMUnitTest tests[60];
static size_t nrows, ntests;
static struct nfsfile file = NFSFILE_CLOSED;
static struct membuf buf;

static void bdf_of(enum mem_kind kind, char bdf[32])
{
	char path[PATH_MAX];

	assert_int_equal(p2pmem_find(PCI_DEVICES, kind, path, sizeof(path)), 0);
	snprintf(bdf, 32, "%s", basename(dirname(path)));
}

/* Run nfsp2p check on the mount; the findings of the first pair are kept. */
static struct opinion ask(const char *prefix, const char *options, enum mem_kind kind)
{
	struct json_object *o, *pairs, *findings, *code;
	char command[256], text[65536], bdf[32];
	struct opinion opinion = { 0 };
	FILE *f;

	bdf_of(kind, bdf);
	snprintf(command, sizeof(command),
		 "%snfsp2p check --json %s --provider %s " LAB_MOUNT "/check", prefix, options,
		 bdf);
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

/* What the kernel does with a read and a write: 0, or a negative errno. */
static int try(enum mem_kind kind)
{
	ssize_t done[2];
	int rc;

	rc = membuf_alloc(&buf, kind, SIZE);
	if (rc)
		return rc;
	for (int write = 0; write < 2; write++)
		done[write] = io_one(IO_SYNC, write, file.client, buf.data, SIZE, 0);
	membuf_free(&buf);
	if (done[0] != done[1])
		fail_msg("read returned %zd, write %zd", done[0], done[1]);
	return done[0] == (ssize_t)SIZE ? 0 : (int)done[0];
}

static int decisive(const struct opinion *opinion, const char *code)
{
	const size_t len = strlen(code);

	return !strncmp(opinion->codes, code, len) && opinion->codes[len] == ' ';
}

/* The opinion must be @code first, and true. */
static void expect(const struct opinion *opinion, const char *code, int done)
{
	if (!decisive(opinion, code))
		fail_msg("wanted %s first, nfsp2p has: %s(status %d); the kernel: %d", code,
			 opinion->codes, opinion->status, done);
	if (opinion->status == USABLE)
		assert_int_equal(done, 0);
	else if (opinion->status == NOT_USABLE)
		assert_int_equal(done, -EREMOTEIO);
	else
		fail_msg("nfsp2p could not tell (status %d): %s", opinion->status, opinion->codes);
}

/* The one reason that this guest has, or the way. */
static const char *expected(const struct row *row)
{
	if (!strcmp(row->proto, "tcp"))
		return "not-rdma";
	if (strcmp(lab_rnic(), "vrnic"))
		return "virtual-dma";
	if (lab_is_stock())
		return "no-series";
	switch (lab_route()) {
	case LAB_BUS:
		return "route-bus";
	case LAB_ROOT:
		return "route-host-bridge";
	default:
		return "unreachable-bridge";
	}
}

static void mount_row(const struct row *row)
{
	nfsfile_mount(&file, row->version, row->proto, "check", SIZE);
}

static void test_verdict(void **state)
{
	const struct row *row = *state;
	struct opinion opinion;

	mount_row(row);
	opinion = ask("", "", row->kind);
	expect(&opinion, expected(row), try(row->kind));
	if (!strcmp(getenv("LAB_TOPOLOGY"), "iommu") && opinion.status == USABLE)
		assert_non_null(strstr(opinion.codes, " iommu "));
}

/* The probe sees for itself, and comes to the same answer. */
static void test_probe(void **state)
{
	const struct row *row = *state;
	struct opinion opinion, probe;

	mount_row(row);
	opinion = ask("", "", row->kind);
	probe = ask("", "--probe", row->kind);
	assert_int_equal(probe.status, opinion.status);
	assert_non_null(
		strstr(probe.codes, opinion.status == USABLE ? "probe-p2pdma " : "probe-refused "));
	assert_null(strstr(probe.codes, "contradiction"));
	assert_int_equal(access("/sys/kernel/tracing/instances", F_OK), 0);
	assert_int_equal(system("ls -d /sys/kernel/tracing/instances/nfsp2p-* 2>/dev/null"),
			 2 << 8);
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		fail_msg("cannot write %s to %s: %s", text, path, strerror(errno));
	close(fd);
}

static void test_off(void **state)
{
	const struct row *row = *state;
	struct opinion opinion;
	int done;

	mount_row(row);
	put(SWITCH, "N");
	opinion = ask("", "", row->kind);
	done = try(row->kind);
	put(SWITCH, "Y");
	expect(&opinion, "off", done);
}

/* Nothing is left of the provider's memory. */
static void test_full(void **state)
{
	const struct row *row = *state;
	struct membuf all = { 0 };
	struct opinion opinion;
	uint64_t free_bytes;

	mount_row(row);
	assert_int_equal(p2pmem_available(row->kind, &free_bytes), 0);
	assert_int_equal(membuf_alloc(&all, row->kind, free_bytes), 0);
	opinion = ask("", "", row->kind);
	assert_int_equal(try(row->kind), -ENOMEM);
	membuf_free(&all);
	assert_int_equal(opinion.status, NOT_USABLE);
	assert_non_null(strstr(opinion.codes, "full "));
}

/* Users may not map the memory unless somebody lets them. */
static void test_user(void **state)
{
	const struct row *row = *state;
	char command[256], bdf[32];
	struct opinion opinion;

	mount_row(row);
	opinion = ask(NOBODY, "", row->kind);
	bdf_of(row->kind, bdf);
	snprintf(command, sizeof(command),
		 NOBODY "sh -c 'exec 3<>%s/%s/p2pmem/allocate' 2>/dev/null", PCI_DEVICES, bdf);
	assert_int_not_equal(system(command), 0);
	assert_int_equal(opinion.status, NOT_USABLE);
	assert_non_null(strstr(opinion.codes, "not-permitted "));
}

/* It depends on the data server, which check cannot see, but the probe can. */
static void pnfs(const struct row *row, const char *netid, int wanted)
{
	const char *const extra[] = { "--pnfs", netid, NULL };
	struct opinion opinion, probe;
	int done;

	nfsfile_close(&file);
	if (lab_mount_with(row->version, row->proto, extra))
		fail_msg("lab-nfs up --pnfs %s failed", netid);
	nfsfile_open(&file, "check", SIZE);
	opinion = ask("", "", row->kind);
	probe = ask("", "--probe", row->kind);
	done = try(row->kind);
	if (opinion.status != UNKNOWN || !decisive(&opinion, "layout-data-servers"))
		fail_msg("status %d: %s", opinion.status, opinion.codes);
	assert_int_equal(probe.status, wanted);
	assert_int_equal(done, wanted == USABLE ? 0 : -EREMOTEIO);
}

static void test_pnfs_rdma(void **state)
{
	pnfs(*state, "rdma", USABLE);
}

static void test_pnfs_tcp(void **state)
{
	pnfs(*state, "tcp", NOT_USABLE);
}

static void test_krb5i(void **state)
{
	static const char *const extra[] = { "--sec", "krb5i", NULL };
	const struct row *row = *state;
	struct opinion opinion;
	int rc;

	nfsfile_close(&file);
	rc = lab_mount_with(row->version, row->proto, extra);
	if (rc == 2)
		lab_skip("lab-nfs has no --sec in this lab");
	assert_int_equal(rc, 0);
	nfsfile_open(&file, "check", SIZE);
	opinion = ask("", "", row->kind);
	expect(&opinion, "gss", try(row->kind));
}

static int leave(void **state)
{
	(void)state;
	nfsfile_close(&file);
	membuf_free(&buf);
	return lab_unmount();
}

static int free_buffer(void **state)
{
	(void)state;
	membuf_free(&buf);
	return 0;
}

static void add(CMUnitTestFunction func, const char *what, struct row row)
{
	struct row *copy = &rows[nrows++];

	assert_true(nrows < sizeof(rows) / sizeof(rows[0]));
	*copy = row;
	snprintf(copy->name, sizeof(copy->name), "v%s %s %s: %s", row.version, row.proto,
		 mem_name(row.kind), what);
	tests[ntests++] = (struct CMUnitTest){
		.name = copy->name,
		.test_func = func,
		.teardown_func = free_buffer,
		.initial_state = copy,
	};
}

static void add_rows(const char *proto)
{
	for (const char *const *v = lab_versions; *v; v++) {
		add(test_verdict, "what check says is done",
		    (struct row){ .version = *v, .proto = proto, .kind = MEM_CMB });
		add(test_verdict, "what check says is done",
		    (struct row){ .version = *v, .proto = proto, .kind = MEM_BAR });
	}
	add(test_probe, "the probe agrees",
	    (struct row){ .version = "3", .proto = proto, .kind = MEM_CMB });
	add(test_probe, "the probe agrees",
	    (struct row){ .version = "4.2", .proto = proto, .kind = MEM_BAR });
}

int main(int argc, char **argv)
{
	const struct row plain = { .version = "4.2", .proto = "rdma", .kind = MEM_BAR };
	int rc = lab_main_setup(argc, argv);

	if (rc)
		return rc;
	add_rows("rdma");
	if (!lab_is_stock() && !strcmp(lab_rnic(), "vrnic") && lab_route() != LAB_NONE) {
		add(test_off, "turned off", plain);
		add(test_full, "nothing left", plain);
		add(test_user, "an ordinary user", plain);
		add(test_krb5i, "krb5i", plain);
		add_rows("tcp");
		add(test_pnfs_rdma, "data server by RDMA", plain);
		add(test_pnfs_tcp, "data server by TCP", plain);
	}
	return _cmocka_run_group_tests("nfsp2p-check", tests, ntests, NULL, leave);
}
