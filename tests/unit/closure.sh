#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Which modules does a series rebuild? On a made-up tree. One too few cannot be
# loaded, or works with structures that are not the ones of the others. Prints TAP.
# shellcheck disable=SC2317 # functions are called through others
set -euo pipefail

here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
# shellcheck source=tests/lib/tap.sh
. "$here/../lib/tap.sh"
for part in source closure; do
	# shellcheck source=/dev/null
	. "$here/../../packaging/lib/$part.sh"
done
WORK=$(mktemp -d)
TAP_LOG=$WORK/tap
trap 'rm -rf "$WORK"' EXIT
readonly MODULES=(net/sunrpc/sunrpc net/sunrpc/rdma fs/lockd/lockd fs/nfs/nfs fs/nfs/layout fs/nfs_common/grace fs/nfsd/nfsd)

# What Debian ships is not asked here, and what is changed is said by the tests.
stack_modules() { printf '%s\n' "${MODULES[@]}"; }
list_patches() { printf '%s\n' "${CHANGED[@]}"; }
changed_files() { list_patches; }

# file TREE PATH [INCLUDE]...
file() {
	local path=$WORK/$1/$2

	shift 2
	mkdir -p "$(dirname "$path")"
	printf '#include %s\n' "$@" >"$path"
}

# module PATH SOURCE...: what kbuild says that it is made of.
module() {
	local name=$WORK/tree/$1.mod

	shift
	printf "$WORK/tree/%s\n" "$@" >"$name"
}

# rebuilt CHANGED...: the modules that follow from it, in one line.
rebuilt() {
	CHANGED=("$@")
	affected_modules | cut -f 1 | xargs
}

# reason MODULE CHANGED...
reason() {
	local module=$1

	shift
	CHANGED=("$@")
	affected_modules | sed -n "s|^$module\t||p"
}

for tree in pristine tree; do
	file $tree include/linux/sunrpc/xprt.h '<linux/types.h>'
	file $tree include/linux/types.h '<linux/none.h>'
	file $tree include/linux/nfs_page.h '<linux/list.h>'
	file $tree net/sunrpc/sunrpc_syms.c '<linux/sunrpc/xprt.h>'
	file $tree net/sunrpc/rdma.c '<linux/sunrpc/xprt.h>' '<linux/other_nfs_page.h>'
	file $tree fs/lockd/lockd.h '<linux/sunrpc/xprt.h>'
	file $tree fs/lockd/host.c '"lockd.h"'
	file $tree fs/nfs/internal.h '<linux/nfs_page.h>'
	file $tree fs/nfs/direct.c '"internal.h"' '<linux/sunrpc/xprt.h>'
	file $tree fs/nfs/layout/layout.c '"../internal.h"'
	file $tree fs/nfs_common/grace.c '<linux/types.h>'
	file $tree fs/nfsd/vfs.c '<linux/sunrpc/xprt.h>'
done
module net/sunrpc/sunrpc net/sunrpc/sunrpc_syms.o
module net/sunrpc/rdma net/sunrpc/rdma.o
module fs/lockd/lockd fs/lockd/host.o
module fs/nfs/nfs fs/nfs/direct.o
module fs/nfs/layout fs/nfs/layout/layout.o
module fs/nfs_common/grace fs/nfs_common/grace.o
module fs/nfsd/nfsd fs/nfsd/vfs.o

# They use exports of sunrpc, which are in our namespace from then on.
anchored='fs/lockd/lockd fs/nfs/nfs fs/nfsd/nfsd net/sunrpc/rdma net/sunrpc/sunrpc'
same "a source of one module: also sunrpc, and all that use it" "$anchored" "$(rebuilt fs/nfs/direct.c)"
same "documentation: the same" "$anchored" "$(rebuilt Documentation/nfs.rst)"
same "a header: also what includes it through another, by a path that goes up" \
	"fs/lockd/lockd fs/nfs/layout fs/nfs/nfs fs/nfsd/nfsd net/sunrpc/rdma net/sunrpc/sunrpc" \
	"$(rebuilt include/linux/nfs_page.h)"
same "a header of a header of sunrpc: also what has nothing to do with sunrpc" \
	"fs/lockd/lockd fs/nfs/nfs fs/nfs_common/grace fs/nfsd/nfsd net/sunrpc/rdma net/sunrpc/sunrpc" \
	"$(rebuilt include/linux/types.h)"
same "why: the source itself" "fs/nfs/direct.c is changed" "$(reason fs/nfs/nfs fs/nfs/direct.c include/linux/nfs_page.h)"
same "why: a header" "fs/nfs/layout/layout.c uses include/linux/nfs_page.h, which is changed" \
	"$(reason fs/nfs/layout include/linux/nfs_page.h)"
same "why: sunrpc" "fs/lockd/host.c uses sunrpc, which is rebuilt" "$(reason fs/lockd/lockd fs/nfs/direct.c)"
same "a name that only ends in the same way is another file" "net/sunrpc/rdma.c uses sunrpc, which is rebuilt" \
	"$(reason net/sunrpc/rdma include/linux/nfs_page.h)"
file tree fs/nfs_common/grace.c '<linux/nfs_page.h>'
check "an include that a patch adds counts" grep -qw fs/nfs_common/grace <(rebuilt include/linux/nfs_page.h)
file tree fs/nfs/layout/layout.c '<linux/none.h>'
check "one that a patch takes away does as well" grep -qw fs/nfs/layout <(rebuilt include/linux/nfs_page.h)
CHANGED=()
list_patches() { :; }
same "no patch: the whole stack, to prove the builder" "$(stack_modules | sort)" "$(affected_modules | cut -f 1 | sort)"
tap_end
