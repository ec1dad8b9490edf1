// SPDX-License-Identifier: GPL-2.0
/*
 * Security flavors and TLS.  With krb5 only the head of an RPC is signed, so that
 * peer-to-peer memory works.  With krb5i and krb5p the CPU would compute over the
 * payload: refused, as it is if SP4_MACH_CRED makes WRITE use krb5i below a mount
 * of another flavor.  A keytab alone, with sec=sys, puts krb5i on the RPCs that
 * manage the client's ID and on no others.  Memory is served in each case.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "../lib/evidence.h"
#include "../lib/lab.h"
#include "../lib/rows.h"
#include "../lib/trace.h"
#include "../lib/transfer.h"

#define FILE_SIZE (2UL << 20)
#define DECISION  "nfs/nfs_server_p2pdma" /* made at mount, for the capability */
#define USE	  "nfs/nfs_p2pdma"	  /* for each I/O */
#define GSS_CALL  "rpcgss/rpcgss_seqno"	  /* each RPC of a GSS flavor, when it is sent */
#define PROBES	  8
#define GSS_TOKEN 64 /* bytes at most around a payload that krb5i or krb5p wraps */

/* include/linux/sunrpc/msg_prot.h: RPC_AUTH_UNIX and the pseudoflavors of Kerberos. */
enum flavor {
	SYS = 1,
	KRB5 = 390003,
	KRB5I = 390004,
	KRB5P = 390005,
};

/**
 * struct how - a way of mounting
 * @name:	as test names have it
 * @options:	of lab-nfs
 * @proto:	"rdma" or "tcp"
 * @verdict:	what the kernel decides about peer-to-peer memory
 * @versions:	NFS versions, NULL-terminated
 * @flavor:	pseudoflavor of the mount
 * @gss_write:	WRITE uses a GSS flavor
 * @gss_read:	READ uses a GSS flavor
 */
struct how {
	const char *name;
	const char *options[6];
	const char *proto;
	const char *verdict;
	const char *versions[4];
	enum flavor flavor;
	bool gss_write, gss_read;
};

/* The server is started again where Kerberos or its module differ: few times. */
static const struct how ways[] = {
	{ "sys, MACH_CRED WRITE",
	  { "--sec", "sys", "--mach-cred-write" },
	  "rdma",
	  "mach-cred",
	  { "4.2" },
	  SYS,
	  true,
	  false },
	{ "krb5, MACH_CRED WRITE",
	  { "--sec", "krb5", "--mach-cred-write" },
	  "rdma",
	  "mach-cred",
	  { "4.2" },
	  KRB5,
	  true,
	  true },
	{ "sys, keytab",
	  { "--sec", "sys" },
	  "rdma",
	  "allowed",
	  { "4.0", "4.2" },
	  SYS,
	  false,
	  false },
	{ "krb5", { "--sec", "krb5" }, "rdma", "allowed", { "3", "4.2" }, KRB5, true, true },
	{ "krb5i", { "--sec", "krb5i" }, "rdma", "gss", { "3", "4.2" }, KRB5I, true, true },
	{ "krb5p", { "--sec", "krb5p" }, "rdma", "gss", { "4.2" }, KRB5P, true, true },
	{ "TLS", { "--tls" }, "tcp", "not-rdma", { "4.1" }, SYS, false, false },
	{ "TCP", { NULL }, "tcp", "read-plus", { "4.2" }, SYS, false, false },
};

/**
 * struct row - one test
 * @how:	way of mounting
 * @version:	NFS version
 * @transfer:	what is moved
 */
struct row {
	const struct how *how;
	const char *version;
	struct transfer transfer;
};

#define MAX_ROWS 400

static struct row rows[MAX_ROWS];
static size_t nrows;
static struct nfsfile file = NFSFILE_CLOSED;
static const struct row *mounted;

static bool allowed(const struct how *how)
{
	return !strcmp(how->verdict, "allowed");
}

/* Is the payload signed or encrypted? */
static bool wraps(const struct how *how, bool write)
{
	if (write && !strcmp(how->verdict, "mach-cred"))
		return true;
	return how->flavor == KRB5I || how->flavor == KRB5P;
}

/* Mount, unless it is mounted like that already. */
static void mount_row(const struct row *row)
{
	if (mounted && mounted->how == row->how && mounted->version == row->version)
		return;
	mounted = NULL;
	nfsfile_close(&file);
	if (lab_mount_with(row->version, row->how->proto, row->how->options))
		fail_msg("lab-nfs up for %s failed", row->how->name);
	nfsfile_open(&file, "security", FILE_SIZE);
	mounted = row;
}

static void test_transfer(void **state)
{
	const struct row *row = *state;

	mount_row(row);
	if (row->transfer.kind == MEM_RAM || allowed(row->how))
		transfer_served(&file, &row->transfer);
	else
		transfer_refused(&file, &row->transfer);
}

/* "sec: flavor=6,pseudoflavor=390003" */
static unsigned int pseudoflavor(void)
{
	FILE *f = fopen("/proc/self/mountstats", "re");
	unsigned int flavor, pseudo, found = 0;
	bool ours = false;
	char line[1024];

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (!strncmp(line, "device ", 7))
			ours = strstr(line, " mounted on " LAB_MOUNT " ") != NULL;
		if (ours && sscanf(line, " sec: flavor=%u,pseudoflavor=%u", &flavor, &pseudo) == 2)
			found = pseudo ? pseudo : flavor;
	}
	fclose(f);
	return found;
}

/* Lease renewal may put in one or two RPCs of its own. */
static void check_gss(bool write, bool wanted)
{
	const struct transfer probe = { write, MEM_RAM, IO_SYNC, 65536,
					wraps(mounted->how, write) ? GSS_TOKEN : 0 };
	int calls;

	trace_count("", NULL);
	for (int i = 0; i < PROBES; i++)
		transfer_served(&file, &probe);
	calls = trace_count("rpcgss_seqno", NULL);
	if (wanted ? calls < PROBES : calls > PROBES / 2)
		fail_msg("%d RPCs of a GSS flavor for %d %s", calls, PROBES,
			 write ? "WRITEs" : "READs");
}

/* Who asks why an I/O was refused gets the cause. */
static void check_reason(const struct row *row)
{
	static const struct transfer p2p = { true, MEM_CMB, IO_SYNC, 4096, 0 };
	char verdict[64];

	snprintf(verdict, sizeof(verdict), "p2pdma=%s", row->how->verdict);
	trace_enable(USE, true);
	(allowed(row->how) ? transfer_served : transfer_refused)(&file, &p2p);
	assert_int_equal(trace_count("nfs_p2pdma", verdict), 1);
	trace_enable(USE, false);
}

static void test_policy(void **state)
{
	const struct row *row = *state;
	struct mount_stats st;
	char verdict[64];

	trace_enable(GSS_CALL, true);
	trace_enable(DECISION, true);
	mounted = NULL;
	mount_row(row);
	snprintf(verdict, sizeof(verdict), "p2pdma=%s", row->how->verdict);
	assert_true(trace_count("nfs_server_p2pdma", verdict) > 0);
	trace_enable(DECISION, false);
	assert_return_code(mount_stats_read(LAB_MOUNT, &st), 0);
	assert_int_equal(!!(st.caps & CAP_P2PDMA), allowed(row->how));
	assert_int_equal(pseudoflavor(), row->how->flavor);
	check_gss(true, row->how->gss_write);
	check_gss(false, row->how->gss_read);
	trace_enable(GSS_CALL, false);
	check_reason(row);
}

/* With a keytab, client IDs are managed by krb5i, whatever the mount says. */
static void test_clientid(void **state)
{
	const struct row *row = *state;

	trace_enable(GSS_CALL, true);
	mounted = NULL;
	mount_row(row);
	assert_true(trace_count("rpcgss_seqno", NULL) > 0);
	trace_enable(GSS_CALL, false);
}

/* One server, two flavors: each mount has its own answer. */
static void test_two_flavors(void **state)
{
	static const struct transfer p2p = { true, MEM_CMB, IO_AIO, 1UL << 20, 0 };
	static const char options[] = "vers=4.2,proto=rdma,port=20049,sec=krb5i,nosharecache";
	const struct row *row = *state;
	struct mount_stats st;

	mount_row(row);
	lab_mount_second(options, "lab.test:/");
	assert_return_code(mount_stats_read(LAB_SECOND, &st), 0);
	assert_false(st.caps & CAP_P2PDMA);
	transfer_served(&file, &p2p);
	lab_unmount_second();
	transfer_served(&file, &p2p);
}

static const struct row *new_row(const struct row *row)
{
	assert_true(nrows < MAX_ROWS);
	rows[nrows] = *row;
	return &rows[nrows++];
}

static void add(struct rows *tests, CMUnitTestFunction func, const struct row *row,
		const char *what)
{
	rows_add(tests,
		 (struct CMUnitTest){
			 .test_func = func,
			 .teardown_func = transfer_cleanup,
			 .initial_state = (void *)(uintptr_t)new_row(row),
		 },
		 "v%s %s %s", row->version, row->how->name, what);
}

static void add_transfers(struct rows *tests, struct row row)
{
	static const size_t lens[] = { 512, 1UL << 20 };

	for (int i = 0; i < 2 * MEM_KINDS * 2; i++) {
		struct transfer *t = &row.transfer;
		char what[80];

		t->write = i % 2;
		t->kind = i / 2 % MEM_KINDS;
		t->len = lens[i / 2 / MEM_KINDS];
		t->engine = i % IO_ENGINES;
		t->wrapping = wraps(row.how, t->write) ? GSS_TOKEN : 0;
		snprintf(what, sizeof(what), "%s %s %s %zu %s",
			 t->kind == MEM_RAM || allowed(row.how) ? "serves" : "refuses",
			 t->write ? "write" : "read", mem_name(t->kind), t->len,
			 io_engine_name(t->engine));
		add(tests, test_transfer, &row, what);
	}
}

int main(int argc, char **argv)
{
	static const char *const modules[] = { "modprobe", "-a", "nfs", "auth_rpcgss", NULL };
	struct rows tests = { 0 };
	int rc = lab_main_setup(argc, argv);

	if (rc)
		return rc;
	if (lab_run(modules))
		return 2;
	for (size_t w = 0; w < sizeof(ways) / sizeof(ways[0]); w++) {
		for (const char *const *v = ways[w].versions; *v; v++) {
			const struct row row = { .how = &ways[w], .version = *v };

			add(&tests, test_policy, &row, "capability, flavor, decision");
			if (ways[w].flavor == SYS && !strcmp(ways[w].verdict, "allowed"))
				add(&tests, test_clientid, &row, "krb5i for client IDs");
			add_transfers(&tests, row);
			if (!strcmp(ways[w].name, "krb5") && !strcmp(*v, "4.2"))
				add(&tests, test_two_flavors, &row, "beside a mount with krb5i");
		}
	}
	return rows_run(&tests, "security", nfsfile_leave);
}
