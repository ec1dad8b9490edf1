// SPDX-License-Identifier: GPL-2.0
/* Made-up machines: see faketree.h. */
#include "faketree.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/pci_regs.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/**
 * fake_open - begin an empty tree
 * @t:		filled in, to be given back with fake_close()
 */
void fake_open(struct faketree *t)
{
	*t = (struct faketree){ .root = "/tmp/faketree-XXXXXX" };
	assert_non_null(mkdtemp(t->root));
}

/**
 * fake_close - delete a tree
 * @t:		the tree
 */
void fake_close(struct faketree *t)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", t->root);
	assert_int_equal(system(command), 0);
}

/* Make the folders above a file; its whole name is left in @whole. */
static void make_place(const struct faketree *t, const char *path, char whole[PATH_MAX])
{
	snprintf(whole, PATH_MAX, "%s/%s", t->root, path);
	for (char *slash = whole + strlen(t->root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		if (mkdir(whole, 0755))
			assert_int_equal(errno, EEXIST);
		*slash = '/';
	}
}

static void write_file(const struct faketree *t, const char *path, const char *mode,
		       const char *format, va_list args)
{
	char whole[PATH_MAX];
	FILE *f;

	make_place(t, path, whole);
	f = fopen(whole, mode);
	assert_non_null(f);
	assert_true(vfprintf(f, format, args) >= 0);
	assert_int_equal(fclose(f), 0);
}

/**
 * fake_file - write a file, and the folders above it
 * @t:		the tree
 * @path:	below its root: "proc/cpuinfo"
 * @format:	as for printf(3): what is in it
 */
void fake_file(const struct faketree *t, const char *path, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_file(t, path, "w", format, args);
	va_end(args);
}

/**
 * fake_append - write to the end of a file
 * @t:		the tree
 * @path:	below its root
 * @format:	as for printf(3)
 */
void fake_append(const struct faketree *t, const char *path, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_file(t, path, "a", format, args);
	va_end(args);
}

/**
 * fake_bytes - write a file of any bytes
 * @t:		the tree
 * @path:	below its root
 * @data:	what is in it
 * @n:		how many bytes
 */
void fake_bytes(const struct faketree *t, const char *path, const void *data, unsigned long n)
{
	char whole[PATH_MAX];
	FILE *f;

	make_place(t, path, whole);
	f = fopen(whole, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

/**
 * fake_link - make a symbolic link
 * @t:		the tree
 * @path:	below its root
 * @target:	where it leads
 */
void fake_link(const struct faketree *t, const char *path, const char *target)
{
	char whole[PATH_MAX];

	make_place(t, path, whole);
	unlink(whole);
	assert_int_equal(symlink(target, whole), 0);
}

/**
 * fake_kernel - a kernel with its NFS modules loaded
 * @t:		the tree
 * @release:	as uname -r has it
 * @series:	its nfs can do P2PDMA
 */
void fake_kernel(const struct faketree *t, const char *release, bool series)
{
	fake_file(t, "proc/sys/kernel/osrelease", "%s\n", release);
	fake_file(t, "proc/cmdline", "root=/dev/sda1 quiet\n");
	fake_file(t, "sys/module/nfs/srcversion", "0123456789ABCDEF\n");
	fake_file(t, "sys/module/nfs/taint", "%s\n", series ? "OE" : "");
	fake_file(t, "sys/module/rpcrdma/srcversion", "FEDCBA9876543210\n");
	if (series)
		fake_file(t, "sys/module/nfs/parameters/p2pdma", "Y\n");
}

/**
 * fake_cpu - the CPU
 * @t:		the tree
 * @vendor:	"AuthenticAMD", "GenuineIntel"
 * @family:	its number
 * @model:	what it is called
 */
void fake_cpu(const struct faketree *t, const char *vendor, unsigned int family, const char *model)
{
	fake_file(t, "proc/cpuinfo", "%s", "");
	for (int i = 0; i < 2; i++)
		fake_append(t, "proc/cpuinfo",
			    "processor\t: %d\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: 1\n"
			    "model name\t: %s\n\n",
			    i, vendor, family, model);
}

static void put16(unsigned char *at, unsigned int value)
{
	at[0] = (unsigned char)value;
	at[1] = (unsigned char)(value >> 8);
}

static void make_config(const struct fake_pci *f, unsigned char config[4096])
{
	static const unsigned int types[] = {
		[FAKE_ENDPOINT] = PCI_EXP_TYPE_ENDPOINT,
		[FAKE_ROOT_PORT] = PCI_EXP_TYPE_ROOT_PORT,
		[FAKE_SWITCH_PORT] = PCI_EXP_TYPE_DOWNSTREAM,
	};

	put16(config + PCI_VENDOR_ID, f->vendor);
	put16(config + PCI_DEVICE_ID, f->device);
	if (f->port == FAKE_OLD_PCI)
		return;
	/* A capability in front, so that the list has to be followed. */
	put16(config + PCI_STATUS, PCI_STATUS_CAP_LIST);
	config[PCI_CAPABILITY_LIST] = 0x40;
	config[0x40] = PCI_CAP_ID_PM;
	config[0x41] = 0x60;
	config[0x60] = PCI_CAP_ID_EXP;
	put16(config + 0x62, types[f->port] << 4 | 2);
	/* The same for the extended ones: AER first. */
	put16(config + 0x100, PCI_EXT_CAP_ID_ERR);
	put16(config + 0x102, f->acs == NO_ACS ? 1 : 0x148 << 4 | 1);
	if (f->acs == NO_ACS)
		return;
	put16(config + 0x148, PCI_EXT_CAP_ID_ACS);
	put16(config + 0x14a, 1);
	put16(config + 0x148 + PCI_ACS_CAP, 0x5f);
	put16(config + 0x148 + PCI_ACS_CTRL, (unsigned int)f->acs);
}

/**
 * fake_pci - add a PCI function
 * @t:		the tree
 * @f:		the function
 */
void fake_pci(const struct faketree *t, const struct fake_pci *f)
{
	const char *bdf = strrchr(f->path, '/') + 1;
	unsigned char config[4096] = { 0 };
	char path[512], target[512];

	snprintf(path, sizeof(path), "sys/devices/%s/vendor", f->path);
	fake_file(t, path, "0x%04x\n", f->vendor);
	snprintf(path, sizeof(path), "sys/devices/%s/device", f->path);
	fake_file(t, path, "0x%04x\n", f->device);
	snprintf(path, sizeof(path), "sys/devices/%s/numa_node", f->path);
	fake_file(t, path, "0\n");
	snprintf(path, sizeof(path), "sys/devices/%s/config", f->path);
	make_config(f, config);
	fake_bytes(t, path, config, f->user ? 64 : f->port == FAKE_OLD_PCI ? 256 : 4096);
	if (f->driver) {
		snprintf(path, sizeof(path), "sys/devices/%s/driver", f->path);
		snprintf(target, sizeof(target), "../../../bus/pci/drivers/%s", f->driver);
		fake_link(t, path, target);
	}
	if (f->iommu) {
		snprintf(path, sizeof(path), "sys/devices/%s/iommu_group/type", f->path);
		fake_file(t, path, "%s\n", f->iommu);
	}
	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s", bdf);
	snprintf(target, sizeof(target), "../../../devices/%s", f->path);
	fake_link(t, path, target);
}

/**
 * fake_p2pmem - make a PCI function a provider
 * @t:		the tree
 * @path:	of the function, as in &struct fake_pci
 * @size:	of its memory in bytes; all but one page is free
 * @published:	may others use it?
 */
void fake_p2pmem(const struct faketree *t, const char *path, uint64_t size, bool published)
{
	char file[512];

	snprintf(file, sizeof(file), "sys/devices/%s/p2pmem/size", path);
	fake_file(t, file, "%" PRIu64 "\n", size);
	snprintf(file, sizeof(file), "sys/devices/%s/p2pmem/available", path);
	fake_file(t, file, "%" PRIu64 "\n", size - 4096);
	snprintf(file, sizeof(file), "sys/devices/%s/p2pmem/published", path);
	fake_file(t, file, "%d\n", published);
	snprintf(file, sizeof(file), "sys/devices/%s/p2pmem/allocate", path);
	fake_file(t, file, "%s", "");
}

/**
 * fake_rnic - add an RDMA device, with connections to the server of fake_mount()
 * @t:		the tree
 * @name:	what it is called
 * @path:	of its PCI function, NULL for a virtual device
 */
void fake_rnic(const struct faketree *t, const char *name, const char *path)
{
	char link[256], target[600];

	snprintf(link, sizeof(link), "sys/class/infiniband/%s", name);
	snprintf(target, sizeof(target), "../../devices/%s/infiniband/%s", path ? path : "virtual",
		 name);
	fake_link(t, link, target);
	snprintf(link, sizeof(link), "sys/devices/%s/infiniband/%s/ports/1/state",
		 path ? path : "virtual", name);
	fake_file(t, link, "4: ACTIVE\n");
	fake_append(t, "rdma-connections", "%s rpcrdma 192.0.2.1 20049\n", name);
}

static void write_stats(const struct faketree *t, const struct fake_mount *m)
{
	static const char stats[] = "proc/self/mountstats";

	fake_append(t, stats,
		    "device 192.0.2.1:/export mounted on %s with fstype nfs4 statvers=1.1\n",
		    m->target);
	fake_append(t, stats,
		    "\topts:\trw,vers=4.2,rsize=1048576,wsize=524288,namlen=255,proto=%s,sec=%s\n"
		    "\tage:\t7\n\tcaps:\tcaps=0x%" PRIx64 ",wtmult=512\n"
		    "\tnfsv4:\tbm0=0xf8f3b77e,acl=0x3,sessions,pnfs=%s,lease_time=10\n"
		    "\tsec:\tflavor=1,pseudoflavor=1\n",
		    m->proto, m->sec ? m->sec : "sys", m->caps,
		    m->pnfs ? m->pnfs : "not configured");
	if (strcmp(m->proto, "rdma")) {
		fake_append(t, stats, "\txprt:\t%s 0 0 1 0 24 8 8 0 8 0 2 0 0\n", m->proto);
		return;
	}
	/* 27 columns, of which 15 and 16 count what the CPU copied. */
	fake_append(t, stats,
		    "\txprt:\trdma 0 0 1 0 24 9 9 0 9 0 1 1 0 1 1 100 20 0 0 0 0 0 0 0 0 0 0");
	if (m->p2pdma >= 0)
		fake_append(t, stats, " %d %" PRIu64 " 2048 3", m->p2pdma, m->read);
	fake_append(t, stats, "\n\tper-op statistics\n\t        NULL: 1 1 0 44 24 0 0 0 0\n\n");
}

/**
 * fake_mount - add a mount of 192.0.2.1:/export
 * @t:		the tree
 * @m:		the mount
 */
void fake_mount(struct faketree *t, const struct fake_mount *m)
{
	const unsigned int minor = 40 + t->mounts++;
	char path[128], target[64];

	if (minor == 40) {
		fake_file(t, "proc/self/mountinfo", "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n");
		fake_file(t, "proc/self/mountstats",
			  "device /dev/sda1 mounted on / with fstype ext4\n");
	}
	fake_append(t, "proc/self/mountinfo",
		    "%u 22 0:%u / %s rw,relatime shared:1 - nfs4 192.0.2.1:/export rw,vers=4.2\n",
		    100 + minor, minor, m->target);
	write_stats(t, m);
	snprintf(path, sizeof(path), "sys/fs/nfs/0:%u/localio", minor);
	fake_file(t, path, "%d\n", m->localio);
	snprintf(path, sizeof(path), "sys/fs/nfs/0:%u/nfs_client", minor);
	snprintf(target, sizeof(target), "../../../kernel/sunrpc/rpc-clients/clnt-%u", minor);
	fake_link(t, path, target);
	snprintf(path, sizeof(path), "sys/kernel/sunrpc/rpc-clients/clnt-%u/switch", minor);
	fake_link(t, path, "../../xprt-switches/switch-0");
	snprintf(path, sizeof(path), "sys/kernel/sunrpc/xprt-switches/switch-0/xprt-0-%s",
		 m->proto);
	snprintf(path + strlen(path), sizeof(path) - strlen(path), "/dstaddr");
	fake_file(t, path, "192.0.2.1\n");
	snprintf(path, sizeof(path), "sys/kernel/sunrpc/xprt-switches/switch-0/xprt-0-%s/xprt_info",
		 m->proto);
	fake_file(t, path, "last_used=1\nmain_xprt=1\ndst_port=20049\n");
}
