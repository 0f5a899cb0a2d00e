"""A timeline as CSV, JSON and Praat TextGrid."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from .timeline import Timeline


def as_data(timeline: Timeline) -> dict[str, Any]:
    """A timeline as plain data: `duration`, `speech`, `labels`, `segments` and `windows`; times in seconds."""
    return {
        "duration": round(timeline.duration, 3),
        "speech": timeline.speech.rounded(),
        "labels": timeline.labels,
        "segments": [
            {name: round(value, 4) if isinstance(value, float) else value for name, value in asdict(segment).items()}
            for segment in timeline.segments
        ],
        "windows": [
            {
                "start": round(window.start, 4),
                "end": round(window.end, 4),
                "probabilities": {
                    label: round(float(share), 4) for label, share in zip(timeline.labels, row, strict=True)
                },
            }
            for window, row in zip(timeline.windows, timeline.probabilities, strict=True)
        ],
    }


def to_json(timeline: Timeline) -> str:
    """Segments, and every window with every probability."""
    return json.dumps(as_data(timeline), indent=1, ensure_ascii=False) + "\n"


def to_csv(timeline: Timeline) -> str:
    """One line a segment: start and end in seconds, emotion, probability, whether it is unsure.

    The probability is empty where a person gave the label.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["start", "end", "emotion", "probability", "unsure"])
    for segment in timeline.segments:
        times = f"{segment.start:.3f}", f"{segment.end:.3f}"
        probability = "" if segment.probability is None else f"{segment.probability:.4f}"
        writer.writerow([*times, segment.emotion, probability, segment.unsure])
    return text.getvalue()


def to_textgrid(timeline: Timeline) -> str:
    """Two interval tiers, `emotion` and `probability`, for Praat and ELAN; silence is an empty interval."""
    from parselmouth.praat import call

    segments, duration = timeline.segments, round(timeline.duration, 3)
    tiers = {
        "emotion": [segment.emotion for segment in segments],
        "probability": ["" if each.probability is None else f"{each.probability:.2f}" for each in segments],
    }
    borders = {round(time, 3) for segment in segments for time in (segment.start, segment.end)}
    grid = call("Create TextGrid", 0, duration, " ".join(tiers), "")
    for tier, texts in enumerate(tiers.values(), start=1):
        for border in sorted(border for border in borders if 0 < border < duration):
            call(grid, "Insert boundary", tier, border)
        for segment, text in zip(segments, texts, strict=True):
            interval = call(grid, "Get interval at time", tier, (segment.start + segment.end) / 2)
            call(grid, "Set interval text", tier, interval, text)
    call("Text writing preferences", "UTF-8")
    with TemporaryDirectory() as folder:
        path = Path(folder, "timeline.TextGrid")
        call(grid, "Save as text file", str(path))
        return path.read_text(encoding="utf-8")


FORMATS = {"csv": to_csv, "json": to_json, "textgrid": to_textgrid}
