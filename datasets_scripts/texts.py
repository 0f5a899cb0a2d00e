"""Which clips say the same words, and where the words give the label away."""

from __future__ import annotations

from collections import defaultdict
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
    said, labels, _ = _said(dataset)
    trained = {said[clip] for clip in train}
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
    said, labels, labels_of_corpus = _said(dataset)
    leaking = {text[0] for text, found in labels.items() if len(found) == 1}
    common = {text for text, found in labels.items() if text[0] in leaking and found == labels_of_corpus[text[0]]}
    return np.array([text in common for text in said])


def _said(dataset: Dataset) -> tuple[list[Text | None], dict[Text, set[int]], dict[str, set[int]]]:
    """What each clip says, None where it is not known; the labels of each sentence and of each corpus."""
    columns = {"corpus", "audio", "speaker", "statement", "emotion"}.intersection(dataset.column_names)
    said: list[Text | None] = []
    of_text, of_corpus = defaultdict(set), defaultdict(set)
    for row in dataset.select_columns(sorted(columns)).to_list():
        corpus, label = row["corpus"], row["emotion"]
        words = CORPORA.get(corpus, CorpusBuilder).text(row)
        said.append((corpus, words) if words else None)
        of_corpus[corpus].add(label)
        if words:
            of_text[corpus, words].add(label)
    return said, of_text, of_corpus
