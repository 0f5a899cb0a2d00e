"""Which clips say the same words, and where the words give the label away."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from datasets import Dataset

from .base import CorpusBuilder
from .loading import CORPORA

Text = tuple[str, str]  # corpus and sentence


def text_leakage(dataset: Dataset, train: set[int], test: set[int]) -> dict[str, dict[str, Any]]:
    """Counts test clips whose words tell their label: sentences that occur with one label only, and were trained on.

    Args:
        dataset: Corpus table.
        train, test: Rows of the two parts.

    Returns:
        For each corpus of the test part whose sentences are known: `sentences`, how many with one label
        in the whole table stand in training and test; `test_clips`, how many test clips say one of
        them; `test_share`, their share of the corpus's test clips.
    """
    said = _texts(dataset)
    labels, trained = _labels_of(said, dataset["emotion"]), {said[clip] for clip in train}
    report = {}
    for corpus in sorted({text[0] for clip in test if (text := said[clip])}):
        tested = [text for clip in test if (text := said[clip]) and text[0] == corpus]
        telling = [text for text in tested if len(labels[text]) == 1 and text in trained]
        report[corpus] = {
            "sentences": len(set(telling)), "test_clips": len(telling), "test_share": len(telling) / len(tested)
        }  # fmt: skip
    return report


def says_common_sentence(dataset: Dataset) -> np.ndarray:
    """Which clips `(num_clips,)` say a sentence that occurs with every label of their corpus.

    No clip of a corpus without sentences of one label only: there the words tell nothing.
    """
    said = _texts(dataset)
    labels, labels_of_corpus = _labels_of(said, dataset["emotion"]), _labels_of(dataset["corpus"], dataset["emotion"])
    leaking = {text[0] for text, found in labels.items() if len(found) == 1}
    common = {text for text, found in labels.items() if text[0] in leaking and found == labels_of_corpus[text[0]]}
    return np.array([text in common for text in said])


def _texts(dataset: Dataset) -> list[Text | None]:
    """What each clip says, equal where the words are; None where they are not known."""
    columns = [name for name in ("corpus", "audio", "statement") if name in dataset.column_names]
    rows = list(dataset.select_columns(columns))
    said = [CORPORA.get(row["corpus"], CorpusBuilder).text(row) for row in rows]
    return [(row["corpus"], text) if text else None for row, text in zip(rows, said, strict=True)]


def _labels_of(groups: Sequence[Any], labels: Sequence[int]) -> dict[Any, set[int]]:
    found: dict[Any, set[int]] = defaultdict(set)
    for group, label in zip(groups, labels, strict=True):
        if group is not None:
            found[group].add(label)
    return found
