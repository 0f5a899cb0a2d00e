"""What the parts of a split share."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from datasets import Dataset

from .splits import Split
from .texts import text_leakage


def leakage_report(dataset: Dataset, split: Split) -> dict[str, Any]:
    """What validation and test share with training.

    Returns:
        For each of `validation` and `test`: `shared_speakers`, None where some of its clips or of those trained on do
        not say who speaks; `shared_clips`, clips whose recording
        (by its decoded samples) stands in training too; `augmented_twins`, items whose clip has
        another view in training. `leaking`: whether a test item's recording is trained on, in whatever view.
        `text`: corpus -> how many test clips say a sentence that tells their label, see `text_leakage`.
    """
    contents, speakers = dataset["content"][:], dataset["speaker"][:]
    trained = {clip for clip, _ in split.train}
    trained_contents = {contents[clip] for clip in trained}
    trained_speakers = {speakers[clip] for clip in trained}
    report: dict[str, Any] = {"notes": split.notes}
    for name in ("validation", "test"):
        items = split.parts()[name]
        clips = {clip for clip, _ in items}
        tested_speakers = {speakers[clip] for clip in clips}
        known = all(tested_speakers | trained_speakers)
        report[name] = {
            "shared_speakers": len(tested_speakers & trained_speakers) if known else None,
            "shared_clips": sum(contents[clip] in trained_contents for clip in clips),
            "augmented_twins": sum(clip in trained for clip, _ in items),
        }
    if not all(speakers):
        report["notes"] = [*split.notes, "Some clips do not say who speaks: whether speakers are shared is not known."]
    report["text"] = text_leakage(dataset, trained, {clip for clip, _ in split.test})
    report["leaking"] = report["test"]["shared_clips"] > 0 or report["test"]["augmented_twins"] > 0
    return report


def split_fingerprint(dataset: Dataset, split: Split, refitted: bool = False) -> str:
    """Hash of the items of each part by corpus, speaker, label and samples, in whatever order and folders they lie.

    Args:
        dataset: Corpus table.
        split: Its parts.
        refitted: Whether the validation part was trained on too.
    """
    columns = [dataset[name][:] for name in ("corpus", "speaker", "emotion", "content")]
    rows = list(zip(*columns, strict=True))
    parts = split.parts()
    if refitted:
        parts = {"train": split.train + [(clip, 0) for clip, _ in split.validation], "test": split.test}
    content = {name: sorted(json.dumps([*rows[clip], view]) for clip, view in items) for name, items in parts.items()}
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]
