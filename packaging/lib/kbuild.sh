# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Running kbuild on $WORK/tree, and what comes out of it.

# kbuild_in TREE TARGET...: let the kernel's build system work on a tree.
kbuild_in() {
	local tree=$1

	shift
	make -C "$HEADERS" M="$tree" NFS_P2PDMA_TREE="$tree" -j "$JOBS" "$@"
}

kbuild() { kbuild_in "$WORK/tree" "$@"; }

# count_lines: turn kbuild's output into a growing count on a terminal, or a
# line for each 100 objects elsewhere; all of it goes into $WORK/log.
count_lines() {
	local n=0 line

	while IFS= read -r line; do
		printf '%s\n' "$line" >>"$WORK/log"
		[[ "$line" = *' CC '* ]] || continue
		n=$((n + 1))
		[ $((n % 50)) -ne 0 ] || say "$n objects"
	done
}

# kbuild_or_die WHAT TARGET...: build, or show the first error.
kbuild_or_die() {
	local what=$1

	shift
	: >"$WORK/log"
	if ! kbuild "$@" 2>&1 | count_lines; then
		die "$what failed: $(grep -E -m 1 'error:|ERROR:|No space left|\*\*\*' "$WORK/log" || tail -n 1 "$WORK/log") (all of it: log in --work)"
	fi
}

# expected_modules: a package that lists its modules must not leave one out.
expected_modules() {
	local differs

	[ -n "$EXPECT" ] || return 0
	differs=$(comm -3 <(sort "$EXPECT") <(cut -f 1 "$WORK/modules" | sort) | tr -d '\t')
	[ -z "$differs" ] ||
		die "the series asks for other modules than $(basename "$EXPECT") lists: ${differs//$'\n'/ }"
}

# Put the modules into $OUT only when all of them are there.
build_modules() {
	local modules targets module

	mapfile -t modules < <(stack_modules)
	kbuild_or_die "listing the modules' sources" "${modules[@]/%/.mod}"
	affected_modules >"$WORK/modules"
	expected_modules
	mapfile -t targets < <(cut -f 1 "$WORK/modules" | sed "s|\$|.ko|")
	say "building ${#targets[@]} of ${#modules[@]} modules for $RELEASE"
	kbuild_or_die "the build" "${targets[@]}"

	rm -rf "$WORK/result"
	mkdir "$WORK/result"
	for module in "${targets[@]}"; do
		strip --strip-debug -o "$WORK/result/$(basename "$module")" "$WORK/tree/$module"
	done
	check_identity "$WORK/result"/*.ko
	cp "$WORK/modules" "$WORK/result/modules"
	find "$OUT" -mindepth 1 -maxdepth 1 \( -name '*.ko' -o -name modules \) -delete
	cp "$WORK/result"/* "$OUT/"
}
