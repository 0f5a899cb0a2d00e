"""All measures of a voice, file by file, in the units that phonetics prints them in."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ser_model.audio import AudioError, printable
from ser_model.models.voice_quality_ser import MEASURES, voice_quality

from .files import read_file
from .voice_activity import speaking_level
from .voice_reference import SAMPLING_RATE

PERCENT = ("jitter", "shimmer", "voiced", "speaking")  # shares, by the first word of their names
UNITS = {"f0": "hz", "hnr": "db", "loudness": "dbfs"}


def _column(measure: str) -> str:
    """A measure's name with its unit at the end."""
    start = measure.split("_")[0]
    return f"{measure}_{'percent' if start in PERCENT else UNITS[start]}"


TAKEN = (*MEASURES, "loudness", "speaking_part")
COLUMNS = ("file", "duration_s", *map(_column, TAKEN), "error")


def measure_files(paths: Iterable[Path]) -> Iterator[dict[str, Any]]:
    """One row of `COLUMNS` a file, in order; a measure that cannot be taken is None, as all are beside an `error`."""
    for path in paths:
        row: dict[str, Any] = dict.fromkeys(COLUMNS) | {"file": printable(path)}
        try:
            wave = read_file(path, SAMPLING_RATE)
        except (AudioError, OSError) as error:
            yield row | {"error": printable(str(error))}
            continue
        loudness, speaking_part = speaking_level(wave, SAMPLING_RATE)
        found = voice_quality(wave, SAMPLING_RATE) | {"loudness": loudness, "speaking_part": speaking_part}
        row["duration_s"] = round(len(wave) / SAMPLING_RATE, 3)
        yield row | {_column(name): _shown(_column(name), found[name]) for name in TAKEN}


def _shown(column: str, value: float) -> float | None:
    """A value in its column's unit, to six digits; None for NaN."""
    if math.isnan(value):
        return None
    return float(f"{100 * value if column.endswith('percent') else value:.6g}")
