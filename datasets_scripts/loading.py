"""Corpora by name, and several of them as one table."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path

from datasets import ClassLabel, Dataset, concatenate_datasets

from ser_model.audio import printable

from .base import CorpusBuilder, CorpusError, in_order
from .clip_checks import clean, measured
from .crema_d import CremaDBuilder
from .folder import FolderBuilder
from .ravdess import RavdessBuilder
from .savee import SaveeBuilder
from .shards import find_shards, load_shards
from .tess import TessBuilder

logger = logging.getLogger(__name__)

CORPORA: dict[str, type[CorpusBuilder]] = {
    builder.corpus: builder for builder in (RavdessBuilder, CremaDBuilder, TessBuilder, SaveeBuilder, FolderBuilder)
}


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
    if not os.path.isdir(folder):
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

    Misnamed files and clips that `clip_checks.clean` leaves out are named in warnings.

    Args:
        corpora: Names, see `CORPORA`.
        data_dir: Any folder above the corpora's files.
        labels: Label names in the order wanted; by default every label of the corpora.
        relabel: Label -> the label it is counted as, or None to leave its clips out.
        cache_dir: Where prepared tables are kept; by default the datasets library's own cache.

    Returns:
        A table with `audio` (path), `corpus`, `speaker`, `sex`, `emotion`, the columns that some of
        the corpora have (None in the others), `content` and `seconds`, see `clip_checks.measure_clip`.

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
    """`load_corpora`, and the files it left out: `{file, reason}` each."""
    if not corpora:
        raise CorpusError(f"No corpus is named; known are {', '.join(CORPORA)}.")
    if shards := find_shards(data_dir):  # cleaned when they were prepared
        together, left_out = _of_labels_there(load_shards(shards, corpora)), []
    else:
        together, left_out = _cleaned(corpora, data_dir, cache_dir)
    for entry in left_out:
        logger.warning("%s left out: %s", entry["file"], entry["reason"])
    names = together.features["emotion"].names
    chosen = _relabelled(together, names if labels is None else list(labels), relabel or {})
    if len(chosen) == 0:
        raise CorpusError(f"No clip of {', '.join(corpora)} is left once labels are chosen.")
    return chosen, left_out


def _cleaned(
    corpora: Sequence[str], data_dir: str | os.PathLike, cache_dir: str | os.PathLike | None
) -> tuple[Dataset, list[dict[str, str]]]:
    """The clips of corpora that can be used, from their files, and what was left out."""
    builders = [find_corpus(name)(data_dir, cache_dir) for name in corpora]
    names = in_order(label for builder in builders for label in builder.labels)
    # Cleaned together, under the corpora's own labels: a recording may stand in two of them.
    parts = [_relabelled(measured(builder.dataset()), names, {}) for builder in builders]
    together, left_out = clean(concatenate_datasets(parts))
    defects = [defect for builder in builders for defect in builder.scan_result.defects]
    return together, [{"file": printable(path), "reason": reason} for path, reason in defects] + left_out


def _of_labels_there(dataset: Dataset) -> Dataset:
    """A table of some of the corpora that were prepared together, without labels that only others have."""
    names = dataset.features["emotion"].names
    return _relabelled(dataset, in_order(names[index] for index in set(dataset["emotion"])), {})


def _relabelled(dataset: Dataset, labels: list[str], relabel: dict[str, str | None]) -> Dataset:
    """Counts every label as `relabel` says and numbers labels as `labels` orders them."""
    names = dataset.features["emotion"].names
    target = {name: relabel.get(name, name) for name in names}
    for corpus, old in sorted(set(zip(dataset["corpus"], dataset["emotion"], strict=True))):
        name = names[old]
        if target[name] is not None and target[name] not in labels:
            raise CorpusError(
                f"{corpus} has the label {name}, which is none of {', '.join(labels)}: "
                "add it to the labels, or say under relabel what it counts as."
            )
    new_index = [labels.index(target[name]) if target[name] in labels else -1 for name in names]
    column = [new_index[old] for old in dataset["emotion"]]
    dataset = dataset.remove_columns("emotion").add_column("emotion", column, feature=ClassLabel(names=labels))
    kept = [index for index, label in enumerate(column) if label >= 0]
    return dataset if len(kept) == len(dataset) else dataset.select(kept)
