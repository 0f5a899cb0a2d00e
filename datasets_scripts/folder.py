"""Anyone's own recordings under any label set: folders named by label, or a table."""

from __future__ import annotations

import logging
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from datasets import Dataset

from ser_model.audio import AUDIO_ENDINGS, printable, walk_audio
from ser_model.labels import EMOTIONS, emotion_of

from .base import NOT_UTF8, Clip, CorpusBuilder, CorpusError, Scan, in_order, is_utf8
from .tables import Files, TableError, read_table, tables_in

TABLES = ("labels.csv", "metadata.csv")
SEXES = {"m": "male", "f": "female"}

logger = logging.getLogger(__name__)


class FolderBuilder(CorpusBuilder):
    """Folders, or a table with the columns path, label and, where known, speaker, sex.

    Folders are `<label>/x.wav`, `<speaker>/<label>/x.wav` or `<label>/<speaker>/x.wav`. They lie
    directly in the data folder, or in its subfolder `folder` where other corpora stand beside it.
    Labels are whatever is found. Where nobody says who speaks, protocol `speaker` is refused.

    Args:
        data_dir, cache_dir: As for every corpus.
        csv: The table, wherever it lies; its files are looked for below the data folder.
        labels: Names by which the folders of labels are told from those of speakers; emotions are known.
    """

    corpus = "folder"
    endings = AUDIO_ENDINGS
    looked_for = "<label>/x.wav, <speaker>/<label>/x.wav, or labels.csv with the columns path and label"
    how_to_get = "Put recordings into one folder per label; see docs/own-data.md."
    licence = "not stated"
    cite = ""

    def __init__(
        self,
        data_dir: str | os.PathLike,
        cache_dir: str | os.PathLike | None = None,
        csv: str | os.PathLike | None = None,
        labels: Iterable[str] = (),
    ):
        super().__init__(data_dir, cache_dir, csv=csv, labels=tuple(labels))

    @classmethod
    def scan(
        cls,
        data_dir: str | os.PathLike,
        cache_dir: str | os.PathLike | None = None,
        csv: str | os.PathLike | None = None,
        labels: Sequence[str] = (),
    ) -> Scan:
        root = Path(data_dir).resolve()
        root = root / "folder" if os.path.isdir(root / "folder") else root
        if not os.path.isdir(root):
            raise CorpusError(f"There is no folder {root} to look for {cls.corpus} in.")
        if csv and not os.path.isfile(csv):
            raise CorpusError(f"There is no table {csv}.")
        table = Path(csv).resolve() if csv else _table_of(root)
        try:
            return _from_table(table, root) if table else _from_folders(root, labels)
        except TableError as error:
            raise CorpusError(str(error)) from error

    @classmethod
    def parse(cls, path: Path) -> dict[str, Any] | None:
        """Whether a file may be a clip; `scan` looks at all of them to tell labels from speakers."""
        return {} if len(path.parts) in (2, 3) else None

    @classmethod
    def labels_of(cls, scan: Scan) -> tuple[str, ...]:
        return tuple(in_order(clip.row["emotion"] for clip in scan.clips))


def _row(label: str, speaker: str = "", sex: str = "") -> dict[str, Any]:
    return {
        "speaker": f"{FolderBuilder.corpus}_{speaker}" if speaker else None,
        "sex": SEXES.get(sex.lower(), sex.lower()) or None,
        "emotion": label.lower() if label.lower() in EMOTIONS else label,
    }


def _from_folders(root: Path, labels: Sequence[str]) -> Scan:
    files = [(path, path.relative_to(root).parts) for path in walk_audio(root, FolderBuilder.endings)]
    nested = [parts[:2] for _, parts in files if len(parts) == 3]
    level = _label_level(root, nested, labels) if nested else 0
    result = Scan()
    for path, parts in files:
        if not is_utf8(path):
            result.defects.append((path, NOT_UTF8))
        elif len(parts) == 3:
            result.clips.append(Clip(path, _row(parts[level], parts[1 - level])))
        elif len(parts) == 2 and level == 0:
            result.clips.append(Clip(path, _row(parts[0])))
    if result.clips and (others := len(files) - len(result.clips) - len(result.defects)):
        logger.warning("%d recordings below %s lie in no folder of a label and are not taken.", others, root)
    return result


def _label_level(root: Path, folders: Sequence[tuple[str, ...]], labels: Sequence[str]) -> int:
    """Which of two levels of folders names the labels: the one that more known names stand on.

    Raises:
        CorpusError: Neither does.
    """
    names = [set(level) for level in zip(*folders, strict=True)]
    wanted = {label.lower() for label in labels}
    known = [sum(name.lower() in wanted or emotion_of(name) is not None for name in level) for level in names]
    shares = [count / len(level) for count, level in zip(known, names, strict=True)]
    if shares[0] == shares[1]:
        upper, lower = (sorted(level)[:2] for level in names)
        raise CorpusError(
            f"The folders below {root} are two deep ({'/'.join(folders[0])}), and it is not clear which of them name "
            f"the labels: say it with --labels {','.join(upper)},... or --labels {','.join(lower)},..., or list the "
            "recordings in labels.csv."
        )
    return shares.index(max(shares))


def _table_of(root: Path) -> Path | None:
    """The table that names the labels: one of `TABLES`, else the only one where folders do not name them."""
    tables = tables_in(root)
    for name in TABLES:
        if root / name in tables:
            return root / name
    if not tables:
        return None
    label_folders = {path.relative_to(root).parts[0] for path in walk_audio(root) if path.parent.parent == root}
    if len(label_folders) > 1:
        logger.warning(
            "%s is not used, the folders name the labels; to use it, call it labels.csv or name it with --csv.",
            tables[0],
        )
        return None
    if len(tables) > 1:
        names = ", ".join(path.name for path in tables)
        raise CorpusError(
            f"{root} has several tables ({names}): call the one that names the labels labels.csv, or pass --csv."
        )
    logger.warning("The labels are those of %s.", tables[0])
    return tables[0]


def _from_table(table: Path, root: Path) -> Scan:
    result, files = Scan(), Files(root, FolderBuilder.endings)
    lines = [(number, line, files.find(line["path"])) for number, line in read_table(table)]
    names: dict[Path, set[str]] = defaultdict(set)  # by which lines reach a file
    for number, line, found in lines:
        if len(found) > 1:
            both = " or ".join(path.relative_to(root).as_posix() for path in found[:2])
            raise CorpusError(f"Line {number} of {table} names {line['path']}, which may be {both}.")
        for path in found:
            names[path].add(line["path"])
    for number, line, found in lines:
        if not line["path"]:
            result.defects.append((table, f"line {number} names no file"))
            continue
        if found and len(names[found[0]]) > 1 and not files.at(line["path"]):
            found = []  # a guess, and other lines name this file too
        path = found[0] if found else root / line["path"]
        if not found or not line["label"]:
            reason = "it has no label" if found else "it is not there"
            result.defects.append((path, f"{table.name} names it, but {reason}"))
        elif not is_utf8(path):
            result.defects.append((path, NOT_UTF8))
        else:
            result.clips.append(Clip(path, _row(line["label"], line.get("speaker", ""), line.get("sex", ""))))
    if result.defects and not result.clips:
        path, reason = result.defects[0]
        raise CorpusError(f"No line of {table} can be used; the first: {printable(path)}: {reason}.")
    return result


FEW_CLIPS = 20  # of a label


def shortcomings(rows: Iterable[tuple[str, str | None]]) -> list[str]:
    """What is too little in someone's own recordings, one sentence each with what to do.

    Args:
        rows: Label and speaker of each clip, None where it is not known who speaks.
    """
    rows = list(rows)
    labels, speakers = Counter(label for label, _ in rows), Counter(speaker for _, speaker in rows)
    unknown, said = speakers.pop(None, 0), []
    if len(labels) < 2:
        said.append(f"There is one label only ({', '.join(labels)}): training needs two or more.")
    if unknown == len(rows):
        said.append(
            "Nobody says who speaks: name speakers by folders <speaker>/<label>/ or a column speaker, or train with "
            "--protocol random, whose figures say nothing about new voices."
        )
    elif unknown:
        said.append(f"{unknown} clips do not say who speaks: name their speakers, or leave them out of the table.")
    elif len(speakers) == 1:
        said.append(
            f"There is one speaker only ({', '.join(map(str, speakers))}): record a second one, or train with "
            "--protocol random, whose figures say nothing about new voices."
        )
    for label, count in labels.items():
        voices = {speaker for name, speaker in rows if name == label}
        if count < FEW_CLIPS:
            said.append(
                f"{label} has {count} clip{'s' * (count != 1)}: record {FEW_CLIPS} or more, or name the other labels "
                "with --labels."
            )
        elif len(voices) == 1 < len(speakers):
            said.append(
                f"{label} has one speaker only: where that one is tested, nothing of {label} is trained; record it "
                "with others too."
            )
    return said


def shortcomings_of_own(table: Dataset) -> list[str]:
    """The `shortcomings` of the corpus `folder` in a corpus table; nothing where it is not in it."""
    names, columns = table.features["emotion"].names, (table[name] for name in ("corpus", "emotion", "speaker"))
    rows = zip(*columns, strict=True)
    own = [(names[label], speaker) for corpus, label, speaker in rows if corpus == FolderBuilder.corpus]
    return shortcomings(own) if own else []
