"""Evaluates a recognizer on (clip, view) items, as people use it: clip by clip, analysis windows and all."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset
from tqdm import tqdm

from datasets_scripts.splits import Item, Split
from ser_model.audio import load_audio
from ser_model.inference.recognizer import EmotionRecognizer
from ser_model.metrics import emotion_metrics
from ser_model.training.augmentation import Augmentation

from .calibration import expected_calibration_error, fit_temperature, negative_log_likelihood
from .intervals import pooled_uar

logger = logging.getLogger(__name__)


def predict_items(
    recognizer: EmotionRecognizer,
    table: Dataset,
    items: Sequence[Item],
    augmentation: Augmentation,
    seed: int,
    name: str,
) -> np.ndarray:
    """Predicts the emotion of every item.

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
    predicted = []
    for clip, view in tqdm(items, desc=f"Predicting the {name} part", unit="clip"):
        wave = augmentation.view(load_audio(paths[clip], rate), rate, Path(paths[clip]).stem, view, seed)
        predicted.append(list(recognizer(wave, rate).probabilities.values()))
    return np.array(predicted)


def calibrate(recognizer: EmotionRecognizer, table: Dataset, split: Split, augmentation: Augmentation) -> float:
    """Fits the recognizer's temperature on the validation part, rounded as it will be reported, and returns it."""
    probabilities = predict_items(recognizer, table, split.validation, augmentation, split.seed, "validation")
    temperature = round(fit_temperature(probabilities, _column(table, "emotion", split.validation)), 4)
    recognizer.model.config.calibration_temperature = temperature
    return temperature


def evaluate_predictions(
    probabilities: np.ndarray, table: Dataset, items: Sequence[Item], labels: list[str], name: str
) -> dict[str, Any]:
    """Compares predictions with the labels.

    Returns:
        The figures of `EmotionMetrics`; `uar_interval`: both ends as `pooled_uar` gives them, None
        with fewer than three speakers or where clips do not say who speaks; `calibration`: expected
        calibration error `ece` and negative log-likelihood `nll`; `per_corpus` and `per_speaker` with
        the main figures of each, the interval of corpora, and the `confusion_matrix` of speakers.
    """
    references, predictions = _column(table, "emotion", items), probabilities.argmax(axis=1)
    figures = emotion_metrics(predictions, references, labels)
    if figures["missing_classes"]:
        missing = ", ".join(figures["missing_classes"])
        logger.warning("The %s part has no clip of %s: left out of UAR and macro F1.", name, missing)
    figures["calibration"] = {
        "ece": expected_calibration_error(probabilities, references),
        "nll": negative_log_likelihood(probabilities, references),
    }
    corpora, speakers = _column(table, "corpus", items), _column(table, "speaker", items)
    for key, groups in (("per_corpus", corpora), ("per_speaker", speakers)):
        figures[key] = {}
        for group in sorted(set(groups.tolist()), key=str):
            of_group = groups == group
            part = emotion_metrics(predictions[of_group], references[of_group], labels)
            figures[key][group] = {
                "clips": int(of_group.sum()), **{name: part[name] for name in ("uar", "accuracy", "macro_f1")},
                "missing_classes": part["missing_classes"],
            }  # fmt: skip
            if key == "per_speaker":
                figures[key][group]["confusion_matrix"] = part["confusion_matrix"]
    for corpus, part in figures["per_corpus"].items():
        part["uar_interval"] = _interval(figures["per_speaker"], set(speakers[corpora == corpus].tolist()))
    figures["uar_interval"] = _interval(figures["per_speaker"], set(speakers.tolist()))
    return figures


def _interval(per_speaker: dict[str, dict[str, Any]], speakers: set[str]) -> list[float] | None:
    """95 % interval of some speakers' UAR; None where it cannot be known."""
    if not all(speakers):
        return None
    _, low, high = pooled_uar([per_speaker[name]["confusion_matrix"] for name in sorted(speakers)])
    return None if low is None or high is None else [low, high]


def _column(table: Dataset, name: str, items: Sequence[Item]) -> np.ndarray:
    """One column of the items' clips, `(num_items,)`."""
    values = list(table[name])
    return np.array([values[clip] for clip, _ in items])
