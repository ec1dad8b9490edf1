# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The kernel source that the modules are built from: Debian's linux-source,
# the parts that belong to the NFS stack, with the patches applied.

# The folders whose modules the series may change. Everything else that a patch
# touches must be a header below include/.
readonly STACK_DIRS="net/sunrpc fs/nfs fs/nfs_common fs/lockd fs/nfsd"

# find_kernel SERIES: set RELEASE, HEADERS and TARBALL to the newest kernel of
# that series that this machine has headers for.
find_kernel() {
	local dir

	RELEASE='' HEADERS=''
	while read -r dir; do
		HEADERS=$dir RELEASE=${dir#/usr/src/linux-headers-}
	done < <(find /usr/src -maxdepth 1 -name "linux-headers-$1.*-amd64" | grep -Ev -- '-(cloud|rt)-' | sort -V)
	[ -n "$HEADERS" ] || die "no headers of kernel $1 in /usr/src: install linux-headers-amd64 of that series"
	TARBALL=/usr/src/linux-source-$1.tar.xz
	[ -f "$TARBALL" ] || die "$TARBALL is missing: install linux-source-$1"
}

# Unpack what can matter into $WORK/pristine, once per tarball.
prepare_sources() {
	local want top=linux-source-${TARBALL##*/linux-source-}

	top=${top%.tar.xz}
	want="$RELEASE $(stat -c '%s %Y' "$TARBALL")"
	if [ -f "$WORK/pristine.stamp" ] && [ "$(cat "$WORK/pristine.stamp")" = "$want" ]; then
		return
	fi
	say "unpacking the NFS stack of $(basename "$TARBALL")"
	rm -rf "$WORK/pristine.stamp" "$WORK/pristine" "$WORK/pristine.tmp" "$WORK/tree"
	mkdir "$WORK/pristine.tmp"
	# shellcheck disable=SC2086 # STACK_DIRS is a list of words
	tar -xJf "$TARBALL" -C "$WORK/pristine.tmp" --strip-components=1 \
		$(printf "$top/%s " include $STACK_DIRS) ||
		die "cannot unpack $TARBALL into $WORK (disk full?)"
	mv "$WORK/pristine.tmp" "$WORK/pristine"
	echo "$want" >"$WORK/pristine.stamp"
}

# The patches in order: the series (its cover letter has no diff), then extras.
list_patches() {
	local patch

	for patch in "$SERIES"/[0-9]*.patch; do
		[ ! -f "$patch" ] || [[ "$patch" = */0000-* ]] || echo "$patch"
	done
	[ ${#EXTRA[@]} -eq 0 ] || printf '%s\n' "${EXTRA[@]}"
}

# changed_files: what the patches change, from their own headers.
changed_files() {
	list_patches | xargs -r -d '\n' sed -n 's|^+++ b/\([^\t]*\).*|\1|p; s|^--- a/\([^\t]*\).*|\1|p' | sort -u
}

# A header outside include/ and the stack, or a file of vmlinux, cannot become
# part of a module: say so instead of leaving it out.
refuse_foreign_files() {
	local file dirs="^(include|${STACK_DIRS// /|})/"

	while read -r file; do
		[[ "$file" =~ $dirs ]] ||
			die "the series changes $file, which is not part of the NFS modules: only include/, ${STACK_DIRS// /, } can be rebuilt for a stock kernel"
	done < <(changed_files)
}

# apply_series: make $WORK/tree hold the patched stack. Files that did not
# change since the last call keep their time stamps, so make leaves them alone.
apply_series() {
	local next=$WORK/next patch file dir log

	refuse_foreign_files
	rm -rf "$next"
	mkdir -p "$next/include"
	for dir in $STACK_DIRS; do
		mkdir -p "$next/$(dirname "$dir")"
		cp -a "$WORK/pristine/$dir" "$next/$dir"
	done
	while read -r file; do
		[[ "$file" = include/* ]] && [ -f "$WORK/pristine/$file" ] || continue
		mkdir -p "$next/$(dirname "$file")"
		cp -a "$WORK/pristine/$file" "$next/$file"
	done < <(changed_files)
	while read -r patch; do
		if ! log=$(patch -d "$next" -p1 --fuzz=0 --force --no-backup-if-mismatch -i "$patch" 2>&1); then
			rm -rf "$next"
			die "$(basename "$patch") does not apply to $(basename "$TARBALL"): $(grep -E 'FAILED|malformed|No file|garbage|can.t find' <<<"$log" | head -n 1)"
		fi
	done < <(list_patches)
	write_kbuild "$next"
	sync_tree "$next" "$WORK/tree"
	rm -rf "$next"
}

# sync_tree FROM TO: copy what differs, delete sources that are gone.
sync_tree() {
	local from=$1 to=$2 file

	mkdir -p "$to"
	while read -r file; do
		if ! cmp -s "$from/$file" "$to/$file"; then
			mkdir -p "$to/$(dirname "$file")"
			cp "$from/$file" "$to/$file"
		fi
	done < <(cd "$from" && find . -type f)
	while read -r file; do
		[ -f "$from/$file" ] || rm -f "$to/$file"
	done < <(cd "$to" && find . -name '*.[ch]' ! -name '*.mod.c' -o -name Makefile -o -name Kbuild)
}

# Headers of the series win over the kernel's own: kbuild hands LINUXINCLUDE
# down to each folder through the environment.
write_kbuild() {
	local dir

	{
		echo "# Written by $PROG."
		# shellcheck disable=SC2016 # for make
		echo 'LINUXINCLUDE := -I$(NFS_P2PDMA_TREE)/include $(LINUXINCLUDE)'
		for dir in $STACK_DIRS; do
			echo "obj-m += $dir/"
		done
	} >"$1/Kbuild"
}
