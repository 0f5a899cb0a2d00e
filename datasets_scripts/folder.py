"""Anyone's own recordings under any label set: folders named by label, or a table."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any

from ser_model.audio import AUDIO_ENDINGS
from ser_model.labels import EMOTIONS

from .base import Clip, CorpusBuilder, CorpusError, Scan, in_order

TABLES = ("labels.csv", "metadata.csv")
PATH_COLUMNS, LABEL_COLUMNS = ("path", "file_name", "file"), ("label", "emotion")
SEXES = {"m": "male", "f": "female"}


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
        root = root / "folder" if (root / "folder").is_dir() else root
        for name in TABLES:
            if (root / name).is_file():
                return _from_table(root / name)
        return super().scan(root, cache_dir)

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


def _from_table(table: Path) -> Scan:
    result = Scan()
    with table.open(newline="", encoding="utf-8-sig") as file:  # spreadsheets write a byte order mark
        reader = csv.DictReader(file)
        columns = reader.fieldnames or []
        path_column = next((name for name in PATH_COLUMNS if name in columns), None)
        label_column = next((name for name in LABEL_COLUMNS if name in columns), None)
        if path_column is None or label_column is None:
            raise CorpusError(f"{table} needs the columns path and label; it has {', '.join(columns) or 'none'}.")
        for line in reader:
            path, label = table.parent / (line[path_column] or ""), (line[label_column] or "").strip()
            if not label or not path.is_file():
                reason = "has no label" if path.is_file() else "is not there"
                result.defects.append((path, f"{table.name} names it, but it {reason}"))
                continue
            speaker, sex = (line.get("speaker") or "").strip(), (line.get("sex") or "").strip().lower()
            row = {
                "speaker": f"{FolderBuilder.corpus}_{speaker}" if speaker else None,
                "sex": SEXES.get(sex, sex) or None,
                "emotion": _label(label),
            }
            result.clips.append(Clip(path, row))
    return result
