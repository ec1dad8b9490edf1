# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What each rebuilt module says of itself, and what keeps sets apart.
#
# Debian's 7.3 has CONFIG_MODVERSIONS off, so nothing in the kernel would notice
# that two modules were compiled with different layouts of one structure. Two
# things make the loader refuse it (kernel/module/main.c of 7.3):
#   - All exports of rebuilt modules are in the symbol namespace NFS_P2PDMA. A stock
#     module does not import it: verify_namespace_is_imported() ends with EINVAL.
#   - Every rebuilt module refers to an anchor that only the sunrpc of the same
#     series exports: with another one, or the stock one, resolve_symbol() finds
#     nothing, and the module is not loaded ("Unknown symbol").
# One anchor is enough, because every module of the stack needs sunrpc.

readonly NAMESPACE=NFS_P2PDMA
readonly IDENTITY=include/linux/nfs-p2pdma-identity.h

# series_id: what the series makes of the kernel, as 12 hex digits. A patch on
# top counts if it changes a header, which other modules may include; one that
# changes C files only gives modules that go together with the others'.
series_id() {
	local patch

	{
		list_series
		while read -r patch; do
			! code_of "$patch" | grep -q '^+++ .*\.h$' || echo "$patch"
		done < <(list_extras)
	} | while read -r patch; do
		# The changes, not what is said about them.
		code_of "$patch" | awk '/^(diff --git|---) / { diff = 1 } diff && /^([-+@ ]|diff )/'
	done | sha256sum | cut -c 1-12
}

# source_version: the version of Debian's package that the sources are from.
source_version() {
	# shellcheck disable=SC2016 # a format of dpkg-query
	dpkg-query -W -f '${source:Version}' "$(basename "$TARBALL" .tar.xz)" 2>/dev/null || echo unknown
}

# write_identity TREE: the header, and an #include of it at the end of the one
# file of each module that has its licence. In sunrpc it defines the anchor.
write_identity() {
	local tree=$1 id file

	id=$(series_id)
	cat >"$tree/$IDENTITY" <<C
/* SPDX-License-Identifier: GPL-2.0 */
/* Written by $PROG: see packaging/lib/identity.sh. */
#include <linux/module.h>

MODULE_VERSION("$VERSION+$id");
MODULE_INFO(nfs_p2pdma_series, "$id");
MODULE_INFO(nfs_p2pdma_source, "$(basename "$TARBALL" .tar.xz) $(source_version)");
MODULE_INFO(import_ns, "$NAMESPACE");

extern const char nfs_p2pdma_series_${id}[];
#ifdef NFS_P2PDMA_ANCHOR
const char nfs_p2pdma_series_${id}[] = "$id";
EXPORT_SYMBOL_GPL(nfs_p2pdma_series_$id);
#else
static const char *const nfs_p2pdma_series __used = nfs_p2pdma_series_$id;
#endif
C
	while read -r file; do
		{
			[[ "$file" != net/sunrpc/sunrpc_syms.c ]] || echo "#define NFS_P2PDMA_ANCHOR"
			echo "#include \"${IDENTITY#include/}\""
		} >>"$tree/$file"
	done < <(cd "$tree" && grep -rl --include='*.c' '^MODULE_LICENSE' "${STACK_DIRS[@]}")
}

# namespace_flag: for the compiler. Until 6.12 EXPORT_SYMBOL made a string of it.
namespace_flag() {
	if grep -q '__stringify(DEFAULT_SYMBOL_NAMESPACE)' "$WORK/pristine/include/linux/export.h"; then
		echo "-DDEFAULT_SYMBOL_NAMESPACE=$NAMESPACE"
	else
		echo "-DDEFAULT_SYMBOL_NAMESPACE='\"$NAMESPACE\"'"
	fi
}

# check_identity KO...: each module that was built must have it all. One whose
# licence is where we did not look would be a module that mixes.
check_identity() {
	local ko id

	id=$(series_id)
	for ko; do
		if [ "$(modinfo -F nfs_p2pdma_series "$ko")" != "$id" ] ||
			[ "$(modinfo -F import_ns "$ko" | grep -cx "$NAMESPACE")" != 1 ] ||
			! grep -q " nfs_p2pdma_series_$id\$" <(nm "$ko"); then
			die "$(basename "$ko") does not carry the id of the series: write_identity() in packaging/lib/identity.sh has to learn where its MODULE_LICENSE is"
		fi
	done
}
