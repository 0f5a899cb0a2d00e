"""What is in the clips, beyond their names: identical recordings, unreadable and silent files."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset, Features, Value

from ser_model.audio import AudioError, decode, load_audio

_VERSION = 2  # raise when measure_clip changes: datasets' cache does not see a changed body


def measure_clip(audio: str, version: int = _VERSION) -> dict[str, Any]:
    """Decodes a clip and says what is in it.

    Returns:
        `content`: hash of the decoded samples and rate, equal for a WAV and its FLAC; `seconds`:
        duration in s; `problem`: why the clip cannot be used, or an empty text.
    """
    try:
        samples, rate = decode(audio)
    except AudioError as error:
        return {"content": "", "seconds": 0.0, "problem": str(error)}
    return {
        "content": content_hash(samples, rate),
        "seconds": len(samples) / rate,
        "problem": problem_of(samples, rate),
    }


def content_hash(samples: np.ndarray, rate: int) -> str:
    """Equal for recordings with the same samples `(num_samples, num_channels)` and rate in Hz."""
    return hashlib.sha256(rate.to_bytes(4, "little") + samples.tobytes()).hexdigest()


def problem_of(samples: np.ndarray, rate: int) -> str:
    """Why decoded samples `(num_samples, num_channels)` cannot be used, or an empty text."""
    try:
        load_audio(samples.mean(axis=1), rate, source_rate=rate)
    except AudioError as error:
        return str(error)
    return ""


def measured(dataset: Dataset) -> Dataset:
    """Adds the columns `content`, `seconds` and `problem`; kept in the datasets cache."""
    features = Features(
        {**dataset.features, "content": Value("string"), "seconds": Value("float32"), "problem": Value("string")}
    )
    return dataset.map(
        measure_clip,
        input_columns="audio",
        fn_kwargs={"version": _VERSION},
        features=features,
        desc="Listening to the clips",
    )


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
