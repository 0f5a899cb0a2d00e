"""The section of the model card on how the network was trained."""

from __future__ import annotations

import json
from typing import Any

_SECTION = """## Training

Trained for {epochs:g} epochs{chosen}, in {minutes:.0f} min{preparation}, on: {hardware}. Versions: {versions}.

![Loss, and validation accuracy and UAR, by epoch](training_history.png)

| part | settings |
|---|---|
{rows}

`report.json` has the settings in the form of a preset.

"""


def training_section(report: dict[str, Any]) -> str:
    """Hyperparameters, epochs, duration, hardware, versions and the picture of a training, or an empty text.

    Args:
        report: The content of `report.json`.
    """
    if "epochs" not in report:
        return ""
    settings = report["settings"]
    blocks = {
        "network": {name: value for name, value in settings["model"].items() if name != "encoder_config"},
        "features": settings["feature_extractor"],
        "augmentation": settings["augmentation"],
        "loss": settings["loss"],
        "training": report.get("hyperparameters", settings["training"]),
    }
    best = report["best_epoch"]
    return _SECTION.format(
        epochs=report["epochs"],
        chosen="" if report.get("refit") or best is None else f", of which number {best:g} was kept",
        minutes=report["training_seconds"] / 60,
        preparation=_preparation_clause(report),
        hardware=report["hardware"],
        versions=", ".join(f"{name} {version}" for name, version in report["versions"].items()),
        rows="\n".join(f"| {block} | {_as_text(values)} |" for block, values in blocks.items() if values),
    )


def _preparation_clause(report: dict[str, Any]) -> str:
    if "preparation_seconds" not in report:
        return ""
    return f" after {report['preparation_seconds'] / 60:.0f} min of preparing data and features"


def _as_text(values: dict[str, Any]) -> str:
    return ", ".join(f"`{name}` {json.dumps(value)}" for name, value in values.items())
