"""True labels of files in the tab Batch: from the names of folders and files, or from a CSV."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PureWindowsPath

from gradio_client.utils import strip_invalid_filename_characters

from ser_model.audio import AUDIO_ENDINGS
from ser_model.labels import emotion_of

NONE, NAMES, TABLE = "none", "names of folders or files", "a CSV"
INFO = "If you know what was acted: accuracy, UAR and confusion matrix."
NO_TABLE = "Choose the CSV with the true labels."
SOURCES = (NONE, NAMES, TABLE)
MOST_BYTES = 1_000_000  # of a CSV
# The page's script puts the name of a chosen folder before that of the file.
FOLDER_SEPARATOR = " - "
# What is no ending belongs to the name, as in `sub-01.take.2`.
_ENDINGS = {*AUDIO_ENDINGS, ".3gp", ".amr", ".au", ".caf", ".mka", ".mkv", ".mov", ".w64", ".wma"}
_FILE_HEADS = ("file", "filename", "file name", "path", "name", "clip")
_LABEL_HEADS = ("label", "true label", "true", "emotion", "class")


class LabelsError(Exception):
    """True labels cannot be read; the text says why."""


def from_names(paths: Sequence[Path], labels: Sequence[str]) -> dict[str, str]:
    """File name -> the label that its folder's name, or its own, has as a word; without those that have none or two.

    Synonyms count, as in `DFA_ANG` and `joy/01.wav`.
    """
    found = {}
    for path in paths:
        for text in (path.stem.split(FOLDER_SEPARATOR)[0], path.stem):
            words = re.split(r"[\W\d_]+", text)
            named = {label for word in words if (label := _label_of(word, labels))}
            if len(named) == 1:
                found[path.name] = named.pop()
                break
    return found


def from_table(path: Path, paths: Sequence[Path], labels: Sequence[str]) -> dict[str, str]:
    """File name -> label as a CSV has it, for those of `paths` that it names; also labels that the model does not know.

    A head with `file` and `label` (or `emotion`) is looked for; without one, the first two columns are taken. Folders
    and endings of the files do not matter, nor does case; synonyms of the model's labels are those labels.

    Raises:
        LabelsError: It is no such table, or names none of the files.
    """
    rows = _rows(path)
    head = [cell.strip().lower() for cell in rows[0]]
    places = [next((head.index(name) for name in names if name in head), None) for names in (_FILE_HEADS, _LABEL_HEADS)]
    if None in places:
        places = [0, 1]
    else:
        rows = rows[1:]
    file, label = (place or 0 for place in places)
    told: dict[str, set[str]] = {}
    for row in rows:
        if len(row) > max(file, label):
            text = row[label].strip()
            for name in _names(row[file]):
                told.setdefault(name, set()).add(_label_of(text, labels) or text)
    found = {}
    for each in paths:
        name = _names(each.name)[0]
        given = told.get(name) or told.get(name.partition(FOLDER_SEPARATOR)[2]) or {""}
        if len(given) == 1 and "" not in given:  # files of one name in several folders may have several labels
            found[each.name] = next(iter(given))
    if not found:
        raise LabelsError(
            f"{path.name} names none of the files: it needs a column with file names and one with labels."
        )
    return found


def _label_of(text: str, labels: Sequence[str]) -> str | None:
    """The model's label that a text means, by its name or a synonym, whatever its case; None where it is none."""
    named = next((label for label in labels if label.lower() == text.lower()), emotion_of(text))
    return named if named in labels else None


def _names(name: str) -> list[str]:
    """What a file of a table is called as an upload, alone and with its folder: gradio leaves out some characters."""
    path = PureWindowsPath(name.strip())  # which takes both kinds of slashes
    called = [path.name, *([f"{path.parent.name}{FOLDER_SEPARATOR}{path.name}"] if path.parent.name else [])]
    stripped = (PureWindowsPath(strip_invalid_filename_characters(each).lower()) for each in called)
    return [each.stem if each.suffix in _ENDINGS else each.name for each in stripped]


def _rows(path: Path) -> list[list[str]]:
    if path.stat().st_size > MOST_BYTES:
        raise LabelsError(f"{path.name} is larger than {MOST_BYTES / 1e6:.0f} MB.")
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    lines = text.splitlines()
    delimiter = max(",;\t", key=lambda each: lines[0].count(each)) if lines else ","
    try:
        rows = [row for row in csv.reader(lines, delimiter=delimiter) if row]
    except csv.Error:
        rows = []
    if len(rows) < 1 or len(rows[0]) < 2 or "\0" in text:
        raise LabelsError(f"{path.name} is not a CSV with a column of file names and one of labels.")
    return rows


def figures(rows: Sequence[Mapping], labels: Sequence[str]) -> tuple[dict, int]:
    """What `emotion_metrics` computes from predicted rows with a true label of the model, and their number.

    Args:
        rows: Rows of Batch with `true`.
        labels: Of the model.
    """
    from ser_model.metrics import emotion_metrics  # takes a second to import

    counted = [(row["label"], row["true"]) for row in rows if row["label"] and row["true"] in labels]
    if not counted:
        return {}, 0
    predicted, true = ([labels.index(label) for label in each] for each in zip(*counted, strict=True))
    return emotion_metrics(predicted, true, list(labels)), len(counted)
