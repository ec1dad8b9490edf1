// SPDX-License-Identifier: GPL-2.0
/*
 * nfsp2p check tells the truth: whatever it says about a mount and a provider, the
 * kernel then does.  Each test asks first, and then tries: a read and a write with the
 * provider's memory as the buffer.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/lab.h"
#include "../lib/nfsfile.h"
#include "../lib/opinion.h"

#define SWITCH "/sys/module/nfs/parameters/p2pdma"
#define NOBODY "setpriv --reuid 65534 --regid 65534 --clear-groups "

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

static struct row rows[20];
static struct CMUnitTest tests[20];
static size_t nrows, ntests;
static struct nfsfile file = NFSFILE_CLOSED;

/* The opinion must be @code first, and true. */
static void expect(const struct opinion *opinion, const char *code, int done)
{
	if (!opinion_decisive(opinion, code))
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
	case LAB_BOUNCED:
		return "bounced";
	default:
		return "unreachable-bridge";
	}
}

static void mount_row(const struct row *row)
{
	nfsfile_mount(&file, row->version, row->proto, OPINION_FILE, OPINION_SIZE);
}

static void test_verdict(void **state)
{
	const struct row *row = *state;
	const char *topology = getenv("LAB_TOPOLOGY");
	struct opinion opinion;

	mount_row(row);
	opinion = opinion_ask("", "", row->kind);
	expect(&opinion, expected(row), opinion_try(&file, row->kind));
	if (topology && !strcmp(topology, "iommu") && opinion.status == USABLE)
		assert_non_null(strstr(opinion.codes, " iommu "));
}

/* The probe sees for itself, and comes to the same answer. */
static void test_probe(void **state)
{
	const struct row *row = *state;
	struct opinion opinion, probe;

	mount_row(row);
	opinion = opinion_ask("", "", row->kind);
	probe = opinion_ask("", "--probe", row->kind);
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
	opinion = opinion_ask("", "", row->kind);
	done = opinion_try(&file, row->kind);
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
	opinion = opinion_ask("", "", row->kind);
	assert_int_equal(opinion_try(&file, row->kind), -ENOMEM);
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
	opinion = opinion_ask(NOBODY, "", row->kind);
	opinion_provider(row->kind, bdf);
	snprintf(command, sizeof(command),
		 NOBODY "sh -c 'exec 3<>%s/%s/p2pmem/allocate' 2>/dev/null", PCI_DEVICES, bdf);
	assert_int_not_equal(system(command), 0);
	assert_int_equal(opinion.status, NOT_USABLE);
	assert_non_null(strstr(opinion.codes, "not-permitted "));
}

/* @sec: with krb5, the CPU computes over headers alone. */
static void with_security(const struct row *row, const char *sec, const char *code)
{
	const char *const extra[] = { "--sec", sec, NULL };
	struct opinion opinion;

	nfsfile_close(&file);
	assert_int_equal(lab_mount_with(row->version, row->proto, extra), 0);
	nfsfile_open(&file, OPINION_FILE, OPINION_SIZE);
	opinion = opinion_ask("", "", row->kind);
	expect(&opinion, code, opinion_try(&file, row->kind));
	opinion = opinion_ask("", "--probe", row->kind);
	assert_non_null(
		strstr(opinion.codes, strcmp(code, "gss") ? "probe-p2pdma " : "probe-refused "));
}

static void test_krb5(void **state)
{
	const struct row *row = *state;

	with_security(row, "krb5", expected(row));
	with_security(row, "krb5i", "gss");
	with_security(row, "krb5p", "gss");
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
		.initial_state = copy,
	};
}

static const char *const what_is_said = "what check says is done";

static void add_rdma(void)
{
	add(test_verdict, what_is_said,
	    (struct row){ .version = "3", .proto = "rdma", .kind = MEM_CMB });
	add(test_verdict, what_is_said,
	    (struct row){ .version = "4.0", .proto = "rdma", .kind = MEM_BAR });
	add(test_verdict, what_is_said,
	    (struct row){ .version = "4.1", .proto = "rdma", .kind = MEM_CMB });
	add(test_verdict, what_is_said,
	    (struct row){ .version = "4.2", .proto = "rdma", .kind = MEM_BAR });
	add(test_probe, "the probe agrees",
	    (struct row){ .version = "4.2", .proto = "rdma", .kind = MEM_CMB });
}

static void add_tcp(void)
{
	add(test_verdict, what_is_said,
	    (struct row){ .version = "3", .proto = "tcp", .kind = MEM_CMB });
	add(test_verdict, what_is_said,
	    (struct row){ .version = "4.2", .proto = "tcp", .kind = MEM_BAR });
	add(test_probe, "the probe agrees",
	    (struct row){ .version = "4.2", .proto = "tcp", .kind = MEM_CMB });
}

int main(int argc, char **argv)
{
	const struct row plain = { .version = "4.2", .proto = "rdma", .kind = MEM_BAR };
	int rc = lab_main_setup(argc, argv);

	if (rc)
		return rc;
	add_rdma();
	if (!lab_is_stock() && !strcmp(lab_rnic(), "vrnic") && lab_reachable()) {
		add(test_off, "turned off", plain);
		add(test_full, "nothing left", plain);
		add(test_user, "an ordinary user", plain);
		add(test_krb5, "krb5, krb5i, krb5p", plain);
		add_tcp();
	}
	return _cmocka_run_group_tests("nfsp2p-check", tests, ntests, NULL, nfsfile_leave);
}
