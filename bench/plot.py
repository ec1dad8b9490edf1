#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Draw the plots of bench/run: plot.py STOCK.json PATCHED.json FOLDER."""
import json
import sys

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "bench"  # the same picture for the same data
import matplotlib.pyplot as plt  # noqa: E402

LAYERS = ["nfs", "sunrpc", "xprtrdma", "dma", "gup", "slab"]


def load(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def pick(cells, **wanted):
    return [c for c in cells if all(c[k] == v for k, v in wanted.items())]


def save(fig, path):
    fig.savefig(path, metadata={"Date": None}, bbox_inches="tight")
    plt.close(fig)


def layers(stock, patched, folder):
    """The client's layers for 1 MiB, stacked."""
    wanted = {"vers": "4.2", "proto": "rdma", "copy": "yes", "depth": 1, "size": 1 << 20, "nconnect": "1"}
    bars = []
    for op in ("read", "write"):
        for memory in ("scattered", "huge", "BAR", "bounce-BAR"):
            for name, cells in (("stock", stock), ("patched", patched)):
                for cell in pick(cells, op=op, memory=memory, **wanted)[:1]:
                    bars.append((f"{op} {memory}\n{name}", cell))
    fig, axes = plt.subplots(figsize=(10, 5))
    bottom = [0] * len(bars)
    for layer in LAYERS:
        heights = [c["layers"][layer] / c["count"] / 1000 for _, c in bars]
        axes.bar([n for n, _ in bars], heights, bottom=bottom, label=layer)
        bottom = [b + h for b, h in zip(bottom, heights)]
    axes.set_ylabel("thousand instructions a 1 MiB I/O")
    axes.set_title("What the client's layers take")
    axes.tick_params(axis="x", rotation=90)
    axes.legend()
    save(fig, f"{folder}/performance-layers.svg")


def growth(patched, folder):
    """The cost of an I/O against queue depth and number of connections."""
    fig, axes = plt.subplots(figsize=(7, 4))
    for memory in ("huge", "BAR"):
        for op in ("read", "write"):
            cells = {}
            for c in pick(patched, vers="4.2", proto="rdma", copy="yes", memory=memory, op=op, size=1 << 20, nconnect="1"):
                cells[c["depth"]] = c["instructions"] / c["count"] / 1e6
            if len(cells) > 1:
                axes.plot(sorted(cells), [cells[d] for d in sorted(cells)], marker="o", label=f"{memory} {op}")
    if not axes.lines:
        plt.close(fig)
        return
    axes.set_ylim(bottom=0)
    axes.set_xlabel("I/Os in flight")
    axes.set_ylabel("million instructions a 1 MiB I/O")
    axes.set_title("Cost against queue depth")
    axes.legend()
    save(fig, f"{folder}/performance-depth.svg")


def main():
    stock, patched, folder = load(sys.argv[1]), load(sys.argv[2]), sys.argv[3]
    layers(stock, patched, folder)
    growth(patched, folder)


if __name__ == "__main__":
    main()
