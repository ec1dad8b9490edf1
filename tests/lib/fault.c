// SPDX-License-Identifier: GPL-2.0
/*
 * Two ways to have an allocation fail, both of the kernel's fault-injection.rst:
 * the Nth one of the calling thread, or one that is made below some function,
 * whichever thread calls that.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fault.h"
#include "lab.h"

#define FAIL_NTH "/proc/thread-self/fail-nth"
#define FAILSLAB "/sys/kernel/debug/failslab/"
#define BUILT_IN "the kernel" /* what is in no module */

static int nth = -1;

/**
 * fault_enter - prepare for failures; none happens yet
 *
 * The modules sunrpc and the like have to be loaded.
 *
 * Return: 0, or 1 with the reason on stderr.
 */
int fault_enter(void)
{
	static const char *const settings[][2] = {
		{ FAILSLAB "ignore-gfp-wait", "N" },
		{ FAILSLAB "verbose", "0" },
		{ FAILSLAB "task-filter", "N" },
		{ FAILSLAB "interval", "1" },
		{ "/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N" },
		{ "/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem", "N" },
		{ "/sys/kernel/debug/fail_page_alloc/min-order", "0" },
		{ "/sys/kernel/debug/fail_page_alloc/verbose", "0" },
		/* No allocation, but a connection. */
		{ "/sys/kernel/debug/fail_sunrpc/ignore-client-disconnect", "Y" },
		{ "/sys/kernel/debug/fail_sunrpc/ignore-server-disconnect", "Y" },
		{ "/sys/kernel/debug/fail_sunrpc/ignore-cache-wait", "Y" },
	};

	nth = open(FAIL_NTH, O_RDWR | O_CLOEXEC);
	if (nth < 0) {
		perror("this kernel injects no faults: run it with lab/vm --debug: " FAIL_NTH);
		return 1;
	}
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		lab_put(settings[i][0], settings[i][1]);
	return 0;
}

/**
 * fault_arm - have an allocation of this thread fail
 * @n: which from here on, counted from 1; 0: none
 */
void fault_arm(unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	assert_int_equal(pwrite(nth, text, len, 0), len);
}

/**
 * fault_disarm - end what fault_arm() began
 *
 * Return: did it get that far?
 */
bool fault_disarm(void)
{
	char left[16] = "";

	assert_true(pread(nth, left, sizeof(left) - 1, 0) > 0);
	fault_arm(0);
	return atoi(left) == 0;
}

static void put_number(const char *path, const char *format, uint64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), format, value);
	lab_put(path, text);
}

/*
 * find_function - where is the code of @function?
 *
 * It ends where the next symbol begins.  /proc/kallsyms has no order.
 */
static void find_function(const char *function, const char *module, uint64_t *start, uint64_t *end)
{
	char line[512], name[256], owner[64];
	uint64_t address;

	*start = 0;
	for (int pass = 0; pass < 2; pass++) {
		FILE *symbols = fopen("/proc/kallsyms", "re");

		assert_non_null(symbols);
		*end = UINT64_MAX;
		while (fgets(line, sizeof(line), symbols)) {
			strcpy(owner, BUILT_IN);
			if (sscanf(line, "%lx %*c %255s [%63[^]]]", &address, name, owner) < 2)
				continue;
			if (!pass && !strcmp(name, function) && !strcmp(owner, module))
				*start = address;
			if (address > *start && address < *end)
				*end = address;
		}
		fclose(symbols);
		if (!*start)
			fail_msg("%s has no function %s", module, function);
	}
}

/* Write where @function is to the files of failslab that begin with @what. */
static void put_function(const char *what, const char *function, const char *module)
{
	char path[128];
	uint64_t start, end;

	find_function(function, module, &start, &end);
	snprintf(path, sizeof(path), FAILSLAB "%s-start", what);
	put_number(path, "0x%lx", start);
	snprintf(path, sizeof(path), FAILSLAB "%s-end", what);
	put_number(path, "0x%lx", end);
}

/**
 * fault_aim - say where allocations are made that are to fail
 * @function:	one that is not inlined; NULL: anywhere
 * @module:	where it is; it has to stay loaded
 *
 * It is what fault_arm_below() goes by, and a limit to fault_arm().
 */
void fault_aim(const char *function, const char *module)
{
	if (!function) {
		lab_put(FAILSLAB "require-start", "0");
		lab_put(FAILSLAB "require-end", "0xffffffffffffffff");
		lab_put(FAILSLAB "reject-start", "0");
		lab_put(FAILSLAB "reject-end", "0");
		return;
	}
	put_function("require", function, module);
	/* DMA_API_DEBUG gives up when it gets no memory, and says so as an error. */
	put_function("reject", "add_dma_entry", BUILT_IN);
}

/**
 * fault_arm_below - have one allocation from the slabs fail in a call of that function
 * @bytes:	so many, about, may be had before
 */
void fault_arm_below(size_t bytes)
{
	put_number(FAILSLAB "space", "%lu", bytes);
	lab_put(FAILSLAB "times", "1");
	lab_put(FAILSLAB "probability", "100");
}

/**
 * fault_disarm_below - end what fault_arm_below() began
 *
 * Return: did it get that far?
 */
bool fault_disarm_below(void)
{
	char left[16] = "";
	int times;

	lab_put(FAILSLAB "probability", "0");
	times = open(FAILSLAB "times", O_RDONLY | O_CLOEXEC);
	assert_true(times >= 0 && read(times, left, sizeof(left) - 1) > 0);
	close(times);
	return atoi(left) == 0;
}
