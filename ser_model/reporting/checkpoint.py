"""Writes the complete checkpoint folder of a finished training."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ser_model.evaluation.evaluate_checkpoint import evaluate_parts
from ser_model.evaluation.predictions import calibrate
from ser_model.inference.recognizer import EmotionRecognizer
from ser_model.training.resume import RECORD
from ser_model.training.run import REFIT, RunData, TrainedRun
from ser_model.training.trainer import RunError, SerTrainer

from .model_card import model_card
from .plots import confusion_figure, history_figure, reliability_figure, robustness_figure

ROBUSTNESS = "robustness.json"


def write_checkpoint(out: Path, trained: TrainedRun) -> dict[str, Any]:
    """Calibrates, saves and evaluates a trained network and removes Trainer's own checkpoints.

    All files are written elsewhere first and then moved into place, `report.json` last: a folder
    that has it is complete.

    Args:
        out: Folder of the run.
        trained: The finished training.

    Returns:
        The content of `report.json`.

    Raises:
        RunError: The weights are not finite.
    """
    data, report = trained.data, dict(trained.report)
    partial = out / ".partial"
    shutil.rmtree(partial, ignore_errors=True)
    recognizer = _recognizer_of(trained.trainer)
    report["temperature"], validated = calibrate(recognizer, data.table, data.split, data.augmentation)
    report["unsure_below"] = recognizer.model.config.unsure_below
    if trained.refitted:  # the network to be saved was trained on the validation part
        report |= _evaluate(recognizer, data, ["validation"], {"validation": validated})
        recognizer = _recognizer_of(trained.refitted)
        recognizer.model.config.calibration_temperature = report["temperature"]
        recognizer.model.config.unsure_below = report["unsure_below"]
    recognizer.model.save_pretrained(partial)
    recognizer.feature_extractor.save_pretrained(partial)
    recognizer = EmotionRecognizer.from_pretrained(partial)  # what is evaluated is what was saved
    report |= _evaluate(recognizer, data, ["test"] if trained.refitted else ["validation", "test"])
    history = [json.loads(line) for line in (out / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    write_report(partial, report, history, recognizer)
    shutil.copymode(partial / "config.json", partial / "model.safetensors")  # safetensors lets its owner alone read it
    for path in sorted(partial.iterdir(), key=lambda path: path.name == "report.json"):
        os.replace(path, out / path.name)
    partial.rmdir()
    for checkpoint in (*out.glob("checkpoint-*"), *out.glob(REFIT)):
        shutil.rmtree(checkpoint)
    (out / RECORD).unlink(missing_ok=True)  # the report says it all
    (out / ROBUSTNESS).unlink(missing_ok=True)  # of a network that was here before
    return report


def _recognizer_of(trainer: SerTrainer) -> EmotionRecognizer:
    recognizer = EmotionRecognizer(trainer.model.float(), trainer.processing_class)
    if not all(torch.isfinite(values).all() for values in recognizer.model.state_dict().values()):
        raise RunError("The trained weights are not finite, so no checkpoint was written: try a lower learning rate.")
    return recognizer


def _evaluate(
    recognizer: EmotionRecognizer, data: RunData, names: list[str], predicted: dict[str, np.ndarray] | None = None
) -> dict[str, Any]:
    """What `report.json` says of some parts; `predicted` as `predicted_before` of `evaluate_parts`."""
    parts = {name: data.split.parts()[name] for name in names}
    return evaluate_parts(recognizer, data.table, parts, data.augmentation, data.split.seed, predicted)


def write_report(
    folder: Path, report: dict[str, Any], history: list[dict[str, float]], recognizer: EmotionRecognizer
) -> None:
    """Writes pictures, model card and `report.json`.

    Args:
        folder: Where to.
        report: The content of `report.json`.
        history: The entries of `log.jsonl`.
        recognizer: The network they are about.
    """
    name = run_name(report)
    confusion = confusion_figure(report["test"], report["labels"], f"Test part: {name}")
    confusion.savefig(folder / "confusion_matrix.png", dpi=110)
    history_figure(history, report["best_epoch"], name).savefig(folder / "training_history.png", dpi=110)
    reliability_figure(report["test"]["calibration"], name).savefig(folder / "reliability.png", dpi=110)
    write_card(folder, report, recognizer)
    (folder / "report.json").write_text(json.dumps(report, indent=1), encoding="utf-8")


def write_card(folder: Path, report: dict[str, Any], recognizer: EmotionRecognizer) -> None:
    """Writes the model card, with a section on robustness where the folder has `robustness.json`."""
    found = folder / ROBUSTNESS
    robustness = json.loads(found.read_text(encoding="utf-8")) if found.is_file() else None
    model_card(report, _architecture(recognizer), robustness).save(folder / "README.md")


def _architecture(recognizer: EmotionRecognizer) -> str:
    """One line about the network, without what it was not asked to have."""
    network, config = type(recognizer.model).__bases__[1], recognizer.model.config  # of one window, behind `Windowed`
    line = str(network.__doc__).splitlines()[0]
    for part, size in (("BiLSTM", "lstm_hidden_size"), ("self-attention", "attention_heads")):
        line = line.replace(f"{part}, if asked > ", f"{part} > " if getattr(config, size, 0) else "")
    return line


def write_robustness(folder: Path, robustness: dict[str, Any], recognizer: EmotionRecognizer) -> None:
    """Writes the suite's result and picture into a checkpoint folder and its card anew.

    Args:
        folder: Where the recognizer lies.
        robustness: What `run_suite` gives, and what was tested.
        recognizer: Its report is the card's.
    """
    robustness_figure(robustness, folder.resolve().name).savefig(folder / "robustness.png", dpi=110)
    partial = folder / f".{ROBUSTNESS}.partial"
    partial.write_text(json.dumps(robustness, indent=1) + "\n", encoding="utf-8")
    os.replace(partial, folder / ROBUSTNESS)
    assert recognizer.report is not None  # the suite needs it too
    write_card(folder, recognizer.report, recognizer)


def run_name(report: dict[str, Any]) -> str:
    """Preset, protocol, fold and seed of a run."""
    return f"{report['preset']}, protocol {report['protocol']}, fold {report['fold']}, seed {report['seed']}"
