"""A timeline from plain data, as an untrusted page sends it back with corrected labels."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from ser_model.audio import MAX_SECONDS

from .timeline import Segment, Timeline, Window

LONGEST_LABEL = 60  # characters
MOST_LABELS = 64
MOST_SEGMENTS = 6_000  # an hour has about 2,400; the TextGrid of so many takes three seconds
SHORTEST = 0.002  # seconds; times are written in milliseconds
ROUNDED = 1e-3  # seconds by which the times of neighbours may overlap

Span = tuple[float, float]


class TimelineError(ValueError):
    """The data are no timeline; the text is one sentence."""


def from_data(data: Any) -> Timeline:
    """The timeline that `timeline_formats.as_data` gave, its segments with whatever labels somebody gave them.

    A segment's `probability` is None where its label is a person's. Nothing is taken over unchecked.

    Args:
        data: `{duration, labels, segments: [{start, end, emotion, probability, unsure}], windows}`; more is ignored.

    Raises:
        TimelineError: Something is missing, of another kind, too large, or lies outside the recording.
    """
    try:
        duration = _number(data["duration"], SHORTEST, MAX_SECONDS + 1, "The duration")
        labels = [_label(label) for label in _listed(data["labels"], MOST_LABELS, "labels")]
        if not labels:
            raise TimelineError("A timeline has at least one label.")
        rows = _listed(data["segments"], MOST_SEGMENTS, "segments")
        segments = [_segment(row, duration) for row in rows]
        rows = _listed(data["windows"], MOST_SEGMENTS, "windows")
        spans = [_span(row, duration) for row in rows]
        shares = [[_number(row["probabilities"][label], 0, 1, "A probability") for label in labels] for row in rows]
    except (KeyError, TypeError, AttributeError):
        raise TimelineError("This is not a timeline as /timeline gives it.") from None
    _check_order([(segment.start, segment.end) for segment in segments])
    _check_order(spans)
    probabilities = np.array(shares, dtype=float).reshape(-1, len(labels))
    return Timeline(duration, labels, [Window(*span, *span) for span in spans], probabilities, segments)


def _listed(value: Any, most: int, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError
    if len(value) > most:
        raise TimelineError(f"A timeline may have at most {most:,} {name}.")
    return value


def _number(value: Any, least: float, most: float, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError
    if not least <= value <= most:  # nor is NaN
        raise TimelineError(f"{name} is outside {least:g} to {most:g}.")
    return float(value)


def _probability(value: Any) -> float | None:
    return None if value is None else _number(value, 0, 1, "A probability")


def _segment(row: Any, duration: float) -> Segment:
    return Segment(
        *_span(row, duration), _label(row["emotion"]), _probability(row["probability"]), row.get("unsure") is True
    )


def _span(row: Any, duration: float) -> Span:
    """Start and end in seconds; rounding may have moved the end past the recording's."""
    start = _number(row["start"], 0, duration, "The start of a segment")
    end = min(_number(row["end"], 0, duration + ROUNDED, "The end of a segment"), duration)
    if end - start < SHORTEST:
        raise TimelineError("A segment ends before it begins, or is too short.")
    return start, end


def _label(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    label = value.strip()
    if not (0 < len(label) <= LONGEST_LABEL and label.isprintable()):
        raise TimelineError(f"A label has 1 to {LONGEST_LABEL} printable characters.")
    return label


def _check_order(spans: list[Span]) -> None:
    if any(later[0] < earlier[1] - ROUNDED for earlier, later in pairwise(spans)):
        raise TimelineError("Segments have to follow one another without overlapping.")
