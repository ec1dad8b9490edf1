# SPDX-License-Identifier: GPL-2.0
# The front door. Everything is built below build/ and kept there, so that a
# second call is quick; BUILD=DIR puts it elsewhere.

KERNEL ?= 7.3
BUILD ?= $(CURDIR)/build
export BUILD

ROOT := $(BUILD)/root
TREE := $(BUILD)/kernel-tree/$(KERNEL)

help:
	@sed -n 's/^## //p' Makefile

## make demo           the main job, end to end, beside the stock kernel's failure
demo: lab
	@demo/run

## make test           every test; the last line is "N passed, N failed, N skipped"
test: lab
	@tests/run

## make test-debug     the tests on the debug kernel, in parts; goes on where it was stopped
test-debug: lab-debug
	@tests/run-debug

## make mutations      test the tests: take each gate out, a test must fail
mutations: lab
	@tests/e2e/mutations/run

## make unit-mutations the same for nfsp2p and its unit tests; needs no guest
unit-mutations: lab
	@tests/unit/mutations/run

## make series-build   does each patch compile by itself, in five configurations? (hours; goes on)
series-build: lab
	@tests/series/build --kernel $(KERNEL)

## make series-e2e     does the guest work after each patch? (hours; goes on where it was stopped)
series-e2e: lab
	@tests/series/e2e --kernel $(KERNEL)

## make fsx-long       a million operations of fsx (hours; goes on where it was stopped)
fsx-long: lab
	@tests/fsx-long

## make bench          what direct I/O and copies cost, in instructions, beside others (hours; goes on)
bench: lab
	@bench/run
	@bench/copies

## make bench-quick    the cells that the goals are about; fails if one has become dearer
bench-quick: lab
	@bench/run --quick

## make check          style and static checks of everything
check:
	@lab/prepare --check
	@tests/style/run

## make nfsp2p         the tool for users, for this machine: build/nfsp2p/nfsp2p
nfsp2p:
	@$(MAKE) -s -C tools/nfsp2p OUT=$(BUILD)/nfsp2p

## make fuzz           fuzz the parsers of nfsp2p: SECONDS=20 each
fuzz:
	@tests/fuzz/run $(SECONDS)

## make lab            what lab/vm needs: root, kernel, modules, drivers, programs
lab:
	@lab/prepare

## make lab-debug      also the debug kernel: half an hour and 3 GB, the first time
lab-debug:
	@lab/prepare --debug

## make deb            the Debian packages, in build/packages/debs; each built twice and compared
deb:
	@lab/root build "$(BUILD)/packages/build-root"
	@packaging/build-debs --root "$(BUILD)/packages/build-root" --out "$(BUILD)/packages/debs" --twice

## make test-packages  install them on a fresh Debian machine, boot it, remove them again
test-packages: lab deb
	@tests/packages/run

## make kernels        what the packages do on each kernel that Debian offers: a matrix
kernels: lab deb
	@tests/packages/kernels

## make kernel-tree    KERNEL=7.3: a git tree with the series applied, to work on
kernel-tree: series-exists
	@lab/prepare --kernel $(KERNEL) --source
	@packaging/kernel-tree make --series series/$(KERNEL) --tree $(TREE) \
		--source $(ROOT)/usr/src/linux-source-$(KERNEL).tar.xz

## make series         KERNEL=7.3: write the commits of that tree back to series/
series: series-exists
	@packaging/kernel-tree series --series series/$(KERNEL) --tree $(TREE)

series-exists:
	@[ -d series/$(KERNEL) ] || \
		{ echo "make: there is no series/$(KERNEL); KERNEL is one of: $$(ls series | xargs)" >&2; exit 1; }

## make clean          remove what was built
clean:
	@lab/prepare --clean

.PHONY: help demo test test-debug mutations series-build series-e2e fsx-long bench bench-quick check lab lab-debug deb \
	test-packages kernels kernel-tree series series-exists clean nfsp2p fuzz unit-mutations
