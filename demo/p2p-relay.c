// SPDX-License-Identifier: GPL-2.0
/*
 * p2p-relay - move a file through PCI peer-to-peer memory.
 *
 * The buffer is a mapping of a provider's p2pmem/allocate, so each O_DIRECT
 * read() and write() asks the kernel to let the two devices exchange the
 * payload directly.  Nothing is bounced here: if the kernel refuses, the
 * program stops and says so.  With "-" as destination the bytes are read
 * through the user mapping and sent to stdout, for a checksum.
 */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define ALIGNMENT 4096

struct options {
	const char *src;
	const char *dst;
	const char *provider;
	size_t block;
};

static const struct argp_option option_list[] = {
	{ "provider", 'p', "BDF", 0, "PCI device whose memory carries the payload", 0 },
	{ "block", 'b', "KIB", 0, "bytes in flight, in KiB (default 1024)", 0 },
	{ 0 }
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	char *end;

	switch (key) {
	case 'p':
		o->provider = arg;
		return 0;
	case 'b':
		errno = 0;
		o->block = strtoul(arg, &end, 10) * 1024;
		if (errno || *end || !o->block || o->block % ALIGNMENT)
			argp_error(state, "--block wants a multiple of 4, not '%s'", arg);
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num == 0)
			o->src = arg;
		else if (state->arg_num == 1)
			o->dst = arg;
		else
			return ARGP_ERR_UNKNOWN;
		return 0;
	case ARGP_KEY_END:
		if (!o->dst || !o->provider)
			argp_error(state, "SRC, DST and --provider are needed");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp parser = {
	option_list, parse_option,
	"SRC DST|-", "Copy SRC to DST through PCI peer-to-peer memory, without a bounce.",
	NULL,	     NULL,
	NULL
};

static void die(const char *what, const char *object)
{
	fprintf(stderr, "p2p-relay: %s %s: %s\n", what, object, strerror(errno));
	if (errno == EREMOTEIO)
		fprintf(stderr, "p2p-relay: the kernel cannot move this file's data peer-to-peer; "
				"nothing was bounced\n");
	exit(1);
}

/* p2pmem/allocate wants MAP_SHARED and offset 0 (drivers/pci/p2pdma.c). */
static void *map_provider(const char *bdf, size_t len)
{
	char path[256];
	void *p;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/p2pmem/allocate", bdf);
	fd = open(path, O_RDWR);
	if (fd < 0)
		die("cannot open", path);
	p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		die("cannot map", path);
	close(fd);
	return p;
}

/* The CPU reads its own mapping of the device: allowed, but slow on hardware. */
static void emit(const char *buf, size_t len)
{
	static char line[65536];

	while (len) {
		size_t n = len < sizeof(line) ? len : sizeof(line);

		memcpy(line, buf, n);
		if (fwrite(line, 1, n, stdout) != n)
			die("cannot write", "stdout");
		buf += n;
		len -= n;
	}
}

static void write_all(int fd, const char *path, const char *buf, size_t len, off_t pos)
{
	while (len) {
		ssize_t n = pwrite(fd, buf, len, pos);

		if (n < 0)
			die("cannot write", path);
		buf += n;
		pos += n;
		len -= n;
	}
}

int main(int argc, char **argv)
{
	struct options o = { .block = 1 << 20 };
	int in, out = -1;
	struct stat st;
	off_t pos = 0;
	char *buf;

	argp_parse(&parser, argc, argv, 0, NULL, &o);
	buf = map_provider(o.provider, o.block);

	in = open(o.src, O_RDONLY | O_DIRECT);
	if (in < 0 || fstat(in, &st))
		die("cannot open", o.src);
	if (strcmp(o.dst, "-")) {
		out = open(o.dst, O_WRONLY | O_CREAT | O_TRUNC | O_DIRECT, 0644);
		if (out < 0)
			die("cannot create", o.dst);
	}

	while (pos < st.st_size) {
		ssize_t n = pread(in, buf, o.block, pos);

		if (n < 0)
			die("cannot read", o.src);
		if (!n) {
			errno = EIO;
			die("file became shorter while reading", o.src);
		}
		if (out < 0)
			emit(buf, n);
		else
			write_all(out, o.dst, buf, n, pos);
		pos += n;
	}
	if (out >= 0 && (fsync(out) || close(out)))
		die("cannot finish", o.dst);
	if (out < 0 && fflush(stdout))
		die("cannot write", "stdout");
	close(in);
	munmap(buf, o.block);
	return 0;
}
