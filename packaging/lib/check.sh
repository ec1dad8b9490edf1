# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Compiler (W=1) and sparse warnings that the series brings in.

# warnings_of TREE SOURCE...: compile the sources in TREE with every check and
# print the warnings, without line numbers, which the patches move.
warnings_of() {
	local tree=$1

	shift
	# -k: a source that does not compile is reported, with the others.
	kbuild_in "$tree" -k W=1 C=2 "${@/%.c/.o}" >"$tree.log" 2>&1 || true
	# Not what make says of itself, nor notes and context lines.
	grep -E '(warning|error):|C=2 specified' "$tree.log" |
		sed -E 's/:[0-9]+(:[0-9]+)?:/:/g; s|^.*/(net/sunrpc\|fs\|include)/|\1/|' | sort
}

# check_warnings: compare what the patched and the unchanged sources give, and
# leave the difference in $OUT/warnings. Fails if there is any.
check_warnings() {
	local sources existing

	rm -f "$OUT/warnings"
	mapfile -t sources < <(changed_files | grep '\.c$')
	mapfile -t existing < <(for file in "${sources[@]}"; do
		[ ! -f "$WORK/pristine/$file" ] || echo "$file"
	done)
	[ ${#sources[@]} -gt 0 ] || die "$SERIES changes no C file: there is nothing to check"
	say "checking ${#sources[@]} files with W=1 and sparse, before and after the series"
	stock_tree "$WORK/stock"
	warnings_of "$WORK/stock" "${existing[@]}" >"$WORK/warnings.stock"
	warnings_of "$WORK/tree" "${sources[@]}" >"$WORK/warnings.series"
	grep -q '^ *CHECK ' "$WORK/tree.log" ||
		die "sparse looked at no file: $(tail -n 1 "$WORK/tree.log")"
	comm -13 "$WORK/warnings.stock" "$WORK/warnings.series" >"$OUT/warnings"
	if [ -s "$OUT/warnings" ]; then
		die "the series adds $(wc -l <"$OUT/warnings") warnings, the first: $(head -n 1 "$OUT/warnings")"
	fi
}
