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
            axes.axvline(best_epoch, color="0.6", linewidth=1, label="epoch kept")
        axes.set_xlabel("epoch")
        axes.legend()
    scores.set_ylim(0, 1)
    figure.suptitle(title)
    return figure


def robustness_figure(robustness: dict[str, Any], title: str) -> Figure:
    """Change of the UAR against the share of unchanged predictions, one point a perturbation."""
    figure = Figure(figsize=(8, 5.2), layout="constrained")
    axes = figure.subplots()
    points = robustness["perturbations"]
    groups = list(dict.fromkeys(point["group"] for point in points))
    for group, marker, colour in zip(groups, "osD^", ("#0072b2", "#d55e00", "#009e73", "#cc79a7"), strict=False):
        own = [point for point in points if point["group"] == group]
        shares, changes = [100 * point["unchanged"] for point in own], [-100 * point["uar_fall"] for point in own]
        axes.scatter(shares, changes, marker=marker, color=colour, label=group, alpha=0.8)
    named: list[tuple[float, float]] = []
    for point in sorted(points, key=lambda point: point["unchanged"])[:10]:
        at = (100 * point["unchanged"], -100 * point["uar_fall"])
        if all(abs(at[0] - x) > 15 or abs(at[1] - y) > 2 for x, y in named):  # else names would cover each other
            axes.annotate(point["name"], at, xytext=(5, 3), textcoords="offset points", fontsize=7)
            named.append(at)
    axes.axhline(0, color="0.6", linewidth=1)
    axes.set(xlabel="predictions unchanged in %", ylabel="change of UAR in points", title=f"Robustness: {title}")
    axes.legend()
    return figure


def reliability_figure(calibration: dict[str, Any], title: str) -> Figure:
    """Accuracy by confidence, and errors among the most confident answers, from what `calibration_figures` gives."""
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    reliability, coverage = figure.subplots(1, 2)
    bands = [band for band in calibration["bands"] if band["clips"]]
    confidence, accuracy = [band["confidence"] for band in bands], [band["right"] for band in bands]
    reliability.plot([0, 1], [0, 1], color="0.6", linewidth=1, label="confidence = accuracy")
    reliability.plot(confidence, accuracy, marker="o", color="#0072b2", label="test part")
    for band in bands:
        at = (band["confidence"], band["right"])
        reliability.annotate(str(band["clips"]), at, xytext=(4, -9), textcoords="offset points", fontsize=7)
    reliability.set(xlabel="confidence", ylabel="accuracy (figures: clips)", xlim=(0, 1), ylim=(0, 1))
    reliability.legend(loc="upper left")
    points = calibration["risk_coverage"]
    shares, risks = [point["coverage"] for point in points], [point["risk"] for point in points]
    coverage.plot(shares, risks, marker="o", color="#d55e00")
    coverage.set(xlabel="share of clips answered, most confident first", ylabel="share of answers that are wrong")
    coverage.set(xlim=(0, 1.02), ylim=(0, None))
    figure.suptitle(title)
    return figure
