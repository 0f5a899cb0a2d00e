"""Checks of unchanged clips: accuracy by class, and how far women, men and pitch bands lie from everyone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from ser_model.metrics import emotion_metrics

from .checks import Check, at_least, at_most, widened

LEAST_RECALL = LEAST_PRECISION = 0.5  # of each class and on average
LARGEST_SHARE_ERROR = 0.15  # of a class among the predictions
SEX_LIMITS = {"UAR": 0.075, "precision": 0.075, "recall": 0.175}
PITCH_LIMITS = {"UAR": 0.075, "precision": 0.1, "recall": 0.225}
RAREST_SHARE = 0.05  # of a group's clips, as of the rarest class in the simulations of ser-tests; rarer: not compared
VACUOUS = 0.3  # a limit widened beyond it says nothing about a group: no check
PITCH_BANDS = (("low pitch", 145.0), ("medium pitch", 190.0), ("high pitch", np.inf))  # Hz, up to


def correctness_checks(predictions: np.ndarray, references: np.ndarray, labels: Sequence[str]) -> list[Check]:
    """UAR, and of each class recall, precision and share of the predictions.

    Args:
        predictions: Class numbers `(num_clips,)`, -1 where there is no answer.
        references: True class numbers `(num_clips,)`.
        labels: Names of the classes; one without a true clip is not checked.
    """
    figures, clips = emotion_metrics(predictions, references, list(labels)), len(references)
    checks = [at_least("correctness", "all classes", "UAR", figures["uar"], LEAST_RECALL, clips)]
    for index, label in enumerate(labels):
        of_class = figures["per_class"][label]
        if not of_class["support"]:
            continue
        error = abs(np.mean(predictions == index) - np.mean(references == index))
        checks += [
            at_least("correctness", label, "recall", of_class["recall"], LEAST_RECALL, of_class["support"]),
            at_least("correctness", label, "precision", of_class["precision"], LEAST_PRECISION, of_class["support"]),
            at_most("correctness", label, "error of its share", error, LARGEST_SHARE_ERROR, clips),
        ]
    return checks


def fairness_checks(
    predictions: np.ndarray,
    references: np.ndarray,
    labels: Sequence[str],
    corpora: np.ndarray,
    groups: np.ndarray,
    limits: dict[str, float],
) -> list[Check]:
    """How far each group of speakers lies from all of them, by UAR and by the class where that is worst.

    Only corpora with at least two groups in them count, since corpora differ more than voices do, and only classes
    that at least one in twenty of a group's clips has. Limits
    are widened by the number of a group's clips, see `widened`; where one would exceed 0.3 there is no check.

    Args:
        predictions, references, labels: As for `correctness_checks`.
        corpora: Corpus of each clip `(num_clips,)`.
        groups: Group of each clip `(num_clips,)`, None where it is not known.
        limits: Largest difference of "UAR", "precision" and "recall".
    """
    known = np.array([group is not None for group in groups], dtype=bool)
    several = [name for name in set(corpora) if len(set(groups[known & (corpora == name)])) > 1]
    counted = known & np.isin(corpora, several)
    if not counted.any():
        return []
    everyone = emotion_metrics(predictions[counted], references[counted], list(labels))
    checks = []
    for group in sorted(set(groups[counted])):
        own = counted & (groups == group)
        figures, clips = emotion_metrics(predictions[own], references[own], list(labels)), int(own.sum())
        present = [label for label in labels if figures["per_class"][label]["support"] >= RAREST_SHARE * clips]
        differences = {"UAR": abs(figures["uar"] - everyone["uar"])} | {
            measure: max(
                (
                    abs(figures["per_class"][label][measure] - everyone["per_class"][label][measure])
                    for label in present
                ),
                default=0.0,  # of many labels none may be that frequent
            )
            for measure in ("precision", "recall")
        }
        checks += [
            at_most("fairness", group, f"difference of {measure}" + ("" if measure == "UAR" else ", worst class"),
                    difference, widened(limits[measure], clips), clips)
            for measure, difference in differences.items()
            if widened(limits[measure], clips) <= VACUOUS
        ]  # fmt: skip
    return checks


def pitch_bands(pitches: np.ndarray, speakers: np.ndarray) -> np.ndarray:
    """Pitch band of each clip's speaker `(num_clips,)`, by the mean over the speaker's clips.

    Args:
        pitches: Mean pitch of each clip in Hz `(num_clips,)`, NaN where none was found.
        speakers: Who speaks `(num_clips,)`, None where it is not known.
    """
    of_speaker: dict[Any, list[float]] = defaultdict(list)
    for speaker, pitch in zip(speakers, pitches, strict=True):
        if speaker is not None and np.isfinite(pitch):
            of_speaker[speaker].append(float(pitch))
    bands = {
        speaker: next(name for name, highest in PITCH_BANDS if np.mean(own) <= highest)
        for speaker, own in of_speaker.items()
    }
    return np.array([bands.get(speaker) for speaker in speakers], dtype=object)


def speaker_figures(
    predictions: np.ndarray, references: np.ndarray, labels: Sequence[str], speakers: np.ndarray
) -> dict[str, Any]:
    """UAR of the best and the worst speaker, and how far apart they lie; empty where nobody is named."""
    uars = {
        speaker: emotion_metrics(predictions[speakers == speaker], references[speakers == speaker], list(labels))["uar"]
        for speaker in sorted({name for name in speakers.tolist() if name is not None})
    }
    if not uars:
        return {}
    worst, best = min(uars, key=lambda name: uars[name]), max(uars, key=lambda name: uars[name])
    return {
        "speakers": len(uars),
        "best": {"speaker": best, "uar": round(uars[best], 4)},
        "worst": {"speaker": worst, "uar": round(uars[worst], 4)},
        "spread": round(uars[best] - uars[worst], 4),
    }
