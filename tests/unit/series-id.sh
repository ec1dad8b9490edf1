#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The id of a series, by which modules know each other: does it change when, and
# only when, modules stop going together? Prints TAP.
# shellcheck disable=SC2317 # functions are called through check()
set -euo pipefail

here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
# shellcheck source=tests/lib/tap.sh
. "$here/../lib/tap.sh"
for part in source identity; do
	# shellcheck source=/dev/null
	. "$here/../../packaging/lib/$part.sh"
done
work=$(mktemp -d)
TAP_LOG=$work/tap
trap 'rm -rf "$work"' EXIT
SERIES=$work/series
EXTRA=()
mkdir "$SERIES"

# patch_of NAME FILE LINE MESSAGE
patch_of() {
	printf '%s\n' "Subject: $4" --- " $2 | 1 +" "" "diff --git a/$2 b/$2" "--- a/$2" "+++ b/$2" \
		"@@ -1,1 +1,2 @@" " one" "+$3" >"$1"
}

patch_of "$SERIES/0001-a.patch" fs/nfs/a.c new first
patch_of "$SERIES/0002-b.patch" include/linux/b.h new second
patch_of "$work/code.patch" fs/nfs/a.c more extra
patch_of "$work/header.patch" fs/nfs/a.h more extra
id=$(series_id)
check "an id is 12 hex digits" grep -Exq '[0-9a-f]{12}' <(echo "$id")
echo "Subject: cover" >"$SERIES/0000-cover-letter.patch"
patch_of "$SERIES/0001-a.patch" fs/nfs/a.c new "said in other words"
same "what is said about the patches does not count" "$id" "$(series_id)"
patch_of "$SERIES/0003-d.patch" Documentation/d.rst new third
same "documentation does not count" "$id" "$(series_id)"
EXTRA=("$work/code.patch")
same "a patch on top that changes C files does not count" "$id" "$(series_id)"
EXTRA+=("$work/header.patch")
check "one that changes a header does" test "$id" != "$(series_id)"
EXTRA=()
patch_of "$SERIES/0001-a.patch" fs/nfs/a.c newer first
check "a line of the series does" test "$id" != "$(series_id)"
rm "$SERIES/0001-a.patch"
check "one patch less does" test "$id" != "$(series_id)"
tap_end
