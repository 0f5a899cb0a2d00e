"""A timeline as CSV, JSON and Praat TextGrid."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict
from typing import Any

from .timeline import Timeline


def as_data(timeline: Timeline) -> dict[str, Any]:
    """A timeline as plain data: `duration`, `labels`, `segments` and `windows`; times in seconds."""
    return {
        "duration": round(timeline.duration, 3),
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
    """One line a segment: start and end in seconds, emotion, probability."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["start", "end", "emotion", "probability"])
    for segment in timeline.segments:
        writer.writerow([f"{segment.start:.3f}", f"{segment.end:.3f}", segment.emotion, f"{segment.probability:.4f}"])
    return text.getvalue()


def to_textgrid(timeline: Timeline) -> str:
    """Two interval tiers, `emotion` and `probability`, for Praat and ELAN; silence is an empty interval."""
    tiers = {
        "emotion": [segment.emotion for segment in timeline.segments],
        "probability": [f"{segment.probability:.2f}" for segment in timeline.segments],
    }
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0", f"xmax = {timeline.duration:.3f}"]
    lines += ["tiers? <exists>", f"size = {len(tiers)}", "item []:"]
    for number, (name, texts) in enumerate(tiers.items(), start=1):
        intervals = _covering(timeline, texts)
        lines += [f"    item [{number}]:", '        class = "IntervalTier"', f'        name = "{name}"']
        lines += ["        xmin = 0", f"        xmax = {timeline.duration:.3f}"]
        lines += [f"        intervals: size = {len(intervals)}"]
        for place, (start, end, text) in enumerate(intervals, start=1):
            quoted = text.replace('"', '""')
            lines += [f"        intervals [{place}]:", f"            xmin = {start}", f"            xmax = {end}"]
            lines += [f'            text = "{quoted}"']
    return "\n".join(lines) + "\n"


def _covering(timeline: Timeline, texts: list[str]) -> list[tuple[str, str, str]]:
    """Intervals without gaps from 0 to the end, as Praat wants them: start, end, text."""
    reached, intervals = f"{0:.3f}", []
    for segment, text in zip(timeline.segments, texts, strict=True):
        start, end = f"{segment.start:.3f}", f"{segment.end:.3f}"
        if start != reached:
            intervals.append((reached, start, ""))
        intervals.append((start, end, text))
        reached = end
    if reached != f"{timeline.duration:.3f}" or not intervals:
        intervals.append((reached, f"{timeline.duration:.3f}", ""))
    return intervals


FORMATS = {"csv": to_csv, "json": to_json, "textgrid": to_textgrid}
