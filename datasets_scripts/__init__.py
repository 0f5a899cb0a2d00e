"""Corpora of emotional speech as Hugging Face datasets."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path

from datasets import ClassLabel, Dataset, concatenate_datasets

from .base import CorpusBuilder, CorpusError
from .content import clean, measured
from .ravdess import RavdessBuilder

logger = logging.getLogger(__name__)

CORPORA: dict[str, type[CorpusBuilder]] = {builder.corpus: builder for builder in (RavdessBuilder,)}

__all__ = ["CORPORA", "CorpusBuilder", "CorpusError", "data_dir_or_default", "find_corpus", "load_corpora", "load_with_left_out"]


def find_corpus(name: str) -> type[CorpusBuilder]:
    """The builder of a corpus by its name.

    Raises:
        CorpusError: No corpus has this name.
    """
    if name not in CORPORA:
        raise CorpusError(f"There is no corpus called {name}; known are {', '.join(CORPORA)}.")
    return CORPORA[name]


def data_dir_or_default(data_dir: str | os.PathLike | None) -> Path:
    """The folder above the corpora: the one given, else `$SER_DATA_DIR`, else `./data`."""
    folder = Path(data_dir or os.environ.get("SER_DATA_DIR") or "data")
    if not folder.is_dir():
        raise CorpusError(
            f"There is no folder {folder} with corpora in it: name yours with --data_dir or SER_DATA_DIR, "
            "or get RAVDESS (200 MB) with: python -m datasets_scripts download ravdess --data_dir data"
        )
    return folder


def load_corpora(
    corpora: Sequence[str],
    data_dir: str | os.PathLike,
    labels: Sequence[str] | None = None,
    relabel: dict[str, str | None] | None = None,
    cache_dir: str | os.PathLike | None = None,
) -> Dataset:
    """Loads one or several corpora as one Dataset, one row a clip.

    Clips that `content.clean` leaves out are named in warnings.

    Args:
        corpora: Names, see `CORPORA`.
        data_dir: Any folder above the corpora's files.
        labels: Label names in the order wanted; by default every label of the corpora.
        relabel: Label -> the label it is counted as, or None to leave its clips out.
        cache_dir: Where prepared tables are kept; by default the datasets library's own cache.

    Raises:
        CorpusError: A corpus is unknown, not there, empty, or has a label outside `labels`.
    """
    return load_with_left_out(corpora, data_dir, labels, relabel, cache_dir)[0]


def load_with_left_out(
    corpora: Sequence[str],
    data_dir: str | os.PathLike,
    labels: Sequence[str] | None = None,
    relabel: dict[str, str | None] | None = None,
    cache_dir: str | os.PathLike | None = None,
) -> tuple[Dataset, list[dict[str, str]]]:
    """`load_corpora`, and the clips it left out: `{file, reason}` each."""
    builders = [find_corpus(name)(data_dir, cache_dir) for name in corpora]
    if labels is None:
        labels = list(dict.fromkeys(label for builder in builders for label in builder.labels))
    parts, left_out = [], []
    for builder in builders:
        part, its_left_out = clean(measured(builder.dataset()))
        parts.append(_relabelled(part, builder.corpus, list(labels), relabel or {}))
        left_out += its_left_out
    for entry in left_out:
        logger.warning("%s left out: %s", entry["file"], entry["reason"])
    together = concatenate_datasets(parts)
    if len(together) == 0:
        raise CorpusError(f"No clip of {', '.join(corpora)} is left once labels are chosen.")
    return together, left_out


def _relabelled(dataset: Dataset, corpus: str, labels: list[str], relabel: dict[str, str | None]) -> Dataset:
    names = dataset.features["emotion"].names
    target = {name: relabel.get(name, name) for name in names}
    present = {names[index] for index in dataset.unique("emotion")}
    unknown = sorted(name for name in present if target[name] is not None and target[name] not in labels)
    if unknown:
        raise CorpusError(
            f"{corpus} has the label {unknown[0]}, which is none of {', '.join(labels)}: "
            "add it to the labels, or say under relabel what it counts as."
        )
    new_index = [labels.index(target[name]) if target[name] in labels else -1 for name in names]
    column = [new_index[old] for old in dataset["emotion"]]
    dataset = dataset.remove_columns("emotion").add_column("emotion", column, feature=ClassLabel(names=labels))
    kept = [index for index, label in enumerate(column) if label >= 0]
    return dataset if len(kept) == len(dataset) else dataset.select(kept)
