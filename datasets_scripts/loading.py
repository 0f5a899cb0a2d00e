"""Corpora by name, and several of them as one table."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from datasets import ClassLabel, Dataset, concatenate_datasets

from ser_model.audio import printable
from ser_model.labels import emotion_of

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
    csv: str | os.PathLike | None = None,
    drop_other_labels: bool = False,
) -> Dataset:
    """Loads one or several corpora as one Dataset, one row a clip.

    Misnamed files and clips that `clip_checks.clean` leaves out are named in warnings.

    Args:
        corpora: Names, see `CORPORA`.
        data_dir: Any folder above the corpora's files.
        labels: Label names in the order wanted; by default every label of the corpora.
        relabel: Label -> the label it is counted as, or None to leave its clips out.
        cache_dir: Where prepared tables are kept; by default the datasets library's own cache.
        csv: Table of the corpus `folder`; by default one that lies in it, or none.
        drop_other_labels: Whether clips of labels outside `labels` are left out, not an error.

    Returns:
        A table with `audio` (path), `corpus`, `speaker`, `sex`, `emotion`, the columns that some of
        the corpora have (None in the others), `content` and `seconds`, see `clip_checks.measure_clip`.

    Raises:
        CorpusError: A corpus is unknown, not there, empty, or has a label outside `labels`.
    """
    return load_with_left_out(corpora, data_dir, labels, relabel, cache_dir, csv, drop_other_labels)[0]


def load_with_left_out(
    corpora: Sequence[str],
    data_dir: str | os.PathLike,
    labels: Sequence[str] | None = None,
    relabel: dict[str, str | None] | None = None,
    cache_dir: str | os.PathLike | None = None,
    csv: str | os.PathLike | None = None,
    drop_other_labels: bool = False,
) -> tuple[Dataset, list[dict[str, str]]]:
    """`load_corpora`, and the files it left out: `{file, reason}` each."""
    if not corpora:
        raise CorpusError(f"No corpus is named; known are {', '.join(CORPORA)}.")
    relabel = dict(relabel or {})
    left_out: list[dict[str, str]] = []
    if shards := find_shards(data_dir):  # cleaned when they were prepared
        together = _of_labels_there(load_shards(shards, corpora))
    else:
        together, left_out = _cleaned(corpora, data_dir, cache_dir, csv, (*(labels or ()), *relabel))
    for entry in left_out:
        logger.warning("%s left out: %s", entry["file"], entry["reason"])
    names = together.features["emotion"].names
    labels = names if labels is None else list(labels)
    if drop_other_labels:
        others = [name for name in names if relabel.get(name, name) not in labels]
        relabel |= dict.fromkeys(others)
        if others:
            logger.warning("Clips of %s are left out: none of the labels %s.", ", ".join(others), ", ".join(labels))
    chosen = relabelled(together, labels, relabel)
    if len(chosen) == 0:
        raise CorpusError(f"No clip of {', '.join(corpora)} is left once labels are chosen.")
    return chosen, left_out


def _cleaned(
    corpora: Sequence[str],
    data_dir: str | os.PathLike,
    cache_dir: str | os.PathLike | None,
    csv: str | os.PathLike | None,
    labels: Sequence[str],
) -> tuple[Dataset, list[dict[str, str]]]:
    """The clips of corpora that can be used, from their files, and what was left out."""
    try:
        builders = [_builder(name, data_dir, cache_dir, csv, labels) for name in corpora]
    except CorpusError as error:
        raise CorpusError(f"{error}{_own_recordings_there(corpora, data_dir)}") from error
    names = in_order(label for builder in builders for label in builder.labels)
    # Cleaned together, under the corpora's own labels: a recording may stand in two of them.
    parts = [relabelled(measured(builder.dataset()), names, {}) for builder in builders]
    together, left_out = clean(concatenate_datasets(parts))
    there = set(together["corpus"])
    for name, part in zip(corpora, parts, strict=True):
        if name not in there:
            files = set(part["audio"])
            first = next(entry for entry in left_out if entry["file"] in files)
            reason = f"{printable(Path(first['file']).name)}: {first['reason'].rstrip('.')}"
            raise CorpusError(f"No clip of {name} can be used; the first: {reason}.")
    defects = [defect for builder in builders for defect in builder.scan_result.defects]
    return together, [{"file": printable(path), "reason": reason} for path, reason in defects] + left_out


def _of_labels_there(dataset: Dataset) -> Dataset:
    """A table of some of the corpora that were prepared together, without labels that only others have."""
    names = dataset.features["emotion"].names
    return relabelled(dataset, in_order(names[index] for index in set(dataset["emotion"][:])), {})


def _own_recordings_there(corpora: Sequence[str], data_dir: str | os.PathLike) -> str:
    """A sentence for whoever has recordings of their own and named other corpora, else nothing."""
    with suppress(CorpusError):
        found = [] if FolderBuilder.corpus in corpora else FolderBuilder.scan(data_dir).clips
        if any(emotion_of(clip.row["emotion"]) for clip in found):
            return " For recordings of your own, in folders of labels or beside a table: --corpora folder."
    return ""


def _builder(
    name: str,
    data_dir: str | os.PathLike,
    cache_dir: str | os.PathLike | None,
    csv: str | os.PathLike | None,
    labels: Sequence[str],
) -> CorpusBuilder:
    builder = find_corpus(name)
    if builder is FolderBuilder:
        return FolderBuilder(data_dir, cache_dir, csv, labels)
    return builder(data_dir, cache_dir)


def relabelled(dataset: Dataset, labels: list[str], relabel: Mapping[str, str | None]) -> Dataset:
    """Counts every label as `relabel` says, numbers labels as `labels` orders them, and drops clips of the label None.

    Raises:
        CorpusError: A label is none of `labels`.
    """
    names = dataset.features["emotion"].names
    target = {name: relabel.get(name, name) for name in names}
    for corpus, old in sorted(set(zip(dataset["corpus"][:], dataset["emotion"][:], strict=True))):
        name = names[old]
        if target[name] is not None and target[name] not in labels:
            raise CorpusError(
                f"{corpus} has the label {name}, which is none of {', '.join(labels)}: "
                "add it to the labels, or say under relabel what it counts as."
            )
    new_index = [labels.index(target[name]) if target[name] in labels else -1 for name in names]
    column = [new_index[old] for old in dataset["emotion"][:]]
    dataset = dataset.remove_columns("emotion").add_column("emotion", column, feature=ClassLabel(names=labels))
    kept = [index for index, label in enumerate(column) if label >= 0]
    return dataset if len(kept) == len(dataset) else dataset.select(kept)
