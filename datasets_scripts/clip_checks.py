"""What is in the clips, beyond their names: identical recordings, unreadable and silent files."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset, Features, Value

from ser_model.audio import AudioError, load_audio, open_audio

_VERSION = 4  # raise when measure_clip says something else of a clip: datasets' cache does not see a changed body
CHECKED_RATE = 48_000  # Hz; clips with a higher rate are checked at this one, in less memory


def measure_clip(audio: str, version: int = _VERSION) -> dict[str, Any]:
    """Decodes a clip and says what is in it.

    Returns:
        `content`: hash of the decoded samples and rate, equal for a WAV and its FLAC; `seconds`:
        duration in s; `problem`: why the clip cannot be used, or an empty text.
    """
    try:
        content, _, seconds, _ = decoded(audio)
    except AudioError as error:
        return {"content": "", "seconds": 0.0, "problem": str(error)}
    return {"content": content, "seconds": seconds, "problem": ""}


def decoded(audio: str | Path, look: Callable[[np.ndarray], None] | None = None) -> tuple[str, int, float, np.ndarray]:
    """A clip as training would take it, and what it was: decoded once.

    Args:
        audio: Path of the clip.
        look: Is given each decoded block `(num_frames, num_channels)`.

    Returns:
        Hash of samples and rate, rate in Hz, duration in s, and one channel `(num_samples,)` at that rate
        or at `CHECKED_RATE`, whichever is lower.

    Raises:
        AudioError: The clip cannot be used.
    """
    with open_audio(audio) as stream:
        rate = stream.rate
    digest, num_frames = hashlib.sha256(rate.to_bytes(4, "little")), 0

    def count(block: np.ndarray) -> None:
        nonlocal num_frames
        digest.update(block.tobytes())
        num_frames += len(block)
        if look is not None:
            look(block)

    mono = load_audio(audio, min(rate, CHECKED_RATE), look=count)
    return digest.hexdigest(), rate, num_frames / rate, mono


def measured(dataset: Dataset) -> Dataset:
    """Adds the columns `content`, `seconds` and `problem`; kept in the datasets cache."""
    features = Features(
        {**dataset.features, "content": Value("string"), "seconds": Value("float32"), "problem": Value("string")}
    )
    found = dataset.map(
        measure_clip,
        input_columns="audio",
        fn_kwargs={"version": _VERSION},
        features=features,
        desc="Checking the clips",
    )
    return _measured_again(found)


def _measured_again(found: Dataset) -> Dataset:
    """Measures clips with a problem once more: it may be the machine's, as where ffmpeg is missing, and be solved."""
    problems = {path: problem for path, problem in zip(found["audio"], found["problem"], strict=True) if problem}
    changed = {path: now for path, was in problems.items() if (now := measure_clip(path))["problem"] != was}
    if not changed:
        return found
    return found.map(lambda audio: changed.get(audio, {}), input_columns="audio", features=found.features)


def clean(dataset: Dataset) -> tuple[Dataset, list[dict[str, str]]]:
    """Leaves out what would spoil training or testing.

    Unreadable and silent clips go. Of recordings that are identical, one stays where their labels
    agree, and none where they differ.

    Args:
        dataset: A table with the columns of `measured`.

    Returns:
        The table without those clips, and a list of what went: `{file, reason}`.
    """
    left_out, kept = [], []
    paths, contents, problems = list(dataset["audio"]), list(dataset["content"]), list(dataset["problem"])
    labels = list(dataset["emotion"])
    same: dict[str, list[int]] = defaultdict(list)
    for index, content in enumerate(contents):
        if not problems[index]:
            same[content].append(index)
    for index, path in enumerate(paths):
        twins = same[contents[index]]
        others = [paths[twin] for twin in twins if labels[twin] != labels[index]]
        if problems[index]:
            reason = problems[index]
        elif len({labels[twin] for twin in twins}) > 1:
            reason = f"identical to {Path(others[0]).name}, which has another label"
        elif twins[0] != index:
            reason = f"identical to {Path(paths[twins[0]]).name}"
        else:
            kept.append(index)
            continue
        left_out.append({"file": path, "reason": reason})
    return dataset.select(kept).remove_columns("problem"), left_out
