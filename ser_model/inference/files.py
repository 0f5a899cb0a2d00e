"""Predictions for audio files, and the table of them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ser_model.audio import AudioError, load_audio, printable, shortened, walk_audio

from .results import RESULT
from .voice_profile import VoiceProfile, clip_sums

if TYPE_CHECKING:
    import numpy as np
    import torch

    from .base_recognizer import BaseRecognizer

BATCH_SIZE = 4  # more is no faster on a CPU
BATCH_SECONDS = 1200.0  # of a batch's files, each as long as the longest: bounds the memory of their features
Batch = list[tuple[dict[str, Any], "np.ndarray | None"]]


def find_files(paths: Iterable[str | os.PathLike], passed_over: Counter[str] | None = None) -> Iterator[Path]:
    """The files named, and the audio files below the folders named, one after the other.

    Args:
        paths: Files and folders.
        passed_over: Counts the other files below the folders, as `walk_audio` does.
    """
    for path in map(Path, paths):
        if os.path.isdir(path):  # not path.is_dir(), which raises where a name is too long or may not be looked up
            found = walk_audio(path, passed_over=passed_over)
            yield next(found, path)  # the row of a folder without audio gives the reason
            yield from found
        else:
            yield path


def read_file(path: Path, sampling_rate: int) -> np.ndarray:
    """Samples `(num_samples,)` of what `find_files` gave.

    Raises:
        AudioError, OSError: They cannot be had; the text says why.
    """
    if os.path.isdir(path):
        try:
            os.scandir(path).close()
        except OSError as error:
            raise AudioError(f"{shortened(path)} cannot be opened: {error.strerror}.") from None
        raise AudioError("There is no audio file in this folder.")
    return load_audio(path, sampling_rate)


def predict_files(
    recognizer: BaseRecognizer,
    paths: Iterable[Path],
    voice: VoiceProfile | None = None,
    batch_size: int = BATCH_SIZE,
) -> Iterator[dict[str, Any]]:
    """One row a file, in order: `file`, what `EmotionResult.as_data` gives, and `error`, with which all else is None.

    Args:
        recognizer: Predicts.
        paths: Taken as they are needed: a batch of files at a time, or fewer where they are long.
        voice: Profile of the person who speaks in all of them.
        batch_size: Files and analysis windows that the network is given at once.
    """
    batch: Batch = []
    for path in paths:
        row: dict[str, Any] = {"file": printable(path), **dict.fromkeys(RESULT), "error": None}
        try:
            wave = read_file(path, recognizer.sampling_rate)
        except (AudioError, OSError) as error:
            row["error"] = printable(str(error))
            if batch:  # after those before it
                batch.append((row, None))
            else:
                yield row
            continue
        lengths = [len(other) for _, other in batch if other is not None]
        padded = (len(lengths) + 1) * max([*lengths, len(wave)]) / recognizer.sampling_rate
        if len(lengths) >= batch_size or (lengths and padded > BATCH_SECONDS):
            yield from _predicted(recognizer, batch, voice, batch_size)
            batch = []
        batch.append((row, wave))
    yield from _predicted(recognizer, batch, voice, batch_size)


def predict_file(recognizer: BaseRecognizer, path: Path, voice: VoiceProfile | None = None) -> dict[str, Any]:
    """The row of one file, see `predict_files`."""
    return next(predict_files(recognizer, [path], voice))


def _predicted(
    recognizer: BaseRecognizer, batch: Batch, voice: VoiceProfile | None, batch_size: int
) -> Iterator[dict[str, Any]]:
    waves = [wave for _, wave in batch if wave is not None]
    results = iter(recognizer.predict_batch(waves, voice, batch_size=batch_size))
    for row, wave in batch:
        yield row if wave is None else row | next(results).as_data()


def file_sums(recognizer: BaseRecognizer, paths: Iterable[Path]) -> Iterator[torch.Tensor | None]:
    """What `voice_of_files` takes, of each file in turn; None for a file that cannot be used.

    Raises:
        VoiceProfileError: The model takes no profiles.
    """
    for path in paths:
        try:
            yield clip_sums(recognizer, read_file(path, recognizer.sampling_rate))
        except (AudioError, OSError):  # the file's row has the reason
            yield None


def voice_of_files(recognizer: BaseRecognizer, sums: Iterable[torch.Tensor | None]) -> VoiceProfile | None:
    """Voice profile of the one person of all files, of which `sums` are the `file_sums`; None where none is usable."""
    usable = [each for each in sums if each is not None]
    return VoiceProfile.from_sums(recognizer, usable) if usable else None


def csv_columns(labels: Sequence[str]) -> list[str]:
    """Names of the columns of `csv_cells`."""
    return ["file", "label", "duration", *labels, "speech", "unsure", "remark", "error"]


def csv_cells(row: dict[str, Any], labels: Sequence[str]) -> list[Any]:
    """A row of `predict_files` with a column for each label's probability; `duration` and `speech` in seconds."""
    shares, speech = row["probabilities"] or dict.fromkeys(labels), row["speech"] or {"seconds": None}
    last = (speech["seconds"], row["unsure"], row["remark"], row["error"])
    return [row["file"], row["label"], row["duration"], *(shares[label] for label in labels), *last]
