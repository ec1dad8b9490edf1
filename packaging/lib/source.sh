# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The kernel source that the modules are built from: Debian's linux-source,
# the parts that belong to the NFS stack, with the patches applied.

# The folders whose modules the series may change. Everything else that a patch
# touches must be a header below include/.
readonly STACK_DIRS=(net/sunrpc fs/nfs fs/nfs_common fs/lockd fs/nfsd)

# What the stack includes from beside itself: nfsd of 6.12.
readonly STACK_FILES=(fs/internal.h)

# stack_pattern: the same for a regular expression.
stack_pattern() {
	local IFS="|"

	echo "${STACK_DIRS[*]}"
}

# find_kernel SERIES [KERNEL]: set RELEASE, HEADERS and TARBALL to KERNEL, or to the
# newest kernel of that series that this machine has headers for.
find_kernel() {
	local dir

	RELEASE='' HEADERS=''
	if [ -n "${2:-}" ]; then
		[[ "$2" == "$1".* ]] || die "$2 is not a kernel of the series $1"
		[ -d "/usr/src/linux-headers-$2" ] || die "the headers of kernel $2 are missing: install linux-headers-$2"
		HEADERS=/usr/src/linux-headers-$2 RELEASE=$2
	else
		while read -r dir; do
			HEADERS=$dir RELEASE=${dir#/usr/src/linux-headers-}
		done < <(find /usr/src -maxdepth 1 -name "linux-headers-$1.*-amd64" | grep -Ev -- '-(cloud|rt)-' | sort -V)
	fi
	# The core of the kernel has to map such memory, and modules cannot add to that.
	[ -z "$HEADERS" ] || ! grep -q '^# CONFIG_PCI_P2PDMA is not set' "$HEADERS/.config" 2>/dev/null ||
		die "kernel $RELEASE is built without CONFIG_PCI_P2PDMA, which no module can add: install a newer one (trixie-backports)"
	[ -n "$HEADERS" ] || die "no headers of kernel $1 in /usr/src: install linux-headers-amd64 of that series"
	TARBALL=/usr/src/linux-source-$1.tar.xz
	[ -f "$TARBALL" ] || die "$TARBALL is missing: install linux-source-$1"
	same_version "linux-headers-$RELEASE" "linux-source-$1"
	command -v "$(compiler)" >/dev/null || die "the compiler of kernel $RELEASE, $(compiler), is missing: install it"
}

# same_version HEADERS SOURCE: two packages of different versions give modules that
# are not what Debian built plus the series. Files without a package are believed.
same_version() {
	local headers source

	# shellcheck disable=SC2016 # formats of dpkg-query
	headers=$(dpkg-query -W -f '${source:Version}' "$1" 2>/dev/null) || return 0
	# shellcheck disable=SC2016
	source=$(dpkg-query -W -f '${source:Version}' "$2" 2>/dev/null) || return 0
	[ "$headers" = "$source" ] ||
		die "$2 is $source, and the kernel $RELEASE is $headers: install $2=$headers, or the kernel of the source's version"
}

# compiler: the one that the kernel was built with.
compiler() {
	sed -n 's|^CONFIG_CC_VERSION_TEXT="*\([^" ]*\) .*|\1|p' "$HEADERS/.config" "$HEADERS/include/config/auto.conf" 2>/dev/null | head -n 1
}

# Unpack what can matter into $WORK/pristine, once per tarball.
prepare_sources() {
	local want top=linux-source-${TARBALL##*/linux-source-}

	top=${top%.tar.xz}
	want="$RELEASE $(stat -c '%s %Y' "$TARBALL") ${STACK_FILES[*]}"
	if [ -f "$WORK/pristine.stamp" ] && [ "$(cat "$WORK/pristine.stamp")" = "$want" ]; then
		return
	fi
	say "unpacking the NFS stack of $(basename "$TARBALL")"
	rm -rf "$WORK/pristine.stamp" "$WORK/pristine" "$WORK/pristine.tmp" "$WORK/tree"
	mkdir "$WORK/pristine.tmp"
	tar -xJf "$TARBALL" -C "$WORK/pristine.tmp" --strip-components=1 \
		"$top/include" "${STACK_DIRS[@]/#/$top/}" "${STACK_FILES[@]/#/$top/}" ||
		die "cannot unpack $TARBALL into $WORK (disk full?)"
	mv "$WORK/pristine.tmp" "$WORK/pristine"
	echo "$want" >"$WORK/pristine.stamp"
}

# The series' patches in order; its cover letter has no diff.
list_series() {
	local patch

	for patch in "$SERIES"/[0-9]*.patch; do
		[ ! -f "$patch" ] || [[ "$patch" = */0000-* ]] || echo "$patch"
	done
}

list_extras() { [ ${#EXTRA[@]} -eq 0 ] || printf '%s\n' "${EXTRA[@]}"; }

# All patches in order: the series, then extras.
list_patches() { list_series && list_extras; }

# code_of PATCH: without its changes of Documentation/, which no module is built
# from, and which is not unpacked.
code_of() { awk '/^diff --git a\// { text = /^diff --git a\/Documentation\// } !text' "$1"; }

# changed_files: what the patches change, from their own headers.
changed_files() {
	local patch

	while read -r patch; do
		code_of "$patch"
	done < <(list_patches) | sed -n 's|^+++ b/\([^\t]*\).*|\1|p; s|^--- a/\([^\t]*\).*|\1|p' | sort -u
}

# A header outside include/ and the stack, or a file of vmlinux, cannot become
# part of a module: say so instead of leaving it out.
refuse_foreign_files() {
	local file dirs

	dirs="^(include|$(stack_pattern))/"

	while read -r file; do
		[[ "$file" =~ $dirs ]] ||
			die "the series changes $file, which is not part of the NFS modules: only include/, ${STACK_DIRS[*]} can be rebuilt for a stock kernel"
	done < <(changed_files)
}

# own_headers: the stack's own headers, which always come from our tree, changed
# or not. Were a header copied only when a patch changes it, objects built
# before would still depend on the kernel's copy, and make would keep them.
own_headers() {
	(
		cd "$WORK/pristine" || exit
		find include -path '*/linux/*' \( -path '*/sunrpc/*' -o -path '*/lockd/*' -o -name 'nfs*.h' \)
		find include/trace -name 'nfs*.h' -o -name 'rpc*.h' -o -name 'sunrpc*.h' -o -name 'lockd*.h'
	)
}

# copy_headers TREE: those and all others that a patch changes.
copy_headers() {
	local file

	while read -r file; do
		if [ -f "$WORK/pristine/$file" ]; then
			mkdir -p "$1/$(dirname "$file")"
			cp -a "$WORK/pristine/$file" "$1/$file"
		fi
	done < <(own_headers && other_headers)
}

other_headers() { comm -13 <(own_headers | sort) <(changed_files | grep '^include/'); }

# stock_tree TREE: the stack as it is without the series.
stock_tree() {
	local dir

	rm -rf "$1"
	mkdir -p "$1"
	for dir in "${STACK_DIRS[@]}"; do
		mkdir -p "$1/$(dirname "$dir")"
		cp -a "$WORK/pristine/$dir" "$1/$dir"
	done
	(cd "$WORK/pristine" && cp -a --parents -t "$(realpath "$1")" "${STACK_FILES[@]}")
	copy_headers "$1"
	write_kbuild "$1"
}

# apply_series: make $WORK/tree hold the patched stack. Files that did not
# change since the last call keep their time stamps, so make leaves them alone.
apply_series() {
	local next=$WORK/next patch log others

	refuse_foreign_files
	stock_tree "$next"
	while read -r patch; do
		code_of "$patch" >"$WORK/code"
		[ -z "$(sed -n '/^+++ /p' "$WORK/code")" ] && continue
		if ! log=$(patch -d "$next" -p1 --fuzz=0 --force --no-backup-if-mismatch -i "$WORK/code" 2>&1); then
			rm -rf "$next"
			die "$(basename "$patch") does not apply to $(basename "$TARBALL"): $(awk '/^(patching|checking) file / { file = $3 ": " }
				/FAILED|malformed|No file|garbage|can.t find/ { print file $0; exit }' <<<"$log")"
		fi
	done < <(list_patches)
	write_identity "$next"
	# With another set of such headers the old objects are worth nothing.
	others=$(other_headers)
	if [ "$(cat "$WORK/other-headers" 2>/dev/null)" != "$others" ]; then
		rm -rf "$WORK/tree"
		echo "$others" >"$WORK/other-headers"
	fi
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
		echo 'LINUXINCLUDE := -I$(NFS_P2PDMA_TREE)/include -I$(NFS_P2PDMA_TREE)/include/uapi $(LINUXINCLUDE)'
		echo "subdir-ccflags-y += $(namespace_flag)"
		for dir in "${STACK_DIRS[@]}"; do
			echo "obj-m += $dir/"
		done
	} >"$1/Kbuild"
}
