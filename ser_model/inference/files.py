"""Predictions for audio files, and the table of them."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from ser_model.audio import AudioError, load_audio, printable, walk_audio

from .results import RESULT
from .voice_profile import VoiceProfile, wave_sums

if TYPE_CHECKING:
    import torch

    from .recognizer import EmotionRecognizer


def find_files(paths: Iterable[str | os.PathLike], passed_over: Counter[str] | None = None) -> list[Path]:
    """The files named, and the audio files below the folders named.

    Args:
        paths: Files and folders.
        passed_over: Counts the other files below the folders, as `walk_audio` does.
    """
    found: list[Path] = []
    for path in map(Path, paths):
        if path.is_dir():
            found += list(walk_audio(path, passed_over=passed_over)) or [path]  # the row of `path` gives the reason
        else:
            found.append(path)
    return found


def predict_file(recognizer: EmotionRecognizer, path: Path, voice: VoiceProfile | None = None) -> dict[str, Any]:
    """One row: `file`, what `EmotionResult.as_data` gives, and `error`, with which all else is None."""
    row: dict[str, Any] = {"file": printable(path), **dict.fromkeys(RESULT), "error": None}
    try:
        if path.is_dir():
            raise AudioError("There is no audio file in this folder.")
        result = recognizer(path, voice=voice)
    except (AudioError, OSError) as error:
        return row | {"error": printable(str(error))}
    return row | result.as_data()


def file_sums(recognizer: EmotionRecognizer, paths: Iterable[Path]) -> Iterator[torch.Tensor | None]:
    """What `voice_of_files` takes, of each file in turn; None for a file that cannot be used.

    Raises:
        VoiceProfileError: The model takes no profiles.
    """
    for path in paths:
        try:
            yield wave_sums(recognizer, load_audio(path, recognizer.sampling_rate))
        except (AudioError, OSError):  # the file's row has the reason
            yield None


def voice_of_files(recognizer: EmotionRecognizer, sums: Iterable[torch.Tensor | None]) -> VoiceProfile | None:
    """Voice profile of the one person of all files, of which `sums` are the `file_sums`; None where none is usable."""
    usable = [each for each in sums if each is not None]
    return VoiceProfile.from_sums(recognizer, usable) if usable else None


def write_csv(rows: Iterable[dict[str, Any]], labels: Sequence[str], file: TextIO) -> None:
    """Writes the rows of `predict_file`, those with errors too, with a column for each label's probability.

    `speech` is in seconds.
    """
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["file", "label", "duration", *labels, "speech", "unsure", "remark", "error"])
    for row in rows:
        shares, speech = row["probabilities"] or dict.fromkeys(labels), row["speech"] or {"seconds": None}
        last = (speech["seconds"], row["unsure"], row["remark"], row["error"])
        writer.writerow([row["file"], row["label"], row["duration"], *(shares[label] for label in labels), *last])
