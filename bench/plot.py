#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Draw the plots of bench/run: plot.py STOCK.json PATCHED.json FOLDER."""
import json
import sys

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "bench"  # the same picture for the same data
import matplotlib.pyplot as plt  # noqa: E402

FILE = 16 << 20  # where nothing else is said, see lib/plan.sh
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
    wanted = {"vers": "4.2", "proto": "rdma", "copy": "yes", "depth": 1, "size": 1 << 20, "nconnect": "1", "file": FILE}
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


def providers(cell):
    """Devices that the memory of a cell is from."""
    return int(cell["memory"][-1]) if cell["memory"].startswith("BARx") else 1


def growth(patched, folder):
    """The cost of an I/O against what it must not depend on, relative to the first point."""
    base = {"vers": "4.2", "proto": "rdma", "copy": "yes", "size": 1 << 20}
    usual = {"file": FILE, "nconnect": "1"}
    panels = (
        ("I/Os in flight", lambda c: c["depth"], usual),
        ("MiB of the file", lambda c: c["file"] >> 20, {"depth": 1, "nconnect": "1"}),
        ("connections", lambda c: int(c["nconnect"]), {"depth": 16, "file": FILE}),
        ("providers", providers, {"depth": 1, **usual}),
    )
    fig, axes = plt.subplots(1, len(panels), figsize=(14, 3.5), sharey=True)
    drawn = False
    for ax, (label, of, wanted) in zip(axes, panels):
        for memory in ("scattered", "BAR"):
            if label != "providers" or memory == "BAR":
                for op in ("read", "write"):
                    drawn |= curve(ax, pick(patched, op=op, **base, **wanted), memory, op, of, label == "providers")
        ax.set_xlabel(label)
        ax.set_xscale("log", base=2)
        if ax.lines:
            ax.legend()
    axes[0].set_ylim(0, 1.5)
    axes[0].set_ylabel("instructions a 1 MiB I/O,\nagainst the first point")
    if drawn:
        save(fig, f"{folder}/performance-growth.svg")
    else:
        plt.close(fig)


def curve(ax, cells, memory, op, of, several):
    """One line, if there are at least two points of it."""
    points = {}
    for c in cells:
        if c["memory"] == memory or (several and c["memory"].startswith(memory + "x")):
            points[of(c)] = c["instructions"] / c["count"]
    if len(points) < 2:
        return False
    xs = sorted(points)
    ax.plot(xs, [points[x] / points[xs[0]] for x in xs], marker="o", label=f"{memory} {op}")
    return True


def main():
    stock, patched, folder = load(sys.argv[1]), load(sys.argv[2]), sys.argv[3]
    layers(stock, patched, folder)
    growth(patched, folder)


if __name__ == "__main__":
    main()
