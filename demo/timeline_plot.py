"""Emotion over time as SVG: stacked probabilities, and below them the most probable emotion by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from ser_model.inference.timeline import Timeline

from .colours import colour_of, ink_on

WIDE, NARROW = 960, 400  # units of the picture's own width: CSS pixels where it is shown full size
HEIGHT, STRIP, AXIS = 150, 22, 20
MOST_COLUMNS = 240  # about, however long the recording
LETTER = 7.2  # width of a letter in the strip, about
TICKS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900)  # seconds


@dataclass(frozen=True)
class Column:
    """Probabilities of every emotion from `start` to `end` in seconds; times without a column are silence."""

    start: float
    end: float
    probabilities: Mapping[str, float]

    @property
    def best(self) -> str:
        """The most probable emotion."""
        return max(self.probabilities, key=lambda label: self.probabilities[label])


def columns_of(timeline: Timeline) -> list[Column]:
    """A timeline's windows as columns, neighbours averaged where there are more than can be seen."""
    each = [
        Column(window.start, window.end, dict(zip(timeline.labels, map(float, row), strict=True)))
        for window, row in zip(timeline.windows, timeline.probabilities, strict=True)
    ]
    least = timeline.duration / MOST_COLUMNS
    columns: list[Column] = []
    for column in each:
        last = columns[-1] if columns else None
        if last is not None and last.end == column.start and column.end - last.start < least:
            columns[-1] = _mean(last, column)
        else:
            columns.append(column)
    return columns


def _mean(one: Column, other: Column) -> Column:
    first, second = one.end - one.start, other.end - other.start
    mixed = {
        label: (first * share + second * other.probabilities[label]) / (first + second)
        for label, share in one.probabilities.items()
    }
    return Column(one.start, other.end, mixed)


def runs_of(columns: Sequence[Column]) -> list[tuple[float, float, str]]:
    """Neighbouring columns of one most probable emotion: start, end, emotion."""
    runs: list[tuple[float, float, str]] = []
    for column in columns:
        if runs and runs[-1][2] == column.best and abs(runs[-1][1] - column.start) < 1e-6:
            runs[-1] = (runs[-1][0], column.end, column.best)
        else:
            runs.append((column.start, column.end, column.best))
    return runs


def stacked_svg(columns: Sequence[Column], start: float, end: float, width: int = WIDE) -> str:
    """The picture of the time from `start` to `end` in seconds, `width` units wide; ink is the page's own."""
    scale = width / max(end - start, 1e-9)
    shown = [column for column in columns if column.end > start and column.start < end]
    parts = [*_bands(shown, start, scale), *_strip(runs_of(shown), start, scale, width)]
    parts += _axis(start, end, scale, width)
    height = HEIGHT + STRIP + AXIS
    # The style sheet hatches what is not covered, which is silence: a pattern would need an id of its own.
    head = f'class="ser-bands" style="--drawn: {(HEIGHT + STRIP) / height:.1%}" viewBox="0 0 {width} {height}"'
    return f'<svg {head} xmlns="http://www.w3.org/2000/svg">{"".join(parts)}</svg>'


def drawn(columns: Sequence[Column], start: float, end: float) -> tuple[str, str]:
    """The same picture for a desk and for a phone."""
    return stacked_svg(columns, start, end, WIDE), stacked_svg(columns, start, end, NARROW)


def _bands(columns: Sequence[Column], start: float, scale: float) -> Iterator[str]:
    """One path an emotion, its share of each column stacked on those before it."""
    reached = [0.0] * len(columns)
    for label in columns[0].probabilities if columns else ():
        boxes = []
        for place, column in enumerate(columns):
            below, reached[place] = reached[place], reached[place] + column.probabilities[label]
            left, right = (max(0.0, (time - start) * scale) for time in (column.start, column.end))
            top, bottom = (HEIGHT * (1 - share) for share in (reached[place], below))
            boxes.append(f"M{left:.1f} {bottom:.1f}V{top:.1f}H{right:.1f}V{bottom:.1f}Z")
        yield f'<path data-label="{escape(label)}" fill="{colour_of(label)}" d="{"".join(boxes)}"/>'


def _strip(runs: Sequence[tuple[float, float, str]], start: float, scale: float, width: int) -> Iterator[str]:
    for begin, end, label in runs:
        left, right = max(0.0, (begin - start) * scale), min(width, (end - start) * scale)
        yield (
            f'<rect x="{left:.1f}" y="{HEIGHT + 2}" width="{max(right - left, 0.5):.1f}" height="{STRIP - 2}" '
            f'fill="{colour_of(label)}"/>'
        )
        if right - left > LETTER * len(label) + 6:
            yield (
                f'<text x="{(left + right) / 2:.1f}" y="{HEIGHT + STRIP - 6}" text-anchor="middle" font-size="13" '
                f'fill="{ink_on(label)}">{escape(label)}</text>'
            )


def _axis(start: float, end: float, scale: float, width: int) -> Iterator[str]:
    step = next((tick for tick in TICKS if tick * scale >= 64), TICKS[-1])
    time = -(-start // step) * step
    while time <= end:
        place = (time - start) * scale
        anchor = "start" if place < 16 else "end" if place > width - 24 else "middle"
        yield (
            f'<text x="{place:.1f}" y="{HEIGHT + STRIP + 15}" text-anchor="{anchor}" font-size="12" '
            f'fill="currentColor" fill-opacity="0.8">{clock(time)}</text>'
        )
        time += step


def clock(seconds: float) -> str:
    """`75.0` -> `1:15`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
