# SPDX-License-Identifier: GPL-2.0
# The tables of docs/performance.md.
include "cells";

def fixed($digits): . * pow(10; $digits) | round / pow(10; $digits) | tostring;
def row: "| " + join(" | ") + " |";
def bytes: if . >= 1048576 then "\(. / 1048576) MiB" else "\(. / 1024) KiB" end;
def mib: .size * .count / 1048576;

($stock[0] | index_cells) as $s | ($patched[0] | index_cells) as $p
| def cell($vers; $proto; $copy; $memory; $op; $size): [$vers, $proto, $copy, "1", $memory, $op, $size, 1] | tojson;
  def all: .instructions / .count;
  def nfs: .layers.nfs / .count;
  # against($goal; measure) of the same cell in the two kernels
  def against_stock($what; $goal; $k; f):
    if $s[$k] and $p[$k] then
      (($p[$k] | f) / ($s[$k] | f)) as $r
      | [$what, ($s[$k] | f | round | tostring), ($p[$k] | f | round | tostring), ($r | fixed(3)), "at most \($goal)",
         (if $r <= $goal then "yes" else "**no**" end)] | row
    else empty end;
  def against_cell($what; $goal; $k; $other; f):
    if $p[$k] and $p[$other] then
      (($p[$k] | f) / ($p[$other] | f)) as $r
      | [$what, ($p[$other] | f | round | tostring), ($p[$k] | f | round | tostring), ($r | fixed(3)), "at most \($goal)",
         (if $r <= $goal then "yes" else "**no**" end)] | row
    else empty end;
  "## Goals", "",
  "Instructions an I/O, at queue depth 1, NFSv4.2.", "",
  (["what", "compared with", "here", "ratio", "goal", "reached"] | row),
  "|---|---|---|---|---|---|",
  ("read", "write" | . as $op
   | against_stock("RAM 1 MiB \($op), contiguous, NFS's own"; 0.25; cell("4.2"; "rdma"; "yes"; "huge"; $op; 1048576); nfs),
     against_stock("RAM 1 MiB \($op), scattered pages, NFS's own"; 0.85; cell("4.2"; "rdma"; "yes"; "scattered"; $op; 1048576); nfs),
     against_stock("RAM 1 MiB \($op), contiguous, everything, no payload copy"; 0.90; cell("4.2"; "rdma"; "no"; "huge"; $op; 1048576); all),
     against_stock("RAM 1 MiB \($op), contiguous, everything"; (if $op == "read" then 0.93 else 0.96 end); cell("4.2"; "rdma"; "yes"; "huge"; $op; 1048576); all),
     against_stock("RAM 1 MiB \($op), scattered pages, everything"; 1; cell("4.2"; "rdma"; "yes"; "scattered"; $op; 1048576); all),
     against_stock("RAM 4 KiB \($op), everything"; 1; cell("4.2"; "rdma"; "yes"; "scattered"; $op; 4096); all),
     against_stock("RAM over TCP, 1 MiB \($op), contiguous, everything"; 1; cell("4.2"; "tcp"; "yes"; "huge"; $op; 1048576); all),
     against_stock("RAM over TCP, 1 MiB \($op), scattered pages, everything"; 1; cell("4.2"; "tcp"; "yes"; "scattered"; $op; 1048576); all),
     against_stock("RAM over TCP, 4 KiB \($op), everything"; 1; cell("4.2"; "tcp"; "yes"; "scattered"; $op; 4096); all),
     against_cell("P2P (BAR) 1 MiB \($op), client, against RAM, scattered pages"; 1.05; cell("4.2"; "rdma"; "yes"; "BAR"; $op; 1048576); cell("4.2"; "rdma"; "yes"; "scattered"; $op; 1048576); client / .count),
     against_cell("P2P (BAR) 1 MiB \($op), everything, against the bounce"; 1; cell("4.2"; "rdma"; "yes"; "BAR"; $op; 1048576); cell("4.2"; "rdma"; "yes"; "bounce-BAR"; $op; 1048576); all)),
  "",
  "## Cells", "",
  "Instructions of everything and of the client's layers; objects a MiB; bytes that the CPU copied between device and",
  "RAM, or between RPC and payload, and bytes that the NIC moved from or to RAM, at both ends together, a byte of payload.", "",
  ([ "NFS", "transport", "memory", "operation", "size", "depth", "connections", "all, an I/O", "all, a MiB", "against stock", "NFS's own, an I/O",
     "against stock", "client, an I/O", "`nfs_page`", "MRs", "slab objects", "copied", "RAM" ] | row),
  "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|",
  ($p | to_entries[] | .key as $k | .value
   | [ .vers, "\(.proto)\(if .copy == "no" then ", no copy" else "" end)", .memory, .op, (.size | bytes), (.depth | tostring), .nconnect,
       (all | round | tostring), (.instructions / mib | round | tostring),
       (if $s[$k] then all / ($s[$k] | all) | fixed(3) else "" end),
       (nfs | round | tostring),
       (if $s[$k] then nfs / ($s[$k] | nfs) | fixed(3) else "" end),
       (client / .count | round | tostring),
       (.calls.nfs_page_create / mib | fixed(1)), (.calls.frwr_map / mib | fixed(1)),
       ((.calls.kmem_cache_alloc_noprof + .calls.__kmalloc_noprof + .calls.__kmalloc_cache_noprof + .calls.__kmalloc_node_noprof
         + .calls.__kvmalloc_node_noprof) / mib | fixed(0)),
       (.copied_bytes / (.size * .count) | fixed(2)), (.ram_bytes / (.size * .count) | fixed(2)) ] | row)
