// SPDX-License-Identifier: GPL-2.0
/*
 * Does the I/O of the cells of a benchmark, on a mount that is there, with the
 * marks around it that the plugin counts by (../plugin/count.c).
 *
 * Reads a cell a line from standard input: MEMORY OPERATION BYTES DEPTH COUNT FILE;
 * writes a JSON object a line. Arguments, NAME=VALUE, become strings in each
 * object: what the caller knows about the mount.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <json-c/json.h>
#include <liburing.h>

#include "../../tests/lib/counters.h"
#include "../../tests/lib/lab.h"
#include "../mark.h"
#include "memory.h"
#include "slab.h"

#define FILE_NAME "bench"
/* More I/Os in flight than fit in here use the same buffers. */
#define BUFFERS_MAX (32UL << 20)
/* Four rounds to warm up, or one if it is large. */
#define WARM_MAX     (4UL << 20)
#define SLAB_BATCHES 2

/**
 * struct cell - one measurement
 * @memory:	where the buffers are, see memory.h
 * @write:	pwrite, else pread
 * @size:	bytes of an I/O
 * @depth:	I/Os in flight
 * @count:	number of I/Os, a multiple of @depth
 * @file:	bytes of the file, a multiple of @size
 * @buffers:	I/Os in flight that have a buffer of their own
 */
struct cell {
	struct memory memory;
	bool write;
	size_t size;
	unsigned int depth;
	unsigned int count;
	size_t file;
	unsigned int buffers;
};

/* struct seen - counters of the kernel and of the virtual NIC */
struct seen {
	struct nic_stats nic;
	struct mount_stats mount;
};

static void see(struct seen *seen)
{
	int rc = mount_stats_read(LAB_MOUNT, &seen->mount);

	if (rc)
		errx(1, "mountstats of %s: %s", LAB_MOUNT, strerror(-rc));
	rc = nic_stats_read(&seen->nic);
	if (rc)
		errx(1, "counters of the virtual NIC: %s", strerror(-rc));
}

/* The server's file has all its pages before anything is counted. */
static int file_open(size_t size)
{
	static char block[1 << 20];
	int fd = open(LAB_EXPORT "/" FILE_NAME, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0)
		err(1, "%s", LAB_EXPORT "/" FILE_NAME);
	for (size_t pos = 0; pos < size; pos += sizeof(block))
		if (pwrite(fd, block, sizeof(block), pos) != sizeof(block))
			err(1, "%s", LAB_EXPORT "/" FILE_NAME);
	close(fd);
	fd = open(LAB_MOUNT "/" FILE_NAME, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (fd < 0)
		err(1, "%s", LAB_MOUNT "/" FILE_NAME);
	return fd;
}

static void finished(const struct cell *cell, ssize_t done)
{
	if (done < 0)
		errx(1, "%s of %zu bytes, %s: %s", cell->write ? "write" : "read", cell->size,
		     cell->memory.name, strerror(-done));
	if ((size_t)done != cell->size)
		errx(1, "%s of %zu bytes, %s: only %zd", cell->write ? "write" : "read", cell->size,
		     cell->memory.name, done);
}

/* Where in the file the I/O with this number is. */
static off_t position(const struct cell *cell, unsigned int i)
{
	return i % (cell->file / cell->size) * cell->size;
}

static size_t buffer(const struct cell *cell, unsigned int i)
{
	return i % cell->buffers * cell->size;
}

static void one(const struct cell *cell, int fd, unsigned int i)
{
	unsigned char *buf = memory_io(&cell->memory, i, 0);
	off_t pos = position(cell, i);
	ssize_t done;

	if (cell->write) {
		memory_to_io(&cell->memory, 0, cell->size);
		done = pwrite(fd, buf, cell->size, pos);
	} else {
		done = pread(fd, buf, cell->size, pos);
		memory_from_io(&cell->memory, 0, cell->size);
	}
	finished(cell, done < 0 ? -errno : done);
}

/* A full queue, from the I/O with the number @first on. */
static void submit(const struct cell *cell, struct io_uring *ring, int fd, unsigned int first)
{
	for (unsigned int i = first; i < first + cell->depth; i++) {
		struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
		unsigned char *buf = memory_io(&cell->memory, i, buffer(cell, i));

		if (cell->write) {
			memory_to_io(&cell->memory, buffer(cell, i), cell->size);
			io_uring_prep_write(sqe, fd, buf, cell->size, position(cell, i));
		} else {
			io_uring_prep_read(sqe, fd, buf, cell->size, position(cell, i));
		}
		io_uring_sqe_set_data64(sqe, i);
	}
}

/* Wait until the queue is empty again. */
static void reap(const struct cell *cell, struct io_uring *ring)
{
	struct io_uring_cqe *cqe;

	for (unsigned int i = 0; i < cell->depth; i++) {
		int rc = io_uring_wait_cqe(ring, &cqe);

		if (rc)
			errx(1, "io_uring: %s", strerror(-rc));
		finished(cell, cqe->res);
		if (!cell->write)
			memory_from_io(&cell->memory, buffer(cell, cqe->user_data), cell->size);
		io_uring_cqe_seen(ring, cqe);
	}
}

static void ios(const struct cell *cell, struct io_uring *ring, int fd, unsigned int count)
{
	for (unsigned int i = 0; i < count; i += cell->depth) {
		if (cell->depth == 1) {
			one(cell, fd, i);
		} else {
			submit(cell, ring, fd, i);
			io_uring_submit_and_wait(ring, cell->depth);
			reap(cell, ring);
		}
	}
}

/* The most slab memory there is while I/O is in flight, in bytes. Not counted. */
static uint64_t slab_peak(const struct cell *cell, struct io_uring *ring, int fd)
{
	uint64_t most = 0;

	for (int n = 0; n < SLAB_BATCHES; n++) {
		submit(cell, ring, fd, n * cell->depth);
		io_uring_submit(ring);
		do {
			uint64_t now = slab_bytes();

			most = now > most ? now : most;
			usleep(20);
		} while (io_uring_cq_ready(ring) < cell->depth);
		reap(cell, ring);
	}
	return most;
}

static void add(struct json_object *o, const char *name, uint64_t value)
{
	json_object_object_add(o, name, json_object_new_uint64(value));
}

static void report(struct json_object *o, const struct cell *cell, const struct seen *before,
		   const struct seen *after)
{
	uint64_t bounced = cell->memory.bounce ? cell->count * cell->size : 0;

	json_object_object_add(o, "memory", json_object_new_string(cell->memory.name));
	json_object_object_add(o, "op", json_object_new_string(cell->write ? "write" : "read"));
	add(o, "size", cell->size);
	add(o, "depth", cell->depth);
	add(o, "count", cell->count);
	add(o, "file", cell->file);
	add(o, "neighbours", cell->memory.neighbours);
	add(o, "ram_bytes",
	    after->nic.ram_read + after->nic.ram_write - before->nic.ram_read -
		    before->nic.ram_write);
	add(o, "p2p_bytes",
	    after->nic.bus_read + after->nic.bus_write + after->nic.iommu_read +
		    after->nic.iommu_write - before->nic.bus_read - before->nic.bus_write -
		    before->nic.iommu_read - before->nic.iommu_write);
	add(o, "copied_bytes",
	    bounced + after->mount.pullup + after->mount.fixup - before->mount.pullup -
		    before->mount.fixup);
}

static void measure(const struct cell *cell, struct json_object *o)
{
	int fd = file_open(cell->file);
	struct seen before, after;
	struct io_uring ring;
	uint64_t slab;
	int rc;

	rc = io_uring_queue_init(cell->depth, &ring, 0);
	if (rc)
		errx(1, "io_uring: %s", strerror(-rc));
	slab_shrink();
	slab = slab_bytes();
	/* Everything that is allocated once and then kept: slots, MRs, caches. */
	ios(cell, &ring, fd, (cell->size * cell->depth > WARM_MAX ? 1 : 4) * cell->depth);
	see(&before);
	mark(MARK_BEGIN);
	ios(cell, &ring, fd, cell->count);
	mark(MARK_END);
	see(&after);
	report(o, cell, &before, &after);
	add(o, "slab_before", slab);
	add(o, "slab_peak", slab_peak(cell, &ring, fd));
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	fflush(stdout);
	io_uring_queue_exit(&ring);
	close(fd);
}

static void run_cell(const char *line, int argc, char **argv)
{
	struct json_object *o = json_object_new_object();
	struct cell cell = { 0 };
	char memory[32], op[8];

	if (sscanf(line, "%31s %7s %zu %u %u %zu", memory, op, &cell.size, &cell.depth, &cell.count,
		   &cell.file) != 6 ||
	    !cell.size || cell.size > BUFFERS_MAX || !cell.depth || cell.count % cell.depth ||
	    !cell.file || cell.file % cell.size)
		errx(2, "not MEMORY OPERATION BYTES DEPTH COUNT FILE: %s", line);
	cell.write = !strcmp(op, "write");
	cell.buffers = BUFFERS_MAX / cell.size;
	if (cell.buffers > cell.depth)
		cell.buffers = cell.depth;
	memory_map(&cell.memory, memory, cell.size * cell.buffers);
	for (int i = 1; i < argc; i++) {
		char name[32];
		size_t n = strcspn(argv[i], "=");

		snprintf(name, sizeof(name), "%.*s", (int)n, argv[i]);
		json_object_object_add(o, name, json_object_new_string(argv[i] + n + 1));
	}
	measure(&cell, o);
	memory_unmap(&cell.memory);
	json_object_put(o);
}

int main(int argc, char **argv)
{
	char line[128];

	for (int i = 1; i < argc; i++)
		if (!strchr(argv[i], '='))
			errx(2, "usage: cost [NAME=VALUE]... <CELLS");
	while (fgets(line, sizeof(line), stdin))
		run_cell(line, argc, argv);
	return 0;
}
