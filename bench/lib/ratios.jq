# SPDX-License-Identifier: GPL-2.0
# The ratios that a regression shows in: patched against stock, and memory of a
# device against the bounce of the same run.
include "cells";
($stock[0] | index_cells) as $s | ($patched[0] | index_cells) as $p
| [ $patched[0][] | . as $c | key as $k
    | if $s[$k | tojson] then
        { key: "\(name): all, against stock", value: (($c.instructions / $c.count) / ($s[$k | tojson] | .instructions / .count)) },
        { key: "\(name): nfs, against stock", value: (($c.layers.nfs / $c.count) / ($s[$k | tojson] | .layers.nfs / .count)) }
      elif .memory == "BAR" then
        ($p[($k | .[4] = "bounce-BAR") | tojson]) as $b
        | { key: "\(name): all, against bounce", value: (($c.instructions / $c.count) / ($b.instructions / $b.count)) }
      else empty end ]
| from_entries | map_values(. * 10000 | round / 10000)
