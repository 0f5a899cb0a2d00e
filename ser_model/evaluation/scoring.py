"""Measures a recognizer on (clip, view) items, the way people use it: clip by clip, windows and all."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset
from tqdm import tqdm

from datasets_scripts.splits import Item
from ser_model.audio import load_audio
from ser_model.inference.recognizer import EmotionRecognizer
from ser_model.metrics import EmotionMetrics
from ser_model.training.augmentation import Augmentation

from .calibration import expected_calibration_error, negative_log_likelihood

logger = logging.getLogger(__name__)


def without_folders(left_out: list[dict[str, str]]) -> list[dict[str, str]]:
    """Files left out by name alone: a report is read on other machines."""
    return [{**entry, "file": Path(entry["file"]).name} for entry in left_out]


def hear(
    recognizer: EmotionRecognizer,
    table: Dataset,
    items: Sequence[Item],
    augmentation: Augmentation,
    seed: int,
    name: str,
) -> np.ndarray:
    """Hears every item.

    Args:
        recognizer: Its labels are the table's.
        table: Corpus table.
        items: (row of `table`, view) pairs.
        augmentation: How views other than 0 are made.
        seed: Seed of the views.
        name: Name of the part, for the progress bar.

    Returns:
        Probabilities `(num_items, num_labels)`.
    """
    paths, rate = list(table["audio"]), recognizer.sampling_rate
    heard = []
    for clip, view in tqdm(items, desc=f"Hearing the {name} part", unit="clip"):
        wave = augmentation.view(load_audio(paths[clip], rate), rate, Path(paths[clip]).stem, view, seed)
        heard.append(list(recognizer(wave, rate).probabilities.values()))
    return np.array(heard)


def figures_of(
    probabilities: np.ndarray, table: Dataset, items: Sequence[Item], labels: list[str], name: str
) -> dict[str, Any]:
    """Compares what was heard with the labels.

    Returns:
        The figures of `EmotionMetrics`; `calibration`: expected calibration error `ece` and negative
        log-likelihood `nll`; `per_corpus` and `per_speaker` with the main figures of each.
    """
    metrics = EmotionMetrics(labels)
    emotions = list(table["emotion"])
    references = np.array([emotions[clip] for clip, _ in items])
    predictions = probabilities.argmax(axis=1)
    figures = metrics.compute(predictions=predictions, references=references)
    if figures["missing_classes"]:
        missing = ", ".join(figures["missing_classes"])
        logger.warning("The %s part has no clip of %s: left out of UAR and macro F1.", name, missing)
    figures["calibration"] = {
        "ece": expected_calibration_error(probabilities, references),
        "nll": negative_log_likelihood(probabilities, references),
    }
    for column, key in (("corpus", "per_corpus"), ("speaker", "per_speaker")):
        every = list(table[column])
        groups = np.array([every[clip] for clip, _ in items])
        figures[key] = {}
        for group in sorted(set(groups.tolist())):
            of_group = groups == group
            part = metrics.compute(predictions=predictions[of_group], references=references[of_group])
            figures[key][group] = {
                "clips": int(of_group.sum()), **{name: part[name] for name in ("uar", "accuracy", "macro_f1")},
                "missing_classes": part["missing_classes"],
            }  # fmt: skip
    return figures
