"""Evaluates a recognizer on (clip, view) items, as people use it: each clip by itself, analysis windows and all."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset
from datasets.utils import tqdm

from datasets_scripts.shards import recording
from datasets_scripts.splits import Item, Split
from datasets_scripts.texts import says_common_sentence
from ser_model.audio import load_audio
from ser_model.inference.base_recognizer import BaseRecognizer
from ser_model.inference.recognizer import EmotionRecognizer
from ser_model.metrics import emotion_metrics
from ser_model.models.windowing_ser import WINDOWS_AT_ONCE
from ser_model.training.augmentation import Augmentation
from ser_model.training.encoded_frames import batches_of_like_length

from .calibration import fit_temperature, fit_unsure_below, with_temperature
from .intervals import pooled_uar
from .reliability import calibration_figures

logger = logging.getLogger(__name__)

CLIPS_AT_HAND = 64  # loaded, of which batches of like length are made


def predict_items(
    recognizer: BaseRecognizer,
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
    rate = recognizer.sampling_rate
    waves = load_items(table, items, rate, augmentation, seed)
    progress = tqdm(waves, desc=f"Predicting the {name} part", total=len(items), unit="clip")
    probabilities = np.empty((len(items), len(recognizer.labels)))
    for places, clips in batches_by_length(progress):
        results = recognizer.predict_batch(clips, gate=False)  # every clip counts
        probabilities[places] = [list(result.probabilities.values()) for result in results]
    return probabilities


def batches_by_length(waves: Iterable[np.ndarray]) -> Iterator[tuple[list[int], list[np.ndarray]]]:
    """Waveforms in batches of `WINDOWS_AT_ONCE` of nearly the same length, and their places in `waves`."""
    waves, before = iter(waves), 0
    while group := list(islice(waves, CLIPS_AT_HAND)):
        for places in batches_of_like_length(group, WINDOWS_AT_ONCE):
            yield [before + place for place in places], [group[place] for place in places]
        before += len(group)


def load_items(
    table: Dataset, items: Sequence[Item], rate: int, augmentation: Augmentation, seed: int
) -> Iterator[np.ndarray]:
    """Waveforms `(num_samples,)` at `rate` Hz of (row of `table`, view) pairs, one after the other."""
    paths = list(table["audio"])
    for clip, view in items:
        yield augmentation.view(load_audio(recording(paths[clip]), rate), rate, Path(paths[clip]).stem, view, seed)


def calibrate(
    recognizer: EmotionRecognizer, table: Dataset, split: Split, augmentation: Augmentation
) -> tuple[float, np.ndarray]:
    """Fits the recognizer's temperature and `unsure_below` on the validation part, rounded as reported.

    Returns:
        The temperature, and the calibrated probabilities of the validation part `(num_items, num_labels)`.
    """
    probabilities = predict_items(recognizer, table, split.validation, augmentation, split.seed, "validation")
    references = column(table, "emotion", split.validation)
    temperature = round(fit_temperature(probabilities, references), 4)
    recognizer.model.config.calibration_temperature = temperature
    probabilities = with_temperature(probabilities, temperature)
    recognizer.model.config.unsure_below = fit_unsure_below(probabilities, references)
    return temperature, probabilities


def evaluate_predictions(
    probabilities: np.ndarray,
    table: Dataset,
    items: Sequence[Item],
    labels: list[str],
    name: str,
    temperature: float = 1.0,
) -> dict[str, Any]:
    """Compares predictions with the labels.

    Args:
        probabilities: `(num_items, num_labels)`, as `predict_items` gives them.
        table: Corpus table.
        items: (row of `table`, view) pairs.
        labels: Names of the classes.
        name: Name of the part, for warnings.
        temperature: What the recognizer's logits are divided by.

    Returns:
        The figures of `EmotionMetrics`; `calibration` as `calibration_figures` gives it; and those of
        `figures_by_group`.
    """
    references, predictions = column(table, "emotion", items), probabilities.argmax(axis=1)
    figures = emotion_metrics(predictions, references, labels)
    if figures["missing_classes"]:
        missing = ", ".join(figures["missing_classes"])
        logger.warning("The %s part has no clip of %s: left out of UAR and macro F1.", name, missing)
    figures["calibration"] = calibration_figures(probabilities, references, temperature)
    return figures | figures_by_group(predictions, table, items, labels)


def figures_by_group(
    predictions: np.ndarray, table: Dataset, items: Sequence[Item], labels: list[str]
) -> dict[str, Any]:
    """Compares predicted classes `(num_items,)` with the labels by corpus, by sex and by speaker.

    Returns:
        `per_corpus`, `per_sex` and `per_speaker` with the main figures of each. `uar_interval` of all items,
        of each corpus and of each sex: both ends as `pooled_uar` gives them, None with fewer than three speakers or
        where a clip does not say who speaks. `confusion_matrix` of each speaker. `common_sentences`
        of corpora where words tell labels: `clips` and `uar` of the sentences that every label has.
    """
    references, is_common = column(table, "emotion", items), says_common_sentence(table)[[clip for clip, _ in items]]
    corpora, speakers = column(table, "corpus", items), column(table, "speaker", items)

    def of(chosen: np.ndarray) -> dict[str, Any]:
        part = emotion_metrics(predictions[chosen], references[chosen], labels)
        kept = ("uar", "accuracy", "macro_f1", "missing_classes", "confusion_matrix")
        return {"clips": int(chosen.sum()), **{name: part[name] for name in kept}}

    per_speaker = {name: of(speakers == name) for name in sorted({name for name in speakers.tolist() if name})}
    per_corpus = {name: of(corpora == name) for name in sorted(set(corpora.tolist()))}
    for corpus, figures in per_corpus.items():
        del figures["confusion_matrix"]
        figures["uar_interval"] = _interval(per_speaker, set(speakers[corpora == corpus].tolist()))
        if (common := (corpora == corpus) & is_common).any():
            of_common = of(common)
            figures["common_sentences"] = {name: of_common[name] for name in ("clips", "uar")}
    everyone = _interval(per_speaker, set(speakers.tolist()))
    sexes = column(table, "sex", items)
    per_sex = {name: of(sexes == name) for name in sorted({name for name in sexes.tolist() if name})}
    for sex, figures in per_sex.items():
        del figures["confusion_matrix"]
        figures["uar_interval"] = _interval(per_speaker, set(speakers[sexes == sex].tolist()))
    return {"uar_interval": everyone, "per_corpus": per_corpus, "per_sex": per_sex, "per_speaker": per_speaker}


def _interval(per_speaker: dict[str, dict[str, Any]], speakers: set[str]) -> list[float] | None:
    """95 % interval of some speakers' UAR; None where it cannot be known."""
    if not all(speakers):
        return None
    _, low, high = pooled_uar([per_speaker[name]["confusion_matrix"] for name in sorted(speakers)])
    return None if low is None or high is None else [low, high]


def column(table: Dataset, name: str, items: Sequence[Item]) -> np.ndarray:
    """One column of the items' clips, `(num_items,)`."""
    values = list(table[name])
    return np.array([values[clip] for clip, _ in items])
