# SPDX-License-Identifier: GPL-2.0
# What was to be reached, and what was.
include "cells";

($stock[0] | index_cells) as $s | ($patched[0] | index_cells) as $p
| [results($s; $p)] as $all
| "## Goals", "",
  "Instructions an I/O, at queue depth 1, NFSv4.2. \([$all[] | select(.ratio <= .goal)] | length) of \($all | length) are reached.", "",
  (["what", "compared with", "here", "ratio", "goal", "reached"] | head),
  ($all[] | .of as $of
   | [.what, (.theirs | measure($of) | round | tostring), (.ours | measure($of) | round | tostring), (.ratio | fixed(4)),
      "at most \(.goal)", (if .ratio <= .goal then "yes" else "**no**" end)] | row),
  "",
  (["read", "write"] | map(cell("4.2"; "rdma"; "yes"; "huge"; .; 1048576) as $k | $p[$k] | select(.) | "\(.op) \(.calls.nfs_page_create / mib | fixed(1))") | join(", ")
   | "`nfs_page` objects a MiB of contiguous memory: \(.) (goal: at most 2)."),
  ""
