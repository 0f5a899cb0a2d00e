"""What the parts of a split share."""

from __future__ import annotations

from typing import Any

from datasets import Dataset

from .splits import Split
from .texts import text_leakage


def leakage_report(dataset: Dataset, split: Split) -> dict[str, Any]:
    """What validation and test share with training.

    Returns:
        For each of `validation` and `test`: `shared_speakers`; `shared_clips`, clips whose recording
        (by its decoded samples) stands in training too; `augmented_twins`, items whose clip has
        another view in training. `leaking`: whether the test part shares a clip, or may by its protocol.
        `text`: corpus -> how many test clips say a sentence that tells their label, see `text_leakage`.
    """
    contents, speakers = list(dataset["content"]), list(dataset["speaker"])
    trained = {clip for clip, _ in split.train}
    trained_contents = {contents[clip] for clip in trained}
    trained_speakers = {speakers[clip] for clip in trained} - {None, ""}
    report: dict[str, Any] = {"notes": split.notes}
    for name in ("validation", "test"):
        items = split.parts()[name]
        clips = {clip for clip, _ in items}
        report[name] = {
            "shared_speakers": len({speakers[clip] for clip in clips} & trained_speakers),
            "shared_clips": sum(contents[clip] in trained_contents for clip in clips),
            "augmented_twins": sum(clip in trained for clip, _ in items),
        }
    if not all(speakers):
        report["notes"] = [*split.notes, "Some clips do not say who speaks: shared speakers are those known."]
    report["text"] = text_leakage(dataset, trained, {clip for clip, _ in split.test})
    report["leaking"] = report["test"]["shared_clips"] > 0 or split.protocol == "random-augmented"
    return report
