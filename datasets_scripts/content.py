"""What is in the clips, beyond their names: identical recordings, unreadable and silent files."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import Any

from datasets import Dataset, Features, Value

from ser_model.audio import AudioError, decode, load_audio

_VERSION = 1  # raise when measure_clip changes: datasets' cache does not see a changed body


def measure_clip(audio: str, version: int = _VERSION) -> dict[str, Any]:
    """Decodes a clip and says what is in it.

    Returns:
        `content`: hash of the decoded samples and rate, equal for a WAV and its FLAC; `seconds`:
        duration in s; `problem`: why the clip cannot be used, or an empty text.
    """
    try:
        samples, rate = decode(audio)
        load_audio(samples, rate, source_rate=rate)
        problem = ""
    except AudioError as error:
        if str(error).startswith("There is no file"):
            raise
        samples, rate, problem = None, 1, str(error)
    content = hashlib.sha256(rate.to_bytes(4, "little") + samples.tobytes()).hexdigest() if samples is not None else ""
    return {"content": content, "seconds": len(samples) / rate if samples is not None else 0.0, "problem": problem}


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
    and speakers agree, and none where they differ.

    Args:
        dataset: A table with the columns of `measured`.

    Returns:
        The table without those clips, and a list of what went: `{file, reason}`.
    """
    left_out, kept = [], []
    paths, contents, problems = list(dataset["audio"]), list(dataset["content"]), list(dataset["problem"])
    labels = list(zip(dataset["corpus"], dataset["emotion"], strict=True))
    same: dict[str, list[int]] = defaultdict(list)
    for index, content in enumerate(contents):
        if not problems[index]:
            same[content].append(index)
    for index, path in enumerate(paths):
        twins = same[contents[index]]
        others = [paths[twin] for twin in twins if twin != index]
        if problems[index]:
            reason = problems[index]
        elif len({labels[twin] for twin in twins}) > 1:
            reason = f"identical to {others[0]}, which has another label"
        elif twins[0] != index:
            reason = f"identical to {paths[twins[0]]}"
        else:
            kept.append(index)
            continue
        left_out.append({"file": path, "reason": reason})
    return dataset.select(kept).remove_columns("problem"), left_out
