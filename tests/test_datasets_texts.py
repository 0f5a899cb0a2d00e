"""Which clips say the same words, and which words tell the label."""

import numpy as np
import pytest
from datasets import ClassLabel, Dataset

from datasets_scripts.savee import SaveeBuilder
from datasets_scripts.texts import says_common_sentence, text_leakage

LABELS = ["neutral", "happy", "sad"]


def table_of(*rows: tuple[str, str, str | None]) -> Dataset:
    """One clip for each corpus, label and statement."""
    columns = ("corpus", "emotion", "statement")
    return Dataset.from_list([dict(zip(columns, row, strict=True)) for row in rows]).cast_column(
        "emotion", ClassLabel(names=LABELS)
    )


TABLE = table_of(
    ("own", "happy", "What a day"), ("own", "sad", "Oh no"), ("own", "happy", "It is noon"),
    ("own", "sad", "It is noon"), ("own", "happy", "What a day"), ("own", "sad", "Oh no"), ("own", "sad", "Alas"),
    ("own", "sad", "It is noon"), ("own", "happy", "It is noon"),
    ("even", "happy", "One"), ("even", "sad", "One"), ("even", "sad", "One"), ("silent", "sad", None),
)  # fmt: skip


def test_sentences_of_one_label_on_both_sides_are_counted():
    leakage = text_leakage(TABLE, train={0, 1, 2, 3, 9}, test={4, 5, 6, 7, 8, 10, 12})
    assert leakage["own"] == {"sentences": 2, "test_clips": 2, "test_share": 2 / 5}  # Alas was not trained on
    assert leakage["even"] == {"sentences": 0, "test_clips": 0, "test_share": 0.0}
    assert set(leakage) == {"own", "even"}  # what the third says is not known
    assert text_leakage(TABLE, train={1}, test={4, 5})["own"]["test_clips"] == 1


def test_the_label_is_that_of_the_whole_table():
    """A sentence that another part of the table says with another label tells nothing."""
    assert text_leakage(TABLE, train={2}, test={8})["own"]["sentences"] == 0


def test_common_sentences_occur_with_every_label_of_their_corpus():
    assert np.flatnonzero(says_common_sentence(TABLE)).tolist() == [2, 3, 7, 8]
    more = table_of(*zip(TABLE["corpus"], map(LABELS.__getitem__, TABLE["emotion"]), TABLE["statement"], strict=True),
                    ("own", "neutral", "Noon"))  # fmt: skip
    assert not says_common_sentence(more).any()


@pytest.mark.parametrize(
    ("clip", "text"),
    [
        ("a01", "common 1"), ("sa03", "common 3"), ("n02", "common 2"), ("n16", "common 1"), ("n18", "common 3"),
        ("a04", "angry 4"), ("n19", "angry 4"), ("n20", "angry 5"), ("n21", "disgust 4"), ("n24", "fear 5"),
        ("n25", "surprise 4"), ("n28", "sad 5"), ("n29", "happy 4"), ("n30", "happy 5"), ("n04", "neutral 4"),
        ("n15", "neutral 15"), ("d06", "disgust 6"),
    ],
)  # fmt: skip
def test_savee_sentences_are_told_apart_by_emotion(clip, text):
    for path in (f"/x/ALL/JK_{clip}.wav", f"/x/JK/{clip}.wav", f"/x/data/train-00000-of-00001.parquet#12/{clip}.wav"):
        assert SaveeBuilder.text({"audio": path, "speaker": "savee_JK"}) == text
