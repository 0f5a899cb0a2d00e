"""What a model is evaluated on that was trained elsewhere, and whose labels are its own."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from datasets import Dataset

from datasets_scripts import CorpusError, load_with_left_out
from datasets_scripts.loading import relabelled
from datasets_scripts.splits import Item, make_split
from ser_model.labels import emotion_of
from ser_model.training.run import left_out_by_name

SEED = 0
UNKNOWN_TRAINING = (
    "What this model was trained on is not known here: it may have been trained on these clips or speakers."
)

logger = logging.getLogger(__name__)


def matching_labels(of_corpora: Sequence[str], of_model: Sequence[str]) -> dict[str, str | None]:
    """For each label of corpora the model's label of the same name or meaning, None where it has none."""
    meant = {emotion_of(label): label for label in reversed(of_model)}
    meant.pop(None, None)
    return {label: label if label in of_model else meant.get(emotion_of(label)) for label in of_corpora}


def with_labels_of(table: Dataset, labels: list[str]) -> tuple[Dataset, dict[str, list[str]]]:
    """A corpus table under a model's labels, without the clips of labels that it does not know.

    Args:
        table: Corpus table under labels of its own.
        labels: The model's.

    Returns:
        The table, and corpus -> labels whose clips were dropped.

    Raises:
        CorpusError: No label is known to the model.
    """
    names = table.features["emotion"].names
    match = matching_labels(names, labels)
    dropped: dict[str, list[str]] = {}
    for corpus, index in sorted(set(zip(table["corpus"], table["emotion"], strict=True))):
        if match[names[index]] is None:
            dropped.setdefault(corpus, []).append(names[index])
    known = relabelled(table, labels, match)
    if not len(known):
        raise CorpusError(
            f"No clip has a label of the model: the clips have {', '.join(names)}, the model {', '.join(labels)}."
        )
    for corpus, left in dropped.items():
        logger.warning("%s: clips of %s are left out, which the model does not know.", corpus, ", ".join(left))
    return known, dropped


def load_foreign_parts(
    labels: list[str],
    folder: Path,
    protocol: str | None,
    fold: int | None,
    corpora: list[str] | None,
    csv: str | os.PathLike | None,
    all_clips: bool = False,
) -> tuple[dict[str, Any], Dataset, dict[str, list[Item]]]:
    """What a model from elsewhere is evaluated on: the test part that a preset would have, or all clips.

    Args:
        labels: The model's.
        folder: Above the corpora.
        protocol, fold: By default `speaker` and 1, as in training.
        corpora: Names.
        csv: Table of the corpus `folder`.
        all_clips: Whether all clips are meant.

    Returns:
        As `load_parts`; the leakage of the report is unknown.

    Raises:
        CorpusError: No corpora are named, they are not there, or have no label of the model.
    """
    if not corpora:
        raise CorpusError(
            "The model has no report.json, which says what it was trained on: name corpora to evaluate it on with "
            "--corpora."
        )
    table, left_out = load_with_left_out(corpora, folder, csv=csv)
    protocol, fold = protocol or "speaker", fold or 1
    if not all_clips:
        table = table.select([clip for clip, _ in make_split(table, protocol, fold, SEED).test])
    tested, dropped = with_labels_of(table, labels)
    report = {
        "preset": None,
        "protocol": protocol,
        "corpora": corpora,
        "whole_corpora": corpora if all_clips else [],
        "fold": fold,
        "seed": SEED,
        "labels": labels,
        "split_sizes": {"test": len(tested)},
        "leakage": {"notes": [UNKNOWN_TRAINING]},
        "left_out": left_out_by_name(left_out),
        "classes_left_out": dropped,
    }
    return report, tested, {"test": [(row, 0) for row in range(len(tested))]}
