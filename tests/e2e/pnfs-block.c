// SPDX-License-Identifier: GPL-2.0
/*
 * With block and SCSI layouts, the client itself reads and writes the server's disk,
 * which is a loop device or a SCSI disk of this machine here.  It clears holes by CPU,
 * and nobody asks whether the disk reaches the memory.  So peer-to-peer memory is
 * refused, of mounts whose layouts work: RAM goes by the disk, without a READ or WRITE.
 */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/evidence.h"
#include "../lib/lab.h"
#include "../lib/pattern.h"
#include "../lib/rows.h"
#include "../lib/trace.h"
#include "../lib/transfer.h"

#define FILE_SIZE (2UL << 20)
#define BLOCK	  (64UL << 10)
#define SECTOR	  512 /* bytes: what the statistics of a disk count */
#define OLD_SEED  101
#define NEW_SEED  102

/**
 * struct row - one kind of mount
 * @version:	NFS version
 * @layout:	as lab-nfs calls it
 * @driver:	as the client's mountstats call it
 */
struct row {
	const char *version;
	const char *layout;
	const char *driver;
};

static struct nfsfile file = NFSFILE_CLOSED;
static struct membuf buf;
static const struct row *mounted;

static void mount_layout(const struct row *row)
{
	const char *const extra[] = { "--pnfs", row->layout, NULL };

	if (row == mounted)
		return;
	mounted = NULL;
	nfsfile_close(&file);
	if (lab_mount_with(row->version, "rdma", extra))
		fail_msg("lab-nfs up --pnfs %s failed", row->layout);
	nfsfile_open(&file, "pnfs-block", FILE_SIZE);
	mounted = row;
}

static struct mount_stats stats(void)
{
	struct mount_stats st;

	assert_int_equal(mount_stats_read(LAB_MOUNT, &st), 0);
	return st;
}

/* Sectors that were read from the server's disk; Documentation/block/stat.rst */
static uint64_t sectors_read(void)
{
	uint64_t sectors;
	struct stat st;
	char path[64];
	FILE *f;

	assert_return_code(stat(LAB_EXPORT, &st), errno);
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/stat", major(st.st_dev),
		 minor(st.st_dev));
	f = fopen(path, "re");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%*u %*u %" SCNu64, &sectors), 1);
	fclose(f);
	return sectors;
}

static void alloc(enum mem_kind kind, size_t size)
{
	int rc = membuf_alloc(&buf, kind, size);

	if (rc)
		fail_msg("no %s buffer: %s", mem_name(kind), strerror(-rc));
}

static void test_ram(void **state)
{
	struct mount_stats before, after;
	uint64_t sectors;

	mount_layout(*state);
	before = stats();
	transfer_ram_mix(&file);
	nfsfile_server_fill(&file, FILE_SIZE, OLD_SEED, 0);
	alloc(MEM_RAM, FILE_SIZE);
	sectors = sectors_read();
	assert_int_equal(io_one(IO_SYNC, false, file.client, buf.data, FILE_SIZE, 0), FILE_SIZE);
	sectors = sectors_read() - sectors;
	nfsfile_buffer_check(buf.data, FILE_SIZE, OLD_SEED, 0, "RAM buffer");
	assert_int_equal(sectors, FILE_SIZE / SECTOR);
	after = stats();
	assert_int_equal(after.read.ops, before.read.ops);
	assert_int_equal(after.write.ops, before.write.ops);
	assert_true(after.layoutget.ops > before.layoutget.ops);
}

static void test_refused(void **state)
{
	const struct row *row = *state;
	struct mount_stats before, after;
	int traced;

	mount_layout(row);
	before = stats();
	assert_string_equal(before.pnfs, row->driver);
	assert_false(before.caps & CAP_P2PDMA);
	trace_enable("nfs/nfs_p2pdma", true);
	transfer_p2p_mix(&file, false);
	traced = trace_count("nfs_p2pdma", "p2pdma=layout");
	trace_enable("nfs/nfs_p2pdma", false);
	assert_int_equal(traced, 4);
	after = stats();
	assert_int_equal(after.layoutget.ops, before.layoutget.ops);
	transfer_ram_mix(&file);
}

/* Every other block is a hole: what is read there is cleared by CPU. */
static void make_holes(void)
{
	assert_return_code(ftruncate(file.server, 0), errno);
	assert_return_code(ftruncate(file.server, FILE_SIZE), errno);
	for (size_t pos = 0; pos < FILE_SIZE; pos += 2 * BLOCK)
		nfsfile_server_fill(&file, BLOCK, OLD_SEED, pos);
}

static void check_holes(void)
{
	struct mismatch bad;

	for (size_t pos = 0; pos < FILE_SIZE; pos += 2 * BLOCK) {
		nfsfile_buffer_check(buf.data + pos, BLOCK, OLD_SEED, pos, "RAM buffer");
		if (!pattern_is_byte(buf.data + pos + BLOCK, BLOCK, 0, &bad))
			fail_msg("no zero at %" PRIu64 " of the hole at %zu", bad.pos, pos + BLOCK);
	}
}

static void test_holes(void **state)
{
	mount_layout(*state);
	make_holes();
	alloc(MEM_BAR, FILE_SIZE);
	pattern_fill(buf.data, FILE_SIZE, NEW_SEED, 0);
	assert_int_equal(io_one(IO_SYNC, false, file.client, buf.data, FILE_SIZE, 0), -EREMOTEIO);
	nfsfile_buffer_check(buf.data, FILE_SIZE, NEW_SEED, 0, "refused buffer");
	membuf_free(&buf);
	alloc(MEM_RAM, FILE_SIZE);
	pattern_fill(buf.data, FILE_SIZE, NEW_SEED, 0);
	assert_int_equal(io_one(IO_SYNC, false, file.client, buf.data, FILE_SIZE, 0), FILE_SIZE);
	check_holes();
	pattern_fill(buf.data, FILE_SIZE, NEW_SEED, 0);
	assert_int_equal(io_one(IO_SYNC, true, file.client, buf.data, FILE_SIZE, 0), FILE_SIZE);
	/* LAYOUTCOMMIT: up to then, the server takes new blocks for unwritten. */
	assert_return_code(fsync(file.client), errno);
	nfsfile_server_check(&file, FILE_SIZE, NEW_SEED, 0);
}

/* RAM from @base bytes into a page on, at @pos of the file. */
static void odd(bool write, size_t base, size_t pos, size_t len)
{
	unsigned char *data = buf.data + base;

	nfsfile_server_fill(&file, FILE_SIZE, OLD_SEED, 0);
	pattern_fill(data, len, NEW_SEED, pos);
	assert_int_equal(io_one(IO_SYNC, write, file.client, data, len, (off_t)pos), len);
	assert_return_code(fsync(file.client), errno);
	nfsfile_server_check(&file, pos, OLD_SEED, 0);
	nfsfile_server_check(&file, len, write ? NEW_SEED : OLD_SEED, pos);
	nfsfile_server_check(&file, FILE_SIZE - pos - len, OLD_SEED, pos + len);
	nfsfile_buffer_check(data, len, write ? NEW_SEED : OLD_SEED, pos, "RAM buffer");
}

/*
 * The layout driver takes whole pages and sectors, wherever a request begins in
 * memory; all others have to go to the server.
 */
static void test_odd(void **state)
{
	static const size_t places[][2] = {
		{ 512, 0 }, { 100, 0 }, { 0, 512 }, { 512, 4096 }, { 512, 512 }, { 1, 3 },
	};
	const size_t lens[] = { BLOCK, 3 * BLOCK + 4001 };

	mount_layout(*state);
	alloc(MEM_RAM, FILE_SIZE);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		for (int j = 0; j < 4; j++)
			odd(j % 2, places[i][0], places[i][1], lens[j / 2]);
	}
}

static int cleanup(void **state)
{
	membuf_free(&buf);
	return transfer_cleanup(state);
}

static void add_kind(struct rows *rows, const struct row *row)
{
	/* The version makes no difference to the later ones. */
	static const struct {
		const char *name;
		CMUnitTestFunction func;
		const char *version;
	} tests[] = {
		{ "serves RAM by the disk", test_ram, NULL },
		{ "refuses peer-to-peer memory", test_refused, NULL },
		{ "refuses to clear holes in peer-to-peer memory", test_holes, "4.2" },
		{ "serves RAM at odd places", test_odd, "4.2" },
	};

	for (size_t t = 0; t < sizeof(tests) / sizeof(tests[0]); t++) {
		const struct CMUnitTest test = {
			.test_func = tests[t].func,
			.teardown_func = cleanup,
			.initial_state = (void *)(uintptr_t)row,
		};

		if (!tests[t].version || !strcmp(tests[t].version, row->version))
			rows_add(rows, test, "v%s %s layout: %s", row->version, row->layout,
				 tests[t].name);
	}
}

int main(int argc, char **argv)
{
	static const struct row kinds[] = {
		{ "4.1", "block", "LAYOUT_BLOCK_VOLUME" },
		{ "4.2", "block", "LAYOUT_BLOCK_VOLUME" },
		{ "4.1", "scsi", "LAYOUT_SCSI" },
		{ "4.2", "scsi", "LAYOUT_SCSI" },
	};
	int rc = lab_main_setup(argc, argv);
	struct rows rows = { 0 };

	if (rc)
		return rc;
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
		add_kind(&rows, &kinds[k]);
	return rows_run(&rows, "pnfs-block", nfsfile_leave);
}
