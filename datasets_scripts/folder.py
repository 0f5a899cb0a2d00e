"""Anyone's own recordings under any label set: folders named by label, or a table."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

from ser_model.audio import AUDIO_ENDINGS, printable, walk_audio
from ser_model.labels import EMOTIONS

from .base import NOT_UTF8, Clip, CorpusBuilder, CorpusError, Scan, in_order, is_utf8
from .tables import Files, TableError, read_table, tables_in

TABLES = ("labels.csv", "metadata.csv")
SEXES = {"m": "male", "f": "female"}

logger = logging.getLogger(__name__)


class FolderBuilder(CorpusBuilder):
    """`<label>/<anything>.wav`, or `labels.csv` with the columns path, label and, where known, speaker, sex.

    They lie directly in the data folder, or in its subfolder `folder` where other corpora stand
    beside it. Labels are whatever is found. Folders alone do not say who speaks: protocol
    `speaker` needs the table.
    """

    corpus = "folder"
    endings = AUDIO_ENDINGS
    looked_for = "<label>/<anything>.wav, or labels.csv with the columns path and label"
    how_to_get = "Put recordings into one folder per label."
    licence = "unknown"
    cite = ""

    @classmethod
    def scan(cls, data_dir: str | os.PathLike, cache_dir: str | os.PathLike | None = None) -> Scan:
        root = Path(data_dir).resolve()
        root = root / "folder" if os.path.isdir(root / "folder") else root
        if not os.path.isdir(root):
            raise CorpusError(f"There is no folder {root} to look for {cls.corpus} in.")
        table = _table_of(root)
        try:
            return _from_table(table) if table else super().scan(root, cache_dir)
        except TableError as error:
            raise CorpusError(str(error)) from error

    @classmethod
    def parse(cls, path: Path) -> dict[str, Any] | None:
        if len(path.parts) != 2:
            return None
        return {"speaker": None, "sex": None, "emotion": _label(path.parts[0])}

    @classmethod
    def clip_key(cls, relative: Path) -> str:
        return relative.as_posix()  # "1.wav" may stand under every label

    @classmethod
    def labels_of(cls, scan: Scan) -> tuple[str, ...]:
        return tuple(in_order(clip.row["emotion"] for clip in scan.clips))


def _label(text: str) -> str:
    return text.lower() if text.lower() in EMOTIONS else text


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
        logger.warning("%s is not used, the folders name the labels; to use it, call it labels.csv.", tables[0])
        return None
    if len(tables) > 1:
        names = ", ".join(path.name for path in tables)
        raise CorpusError(f"{root} has several tables ({names}): call the one that names the labels labels.csv.")
    logger.warning("The labels are those of %s.", tables[0])
    return tables[0]


def _from_table(table: Path) -> Scan:
    result, files = Scan(), Files(table.parent, FolderBuilder.endings)
    for number, line in read_table(table):
        if not line["path"]:
            result.defects.append((table, f"line {number} names no file"))
            continue
        found = files.find(line["path"])
        if len(found) > 1:
            both = " or ".join(path.relative_to(table.parent).as_posix() for path in found[:2])
            raise CorpusError(f"Line {number} of {table} names {line['path']}, which may be {both}.")
        path = found[0] if found else table.parent / line["path"]
        if not found or not line["label"]:
            reason = "it has no label" if found else "it is not there"
            result.defects.append((path, f"{table.name} names it, but {reason}"))
        elif not is_utf8(path):
            result.defects.append((path, NOT_UTF8))
        else:
            result.clips.append(Clip(path, _row(line)))
    if result.defects and not result.clips:
        path, reason = result.defects[0]
        raise CorpusError(f"No line of {table} can be used; the first: {printable(path)}: {reason}.")
    return result


def _row(line: dict[str, str]) -> dict[str, Any]:
    speaker, sex = line.get("speaker", ""), line.get("sex", "").lower()
    return {
        "speaker": f"{FolderBuilder.corpus}_{speaker}" if speaker else None,
        "sex": SEXES.get(sex, sex) or None,
        "emotion": _label(line["label"]),
    }
