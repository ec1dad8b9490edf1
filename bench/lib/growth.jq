# SPDX-License-Identifier: GPL-2.0
# Does the cost of an I/O depend on what it must not depend on?
include "cells";

# rows: cells of one kind, with .x, what grows. Against the first one.
def grow($title; $unit):
  group_by([.memory_kind, .op, .size]) | map(sort_by(.x)) | map(select(length > 1))
  | if length == 0 then empty else
      "### \($title)", "",
      ([ "memory", "operation", "size", ($unit + ": instructions an I/O, and against the first") ] | head),
      (.[] | .[0] as $first
       | [ .[0].memory_kind, .[0].op, (.[0].size | bytes),
           (map("\(.x): \(all | round) (\(all / ($first | all) | fixed(3)))") | join(", ")) ] | row),
      ""
    end;

def cells_of($all; $suffix):
  $all[0] | map(select(.vers == "4.2" and .proto == "rdma" and .copy == "yes") | .memory_kind = (.memory | sub("x[0-9]$"; "")) + $suffix);

# What is there for the number of connections only, beside ours.
cells_of($stock; ", stock modules") as $before
| cells_of($patched; "")
| map(select(.memory | startswith("BARx") | not)) as $plain
| "## Growth", "",
  "NFSv4.2 over RDMA, modules of the series, everything included.", "",
  ($plain | map(select(.nconnect == "1" and .file == usual_file) | .x = .depth) | grow("Queue depth"; "I/Os in flight")),
  ($plain | map(select(.nconnect == "1" and .depth == 1 and (.size == 4096 or .size == 1048576)) | .x = .file / 1048576) | grow("File size"; "MiB")),
  ($plain + $before | map(select(.depth == 16 and .file == usual_file and (.size == 4096 or .size == 1048576)) | .x = (.nconnect | tonumber)) | unique_by([key, .memory_kind]) | grow("Connections, 16 I/Os in flight"; "nconnect")),
  (map(select(.memory_kind == "BAR" and .nconnect == "1" and .depth == 1 and .file == usual_file and (.size == 4096 or .size == 1048576))
       | .x = (if .memory == "BAR" then 1 else (.memory | ltrimstr("BARx") | tonumber) end)) | grow("Providers, used in turn"; "number"))
