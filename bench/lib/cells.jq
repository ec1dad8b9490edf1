# SPDX-License-Identifier: GPL-2.0
# What the programs here know about cells, see bench/guest/cost.c and bench/host.

# The cell of the same name in another list; null if there is none.
def key: [.vers, .proto, .copy, .nconnect, .memory, .op, .size, .depth];
def name: "NFSv\(.vers) \(.proto)\(if .copy == "no" then ", no copy" else "" end) \(.memory) \(.op) \(.size) x\(.depth)";
def index_cells: map({ (key | tojson): . }) | add;
def client: .layers | .nfs + .sunrpc + .xprtrdma + .dma + .gup + .slab;
def per_io($n): $n / .count;
