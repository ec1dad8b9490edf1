# SPDX-License-Identifier: GPL-2.0
# What copying a file costs: a table, then "FAIL" lines for ratios that are worse than
# they may become. Input: the cells of bench/guest/copies.
def fixed($digits): . * pow(10; $digits) | round / pow(10; $digits) | tostring;
def row: "| " + join(" | ") + " |";
# What nfsp2p cp with P2P memory is compared with, the most that it should take, and the
# ratio above which something has become worse: see bench/README.md for the two that
# are not reached.
def goals: [
  { name: "host-4k", what: "`nfsp2p cp --mem host`, pages of 4 KiB", most: 1.05, limit: 1.05 },
  { name: "host", what: "`nfsp2p cp --mem host`, pages of 2 MiB", most: 1.05, limit: 1.25 },
  { name: "dd-direct", what: "`dd bs=1M iflag=direct oflag=direct conv=fsync`", most: 1, limit: 1.08 },
  { name: "dd", what: "`dd bs=1M conv=fsync`", most: 1, limit: 1 },
  { name: "cp", what: "`cp` (coreutils), without fsync", most: 1, limit: 1 } ];

(group_by(.size + .direction) | map({ size: .[0].size, direction: .[0].direction,
                                      by: map({ (.name): .instructions }) | add })
 | sort_by((.size | tonumber), .direction) | reverse) as $sets
| [ $sets[] as $s | goals[] | { s: $s, g: ., ratio: ($s.by.p2p / $s.by[.name]) } ] as $all
| ([ "file", "direction", "compared with", "it takes (millions)", "`nfsp2p cp` (millions)", "ratio", "goal", "reached" ] | row),
  "|---|---|---|---|---|---|---|---|",
  ($all[] | [ "\(.s.size) MiB", .s.direction, .g.what, (.s.by[.g.name] / 1e6 | fixed(1)), (.s.by.p2p / 1e6 | fixed(1)), (.ratio | fixed(3)),
              "at most \(.g.most)", (if .ratio <= .g.most then "yes" else "**no**" end) ] | row),
  ($all[] | select(.ratio > .g.limit)
   | "FAIL \(.s.size) MiB \(.s.direction): \(.ratio | fixed(3)) of \(.g.what), more than \(.g.limit)")
