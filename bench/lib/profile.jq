# SPDX-License-Identifier: GPL-2.0
# What stands in the way of goals that are not reached: the functions that differ most.
include "cells";

# Of the functions that a cell names. The same function in the other cell may be below
# the ones that are named there: then it is left out.
def differences($a; $b; $of):
  $a.functions as $f
  | [ $b.functions | to_entries[] | { name: .key, by: (.value / $b.count - ($f[.key] // 0) / $a.count) } ]
    + [ $f | to_entries[] | select($b.functions[.key] == null) | { name: .key, by: (- .value / $a.count) } ]
  | sort_by(- (.by | fabs)) | .[:16];

($stock[0] | index_cells) as $s | ($patched[0] | index_cells) as $p
| [results($s; $p) | select(.ratio > .goal)]
| if length == 0 then empty else
    "## What stands in the way", "",
    "Own instructions of functions, an I/O more (or fewer) than what is compared with.", "",
    (.[] | "### \(.what): \(.ratio | fixed(4))", "",
      "By layer: \([.ours.count as $n | .theirs.count as $m | .theirs.layers as $t | .ours.layers | to_entries[] | select(.key != "idle") | "\(.key) \((.value / $n - $t[.key] / $m) | round)"] | join(", ")).", "",
      "By function: \([differences(.theirs; .ours; .of)[] | "`\(.name)` \(.by | round)"] | join(", ")).", "")
  end
