# SPDX-License-Identifier: GPL-2.0
# The front door. Everything is built below build/ (or $BUILD, if it is set in
# the environment) and kept there, so that a second call is quick.

KERNEL ?= 7.3

help:
	@sed -n 's/^## //p' Makefile

## make demo           the main job, end to end, beside the stock kernel's failure
demo: lab
	@demo/run

## make test           every test; the last line is "N passed, N failed, N skipped"
test: lab
	@tests/run

## make mutations      prove the tests: each must fail without the gate it guards
mutations: lab
	@tests/mutations

## make check          style and static checks of everything
check: lab-check
	@tests/style/run

## make lab            what lab/vm needs: root, kernel, modules, drivers, programs
lab:
	@lab/prepare

lab-check:
	@lab/prepare --check

## make kernel-tree    KERNEL=7.3: a git tree with the series applied, to work on
kernel-tree: lab
	@packaging/kernel-tree make $(KERNEL)

## make series         KERNEL=7.3: write the commits of that tree back to series/
series:
	@packaging/kernel-tree series $(KERNEL)

## make clean          remove what was built
clean:
	@lab/prepare --clean

.PHONY: help demo test mutations check lab lab-check kernel-tree series clean
