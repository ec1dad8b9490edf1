# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Which modules must be rebuilt: all that contain a changed source, and all
# whose sources include a changed header, directly or through others. The
# include graph is taken conservatively: an include matches every file whose
# path ends in it, and conditions around it are ignored.
#
# A series that changes no header of sunrpc still needs sunrpc rebuilt, for the
# anchor, and with it all that use its exports, which are in our namespace then:
# see identity.sh. Those are taken to be the ones that include its headers.

# stack_modules: the stock kernel's modules of the NFS stack, as paths without
# suffix (net/sunrpc/sunrpc), from the list that Debian ships.
stack_modules() {
	sed -E 's|^kernel/||; s|\.k?o$||' "/lib/modules/$RELEASE/modules.order" |
		grep -E "^($(stack_pattern))/"
}

# affected_files: every file of the stack, and header, that a change reaches,
# as "FILE<TAB>REASON".
affected_files() {
	changed_files >"$WORK/changed"
	(
		cd "$WORK/tree" || exit
		echo net/sunrpc/sunrpc_syms.c
		find include/linux/sunrpc -name '*.h'
	) >"$WORK/exporter"
	(
		cd "$WORK/pristine" || exit
		grep -rEo --include='*.[ch]' '^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"][^>"]+[>"]' include "${STACK_DIRS[@]}"
		# Files as they are after the patches, where an include may be new.
		cd "$WORK/tree" || exit
		grep -rEo --include='*.[ch]' '^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"][^>"]+[>"]' include "${STACK_DIRS[@]}" || true
	) | sed -E 's|^([^:]+):[^<"]*[<"](\.\.?/)*([^>"]+)[>"]$|\1 \3|' | sort -u |
		awk -v changed="$WORK/changed" -v exporter="$WORK/exporter" '
			# Index users by the last part of the included name.
			{ n = split($2, part, "/"); users[part[n]] = users[part[n]] "\n" $1 " " $2 }
			# All that a file of this list reaches, and was not reached yet.
			function reach(list, reason,    file, i, m, n, pair, pairs, part) {
				while ((getline file < list) > 0) {
					if (file in why)
						continue
					why[file] = reason
					queue[++tail] = file
				}
				while (head < tail) {
					file = queue[++head]
					n = split(file, part, "/")
					m = split(users[part[n]], pairs, "\n")
					for (i = 1; i <= m; i++) {
						if (split(pairs[i], pair, " ") != 2 || pair[1] in why)
							continue
						if (index("/" file, "/" pair[2]) != length(file) - length(pair[2]) + 1)
							continue
						why[pair[1]] = why[file] == "changed" ? file ", which is changed" : why[file]
						queue[++tail] = pair[1]
					}
				}
			}
			END {
				reach(changed, "changed")
				reach(exporter, "sunrpc, which is rebuilt")
				for (file in why)
					print file "\t" why[file]
			}'
}

# affected_modules: "MODULE<TAB>REASON" of each module to rebuild. Without any
# patch this is the whole stack, to prove the builder. A module's sources come
# from kbuild's own lists (.mod files, made without compiling).
affected_modules() {
	local module

	if [ -z "$(list_patches)" ]; then
		stack_modules | sed 's|$|\tno patch: the whole stack is built|'
		return
	fi
	affected_files >"$WORK/affected"
	while read -r module; do
		# 6.12 writes whole paths.
		sed "s|^$WORK/tree/||; s|^|$module |" "$WORK/tree/$module.mod"
	done < <(stack_modules) | awk -v affected="$WORK/affected" '
		BEGIN {
			FS = "\t"
			while ((getline < affected) > 0)
				why[$1] = $2
			FS = " "
		}
		{
			source = $2
			sub(/\.o$/, ".c", source)
			if (!(source in why))
				next
			# A changed source is a better reason than a changed header.
			if (why[source] == "changed")
				reason[$1] = source " is changed"
			else if (!($1 in reason))
				reason[$1] = source " uses " why[source]
		}
		END { for (module in reason) print module "\t" reason[module] }' | sort
}
