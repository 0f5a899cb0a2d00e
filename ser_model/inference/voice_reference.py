"""Measures of a voice, and where they lie among reference speakers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ser_model.models.voice_quality_ser import PITCH_CEILING, PITCH_FLOOR, voice_quality

from .voice_activity import speaking_level

SAMPLING_RATE = 16_000  # Hz, of every clip measured: bandwidth moves noise measures
UNITS = {
    "f0_mean": "Hz",
    "f0_range": "Hz",
    "jitter_local": "share of the period",
    "shimmer_local": "share of the amplitude",
    "hnr": "dB",
    "loudness": "dB relative to full scale",
    "speaking_part": "share of the time",
}
GROUPS = ("women", "men", "all")
PERCENTILES = (1, *range(5, 100, 5), 99)
SHIPPED = Path(__file__).with_name("voice_reference.json")


def measure_voice(wave: np.ndarray, sampling_rate: int) -> dict[str, float]:
    """Takes the measures of `UNITS`; one that cannot be taken is NaN.

    Args:
        wave: Mono samples `(num_samples,)`.
        sampling_rate: In Hz; `SAMPLING_RATE` where the values are to be compared with the reference.
    """
    quality = voice_quality(wave, sampling_rate)
    loudness, speaking_part = speaking_level(wave, sampling_rate)
    return {name: quality[name] for name in UNITS if name in quality} | {
        "loudness": loudness,
        "speaking_part": speaking_part,
    }


class VoiceReference:
    """Quantiles of each measure over reference speakers.

    Args:
        content: As `reference_from` makes it.
    """

    def __init__(self, content: Mapping[str, Any]):
        self.content = content
        self.percentiles = np.asarray(content["percentiles"], dtype=float)

    @classmethod
    def load(cls, path: Path = SHIPPED) -> VoiceReference:
        """Reads the JSON of `python -m ser_model voice-reference`."""
        return cls(json.loads(path.read_text(encoding="utf-8")))

    def values(self, measure: str, group: str) -> np.ndarray:
        """The values at `percentiles`, ascending `(num_percentiles,)`."""
        return np.asarray(self.content["measures"][measure][group]["values"], dtype=float)

    def percentile(self, measure: str, group: str, value: float) -> float | None:
        """How many of 100 reference clips lie below `value`, between the first and the last percentile kept.

        None where there is no value (NaN).
        """
        if not np.isfinite(value):
            return None
        return float(np.interp(value, self.values(measure, group), self.percentiles))

    def density(self, measure: str, group: str, places: np.ndarray) -> np.ndarray:
        """How common values are at `places`, the most common 1: a silhouette `(num_places,)` for a picture."""
        edges = np.concatenate([[places[0]], (places[1:] + places[:-1]) / 2, [places[-1]]])
        below = np.interp(edges, self.values(measure, group), self.percentiles)
        shares = np.convolve(np.pad(np.diff(below), 3), np.hanning(7)[1:-1], mode="same")[3:-3]
        return shares / max(float(shares.max()), 1e-12)


def quantiles(rows: Sequence[Mapping[str, float]]) -> dict[str, dict[str, Any]]:
    """Measure -> `count` and `values` at `PERCENTILES`, clips without the measure passed over."""
    summary = {}
    for name in UNITS:
        taken = np.array([row[name] for row in rows], dtype=float)
        taken = taken[np.isfinite(taken)]
        values = [float(f"{value:.5g}") for value in np.percentile(taken, PERCENTILES)] if len(taken) else []
        summary[name] = {"count": len(taken), "values": values}
    return summary


def reference_from(rows: Mapping[str, Sequence[Mapping[str, float]]], provenance: Mapping[str, Any]) -> dict[str, Any]:
    """The content of the shipped JSON.

    Args:
        rows: Measures of clips by women and by men.
        provenance: What else a reader should know: corpora, counts, how clips were chosen.
    """
    groups = {**rows, "all": [row for group in rows.values() for row in group]}
    by_group = {group: quantiles(groups[group]) for group in GROUPS}
    return {
        **provenance,
        "sampling_rate": SAMPLING_RATE,
        "praat": f"pitch {PITCH_FLOOR:g} to {PITCH_CEILING:g} Hz; settings in ser_model/models/voice_quality_ser.py",
        "units": UNITS,
        "percentiles": list(PERCENTILES),
        "measures": {name: {group: by_group[group][name] for group in GROUPS} for name in UNITS},
    }
