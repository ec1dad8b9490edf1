# SPDX-License-Identifier: GPL-2.0
# The table of docs/performance-cells.md.
include "cells";

($stock[0] | index_cells) as $s
| ([ "NFS", "transport", "memory", "operation", "size", "depth", "connections", "file", "all, an I/O", "all, a MiB", "against stock",
     "NFS's own, an I/O", "against stock", "client, an I/O", "`nfs_page`", "MRs", "slab objects", "slab, KiB", "copied", "RAM" ] | head),
  ($patched[0] | unique_by(key)[] | .file as $file | key as $key | ($s[$key | tojson]) as $k
   | [ .vers, "\(.proto)\(if .copy == "no" then ", no copy" else "" end)", .memory, .op, (.size | bytes), (.depth | tostring), .nconnect, ($file | bytes),
       (all | round | tostring), (.instructions / mib | round | tostring),
       (if $k then all / ($k | all) | fixed(3) else "" end),
       (nfs | round | tostring),
       (if $k then nfs / ($k | nfs) | fixed(3) else "" end),
       (clients | round | tostring),
       (.calls.nfs_page_create / mib | fixed(1)), (.calls.frwr_map / mib | fixed(1)),
       ((.calls.kmem_cache_alloc_noprof + .calls.__kmalloc_noprof + .calls.__kmalloc_cache_noprof + .calls.__kmalloc_node_noprof
         + .calls.__kvmalloc_node_noprof) / mib | fixed(0)),
       ((.slab_peak - .slab_before) / 1024 | round | tostring),
       (.copied_bytes / (.size * .count) | fixed(2)), (.ram_bytes / (.size * .count) | fixed(2)) ] | row)
