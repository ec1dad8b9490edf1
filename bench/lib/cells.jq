# SPDX-License-Identifier: GPL-2.0
# What the programs here know about cells, see bench/guest/cost.c and bench/host.

# The cell of the same name in another list; null if there is none.
def key: [.vers, .proto, .copy, .nconnect, .memory, .op, .size, .depth, .file];
def name: "NFSv\(.vers) \(.proto)\(if .copy == "no" then ", no copy" else "" end) \(.memory) \(.op) \(.size) x\(.depth)";
def index_cells: map({ (key | tojson): . }) | add;
def usual_file: 16777216;
def cell($vers; $proto; $copy; $memory; $op; $size): [$vers, $proto, $copy, "1", $memory, $op, $size, 1, usual_file] | tojson;
def client: .layers | .nfs + .sunrpc + .xprtrdma + .dma + .gup + .slab;

# Measures, an I/O.
def all: .instructions / .count;
def nfs: .layers.nfs / .count;
def clients: client / .count;
def measure($f): if $f == "all" then all elif $f == "nfs" then nfs else clients end;

def mib: .size * .count / 1048576;
def fixed($digits): . * pow(10; $digits) | round / pow(10; $digits) | tostring;
def row: "| " + join(" | ") + " |";
def head: row, ("|" + ("---|" * length));
def bytes: if . >= 1048576 then "\(. / 1048576) MiB" else "\(. / 1024) KiB" end;

# What is to be reached, see goals.jq: the cell, and what it is compared with: null
# is the same cell of the stock kernel.
def goals:
  ("read", "write") as $op
  | { what: "RAM 1 MiB \($op), contiguous, NFS's own", goal: 0.25, of: "nfs", cell: cell("4.2"; "rdma"; "yes"; "huge"; $op; 1048576) },
    { what: "RAM 1 MiB \($op), scattered pages, NFS's own", goal: 0.85, of: "nfs", cell: cell("4.2"; "rdma"; "yes"; "scattered"; $op; 1048576) },
    { what: "RAM 1 MiB \($op), contiguous, everything, no payload copy", goal: 0.90, of: "all", cell: cell("4.2"; "rdma"; "no"; "huge"; $op; 1048576) },
    { what: "RAM 1 MiB \($op), contiguous, everything", goal: (if $op == "read" then 0.93 else 0.96 end), of: "all", cell: cell("4.2"; "rdma"; "yes"; "huge"; $op; 1048576) },
    { what: "RAM 1 MiB \($op), scattered pages, everything", goal: 1, of: "all", cell: cell("4.2"; "rdma"; "yes"; "scattered"; $op; 1048576) },
    { what: "RAM 4 KiB \($op), everything", goal: 1, of: "all", cell: cell("4.2"; "rdma"; "yes"; "scattered"; $op; 4096) },
    { what: "RAM over TCP, 1 MiB \($op), contiguous, everything", goal: 1, of: "all", cell: cell("4.2"; "tcp"; "yes"; "huge"; $op; 1048576) },
    { what: "RAM over TCP, 1 MiB \($op), scattered pages, everything", goal: 1, of: "all", cell: cell("4.2"; "tcp"; "yes"; "scattered"; $op; 1048576) },
    { what: "RAM over TCP, 4 KiB \($op), everything", goal: 1, of: "all", cell: cell("4.2"; "tcp"; "yes"; "scattered"; $op; 4096) },
    { what: "P2P (BAR) 1 MiB \($op), client, against RAM, scattered pages", goal: 1.05, of: "client", cell: cell("4.2"; "rdma"; "yes"; "BAR"; $op; 1048576),
      other: cell("4.2"; "rdma"; "yes"; "scattered"; $op; 1048576) },
    { what: "P2P (BAR) 1 MiB \($op), everything, against the bounce", goal: 1, of: "all", cell: cell("4.2"; "rdma"; "yes"; "BAR"; $op; 1048576),
      other: cell("4.2"; "rdma"; "yes"; "bounce-BAR"; $op; 1048576) };

# Each goal with .ours and .theirs, the cells, and .ratio.
def results($s; $p):
  goals | .ours = $p[.cell] | .theirs = (if .other then $p[.other] else $s[.cell] end)
  | select(.ours and .theirs)
  | .of as $of | .ratio = ((.ours | measure($of)) / (.theirs | measure($of)));
