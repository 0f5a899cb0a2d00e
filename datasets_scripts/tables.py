"""Tables of labels as spreadsheets and people write them: encodings, delimiters, paths of other machines."""

from __future__ import annotations

import codecs
import csv
import io
import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from datasets import ClassLabel, Features
from pyarrow import ArrowException, parquet

from ser_model.audio import printable, walk_audio

PATH_COLUMNS = ("path", "file_name", "file", "filename", "filepath", "audio", "wav")
LABEL_COLUMNS = ("label", "emotion", "class")
SPEAKER_COLUMNS = ("speaker", "speaker_id", "spk", "subject", "actor")
SEX_COLUMNS = ("sex", "gender")
DELIMITERS = (",", ";", "\t")
PARQUET = ".parquet"
ENDINGS = (".csv", ".tsv", PARQUET)


class TableError(ValueError):
    """A table that cannot be read, said in one sentence."""


def tables_in(folder: Path) -> list[Path]:
    """The tables that lie directly in a folder, by name."""
    return sorted(
        path for path in folder.iterdir() if path.suffix.lower() in ENDINGS and path.is_file() and path.name[0] != "."
    )


def read_table(table: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The lines of a table, each with its number (the header is 1), as `path`, `label`, `speaker` and `sex`.

    Raises:
        TableError: There are no columns of paths and labels, or a line does not fit the header.
    """
    if table.suffix.lower() == PARQUET:
        yield from _read_parquet(table)
        return
    text = _text(table)
    header = next((line for line in text.splitlines() if line.strip()), "")
    layouts = [(sign, _columns(next(csv.reader([header], delimiter=sign), []))) for sign in DELIMITERS]
    sign, columns = max(layouts, key=lambda layout: len(layout[1]))
    _check_columns(table, columns, _names(header))
    reader = csv.reader(io.StringIO(text), delimiter=sign)
    width = 0
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if not width:
                width = len(cells)
                continue
            if len(cells) > width and any(cell.strip() for cell in cells[width:]):
                raise TableError(
                    f"Line {reader.line_num} of {table} has {len(cells)} cells where the header has {width}: "
                    f"{printable(sign.join(cells))}."
                )
            yield (
                reader.line_num,
                {name: cells[place].strip() if place < len(cells) else "" for name, place in columns.items()},
            )
    except csv.Error as error:
        raise TableError(f"Line {reader.line_num} of {table} cannot be read: {error}.") from None


def _read_parquet(table: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """As `read_table`; the columns may be those of a data set of the Hub, whose labels are numbered."""
    try:
        content = parquet.read_table(table)
    except (OSError, ArrowException) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        raise TableError(f"{table} cannot be read as Parquet: {reason}.") from None
    columns, features = _columns(content.column_names), Features.from_arrow_schema(content.schema)
    _check_columns(table, columns, content.column_names)
    values = {}
    for name, place in columns.items():
        cells, feature = content.column(place).to_pylist(), features[content.column_names[place]]
        if any(isinstance(cell, (dict, bytes)) for cell in cells):
            raise TableError(f"{table} holds recordings in itself; it has to name their files.")
        if isinstance(feature, ClassLabel):
            cells = [None if cell is None or cell < 0 else feature.int2str(cell) for cell in cells]
        values[name] = ["" if cell is None else str(cell).strip() for cell in cells]
    for row in range(len(content)):
        yield row + 2, {name: cells[row] for name, cells in values.items()}


def _check_columns(table: Path, columns: dict[str, int], names: list[str]) -> None:
    if not {"path", "label"} <= columns.keys():
        raise TableError(f"{table} needs the columns path and label; it has {printable(', '.join(names)) or 'none'}.")


def _names(header: str) -> list[str]:
    sign = max(DELIMITERS, key=header.count)
    return [name.strip() for name in next(csv.reader([header], delimiter=sign), [])]


def _columns(names: list[str]) -> dict[str, int]:
    """Place of each known column, whatever its case."""
    lowered = [name.strip().lower() for name in names]
    found = {}
    for name, spellings in (
        ("path", PATH_COLUMNS),
        ("label", LABEL_COLUMNS),
        ("speaker", SPEAKER_COLUMNS),
        ("sex", SEX_COLUMNS),
    ):
        place = next((lowered.index(spelling) for spelling in spellings if spelling in lowered), None)
        if place is not None:
            found[name] = place
    return found


def _text(table: Path) -> str:
    """The table's text: UTF-8 or UTF-16 with or without a byte order mark, else cp1252."""
    try:
        content = table.read_bytes()
    except OSError as error:
        raise TableError(f"{table} cannot be read: {error.strerror}.") from None
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ["utf-16"]
    elif b"\0" in content[:200]:
        encodings = ["utf-16-be" if content[:1] == b"\0" else "utf-16-le"]
    else:
        encodings = ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError as error:
            line = 1 + content[: error.start].count(b"\n")
    raise TableError(f"Line {line} of {table} is neither UTF-8 nor UTF-16 nor cp1252 text.")


class Files:
    """Finds the files that a table names below its folder.

    Args:
        folder: The folder that paths are relative to.
        endings: Of the files that may be meant by a name without its ending.
    """

    def __init__(self, folder: Path, endings: set[str]):
        self.folder, self.endings = folder, endings
        self.by_name: dict[str, list[Path]] | None = None

    def at(self, name: str) -> Path | None:
        """The file at this very path, in the spelling of any system."""
        tried = (self.folder / name, self.folder.joinpath(*_parts(name)))
        return next((path for path in tried if os.path.isfile(path)), None)  # a name too long is no file

    def find(self, name: str) -> list[Path]:
        """The files that may be meant: the one at this path, else by the path's end, else by name alone."""
        if exact := self.at(name):
            return [exact]
        parts = _parts(name)
        for start in range(1, len(parts)):
            path = self.folder.joinpath(*parts[start:])
            if os.path.isfile(path):
                return [path]
        if self.by_name is None:
            self.by_name = defaultdict(list)
            for file in walk_audio(self.folder, self.endings):
                self.by_name[file.name.lower()].append(file)
                self.by_name[file.stem.lower()].append(file)
        named = self.by_name.get(parts[-1].lower(), []) if parts else []
        near = [file for file in named if _ends_like(file, parts)]
        return near or named


def _parts(name: str) -> list[str]:
    return [part for part in PurePosixPath(name.replace("\\", "/")).parts if part not in ("/", ".")]


def _ends_like(file: Path, parts: list[str]) -> bool:
    """Whether a file lies in the folders that a path names, its name aside."""
    folders = [part.lower() for part in parts[:-1]]
    return bool(folders) and [part.lower() for part in file.parent.parts[-len(folders) :]] == folders
