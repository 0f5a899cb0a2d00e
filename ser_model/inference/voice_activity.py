"""Where somebody speaks: an energy gate with hysteresis."""

from __future__ import annotations

import numpy as np

FRAME_SECONDS = 0.02
FLOOR_DB = -100.0  # what digital silence counts as
FAINTEST_DB = -60.0  # below this nothing counts as speech
RANGE_DB = 30.0  # speech lies at most this far below the loudest second
ABOVE_NOISE_DB = 10.0  # and opens the gate this far above the quietest twentieth, or half way where noise is high
LEAST_CONTRAST_DB = 6.0  # steadier sound than this is a hum or hiss
HYSTERESIS_DB = 4.0  # once open, the gate stays open down to so much less
PAUSE_SECONDS, LEAST_SECONDS, MARGIN_SECONDS = 0.3, 0.2, 0.1


def frame_levels(wave: np.ndarray, sampling_rate: int) -> np.ndarray:
    """RMS level of each 20 ms in dB relative to full scale `(num_frames,)`; an incomplete last one is left out."""
    size = max(1, round(FRAME_SECONDS * sampling_rate))
    frames = wave[: len(wave) // size * size].reshape(-1, size)
    power = np.einsum("ij,ij->i", frames, frames, dtype=np.float64) / size
    return 10 * np.log10(np.maximum(power, 10 ** (FLOOR_DB / 10)))


def speech_frames(levels: np.ndarray) -> np.ndarray:
    """Which frames are speech: a boolean for each level in dB, before pauses are bridged."""
    if len(levels) == 0:
        return np.zeros(0, dtype=bool)
    ordered = np.sort(levels)
    loud = ordered[-min(round(1 / FRAME_SECONDS), 1 + len(levels) // 10)]  # reached for a second in all
    quiet = ordered[len(levels) // 20]
    if loud - quiet < LEAST_CONTRAST_DB:
        return np.zeros(len(levels), dtype=bool)
    opens = max(loud - RANGE_DB, min(quiet + ABOVE_NOISE_DB, (quiet + loud) / 2), FAINTEST_DB)
    kept = levels >= opens - HYSTERESIS_DB
    for start, end in _runs(kept):
        kept[start:end] = levels[start:end].max() >= opens
    return kept


def speech_stretches(wave: np.ndarray, sampling_rate: int) -> list[tuple[float, float]]:
    """Stretches of speech as `(start, end)` in seconds, in order, pauses within a phrase bridged.

    Args:
        wave: Mono samples `(num_samples,)`.
        sampling_rate: In Hz.
    """
    frames = [
        (start, end)
        for start, end in _bridged(_runs(speech_frames(frame_levels(wave, sampling_rate))), PAUSE_SECONDS)
        if (end - start) * FRAME_SECONDS >= LEAST_SECONDS
    ]
    frame = max(1, round(FRAME_SECONDS * sampling_rate)) / sampling_rate
    duration = len(wave) / sampling_rate
    return [
        (max(0.0, start * frame - MARGIN_SECONDS), min(duration, end * frame + MARGIN_SECONDS)) for start, end in frames
    ]


def speaking_level(wave: np.ndarray, sampling_rate: int) -> tuple[float, float]:
    """How loud and how much: mean level of the speech in dB relative to full scale, and its share of the time.

    Without speech the level is NaN.
    """
    levels = frame_levels(wave, sampling_rate)
    speech = speech_frames(levels)
    if not speech.any():
        return float("nan"), 0.0
    return float(10 * np.log10(np.mean(10 ** (levels[speech] / 10)))), float(speech.mean())


def _runs(flags: np.ndarray) -> list[tuple[int, int]]:
    """Start and end of each run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def _bridged(runs: list[tuple[int, int]], pause_seconds: float) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in runs:
        if joined and (start - joined[-1][1]) * FRAME_SECONDS < pause_seconds:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined
