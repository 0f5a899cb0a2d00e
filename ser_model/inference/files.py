"""Predictions for audio files, and the table of them."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from ser_model.audio import AUDIO_ENDINGS, AudioError

if TYPE_CHECKING:
    from .recognizer import EmotionRecognizer
    from .voice_profile import VoiceProfile


def find_files(paths: Iterable[str | os.PathLike]) -> list[Path]:
    """The files named, and those with audio endings below the folders named."""
    found: list[Path] = []
    for path in map(Path, paths):
        if path.is_dir():
            below = [file for file in sorted(path.rglob("*")) if file.suffix.lower() in AUDIO_ENDINGS]
            found += below or [path]  # a folder without audio becomes a row that says so
        else:
            found.append(path)
    return found


def predict_file(recognizer: EmotionRecognizer, path: Path, voice: VoiceProfile | None = None) -> dict[str, Any]:
    """One row: `{file, label, probabilities, duration, error}`; label is None where error is set."""
    row: dict[str, Any] = {
        "file": _as_utf8(path),
        "label": None,
        "probabilities": None,
        "duration": None,
        "error": None,
    }
    try:
        if path.is_dir():
            raise AudioError("There is no audio file in this folder.")
        result = recognizer(path, voice=voice)
    except (AudioError, OSError) as error:
        return row | {"error": _as_utf8(error)}
    return row | {
        "label": result.label,
        "probabilities": {label: round(value, 6) for label, value in result.probabilities.items()},
        "duration": round(result.duration, 3),
    }


def _as_utf8(text: object) -> str:
    """The text with `\\xff` and the like for bytes of a file name that are not UTF-8."""
    return str(text).encode("utf-8", errors="surrogateescape").decode("utf-8", errors="backslashreplace")


def write_csv(rows: Iterable[dict[str, Any]], labels: Sequence[str], file: TextIO) -> None:
    """Writes the rows of `predict_file`, those with errors too, with a column for each label's probability.

    A file on disk and the console are written as UTF-8, whatever their encoding was.
    """
    if isinstance(file, io.TextIOWrapper):
        file.reconfigure(encoding="utf-8")
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["file", "label", "duration", *labels, "error"])
    for row in rows:
        shares = row["probabilities"] or dict.fromkeys(labels)
        writer.writerow(
            [row["file"], row["label"], row["duration"], *(shares[label] for label in labels), row["error"]]
        )
