"""Measures a recognizer on (clip, view) items, the way people use it: clip by clip, windows and all."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from datasets import Dataset
from tqdm import tqdm

from datasets_scripts.splits import Item

from ..audio import load_audio
from ..augmentation import Augmentation
from ..metrics import EmotionMetrics
from ..recognizer import EmotionRecognizer

logger = logging.getLogger(__name__)


def without_folders(left_out: list[dict[str, str]]) -> list[dict[str, str]]:
    """Files left out by name alone: a report is read on other machines."""
    return [{**entry, "file": Path(entry["file"]).name} for entry in left_out]


def measure(
    recognizer: EmotionRecognizer,
    table: Dataset,
    items: Sequence[Item],
    augmentation: Augmentation,
    seed: int,
    name: str,
) -> dict[str, Any]:
    """Hears every item and compares with its label.

    Args:
        recognizer: Its labels are the table's.
        table: Corpus table.
        items: (row of `table`, view) pairs.
        augmentation: How views other than 0 are made.
        seed: Seed of the views.
        name: What the progress bar says.

    Returns:
        The figures of `EmotionMetrics`, and `per_corpus` and `per_speaker` with the same figures
        (without confusion matrix) of each.
    """
    metrics = EmotionMetrics(recognizer.labels)
    paths, labels = list(table["audio"]), list(table["emotion"])
    predictions, references = [], []
    for clip, view in tqdm(items, desc=f"Hearing the {name} part", unit="clip"):
        wave = load_audio(paths[clip], recognizer.sampling_rate)
        wave = augmentation.view(wave, recognizer.sampling_rate, Path(paths[clip]).stem, view, seed)
        heard = recognizer(wave, recognizer.sampling_rate)
        predictions.append(recognizer.labels.index(heard.label))
        references.append(labels[clip])
    figures = metrics.compute(predictions=predictions, references=references)
    if figures["missing_classes"]:
        missing = ", ".join(figures["missing_classes"])
        logger.warning("The %s part has no clip of %s: left out of UAR and macro F1.", name, missing)
    for column, key in (("corpus", "per_corpus"), ("speaker", "per_speaker")):
        groups = list(table[column])
        figures[key] = {}
        for group in sorted({groups[clip] for clip, _ in items}):
            members = [index for index, (clip, _) in enumerate(items) if groups[clip] == group]
            part = metrics.compute(
                predictions=[predictions[index] for index in members],
                references=[references[index] for index in members],
            )
            figures[key][group] = {
                "clips": len(members), **{name: part[name] for name in ("uar", "accuracy", "macro_f1")},
                "missing_classes": part["missing_classes"],
            }  # fmt: skip
    return figures
