"""Pictures of a report: each function takes figures and returns a matplotlib Figure."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure


def confusion_figure(figures: dict[str, Any], labels: list[str], title: str) -> Figure:
    """Confusion matrix with counts, coloured by the share of each true class."""
    counts = np.array(figures["confusion_matrix"])
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = Figure(figsize=(7, 6.2), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(shares, cmap="cividis", vmin=0, vmax=1)
    axes.set_xticks(range(len(labels)), labels, rotation=45, ha="right")
    axes.set_yticks(range(len(labels)), labels)
    axes.set(xlabel="predicted emotion", ylabel="true emotion", title=title)
    for row, column in np.ndindex(counts.shape):
        colour = "white" if shares[row, column] < 0.6 else "black"
        axes.text(column, row, str(counts[row, column]), ha="center", va="center", color=colour)
    figure.colorbar(image, label="share of the true emotion")
    return figure


def history_figure(history: list[dict[str, float]], best_epoch: float | None, title: str) -> Figure:
    """Loss, and validation accuracy and UAR, by epoch."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    losses, scores = figure.subplots(1, 2)
    for axes, curves in (
        (losses, (("loss", "training loss", "-"), ("eval_loss", "validation loss", "--"))),
        (scores, (("eval_accuracy", "validation accuracy", "-"), ("eval_uar", "validation UAR", "--"))),
    ):
        for key, name, style in curves:
            points = [(entry["epoch"], entry[key]) for entry in history if key in entry]
            if points:
                axes.plot(*zip(*points, strict=True), style, marker=".", label=name)
        if best_epoch is not None:
            axes.axvline(best_epoch, color="0.6", linewidth=1, label="best epoch")
        axes.set_xlabel("epoch")
        axes.legend()
    scores.set_ylim(0, 1)
    figure.suptitle(title)
    return figure
