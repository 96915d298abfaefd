"""Everything that was logged, as a table and as a picture."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any


def write_csv(history: list[dict[str, Any]], path: Path) -> None:
    """Write the Trainer's log history as CSV: a row a step, a column a value."""
    rows: dict[int, dict[str, Any]] = {}
    for entry in history:
        rows.setdefault(int(entry.get("step", 0)), {}).update(entry)
    names = sorted({name for row in rows.values() for name in row} - {"step"})
    beside = path.with_suffix(".part")
    with beside.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, ["step", *names])
        writer.writeheader()
        writer.writerows({**row, "step": step} for step, row in sorted(rows.items()))
    beside.replace(path)


def draw_curves(history: list[dict[str, Any]], path: Path, title: str) -> None:
    """Draw losses, error rates and learning rate over the steps as a PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(15, 4.2), layout="constrained")
    panels = [("loss", "loss", False), ("CER", "_cer", True), ("learning rate", "learning_rate", False)]
    for place, (name, key, percent) in enumerate(panels, start=1):
        axes = figure.add_subplot(1, 3, place)
        series = sorted({k for entry in history for k in entry if _belongs(k, key)})
        for label in series:
            points = [(e["step"], e[label]) for e in history if isinstance(e.get(label), int | float)]
            if points:
                steps, values = zip(*points, strict=True)
                scaled = [100 * value for value in values] if percent else values
                axes.plot(steps, scaled, label=label, marker="." if percent else None, linewidth=1.3)
        axes.set_xlabel("optimiser steps")
        axes.set_title(f"{name} (%)" if percent else name)
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
        if series:
            axes.legend(fontsize=7)
    figure.suptitle(title)
    FigureCanvasAgg(figure).print_png(str(path))


def _belongs(name: str, key: str) -> bool:
    if key == "loss":
        return name == "loss" or name.startswith("loss_") or name.endswith("_loss") and name != "train_loss"
    return name.endswith(key) if key.startswith("_") else name == key
