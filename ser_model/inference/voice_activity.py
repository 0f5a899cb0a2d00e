"""Where somebody speaks: silero-vad's probabilities of speech with hysteresis. The one speech gate of all doors."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import soxr

from .speech_blocks import SAMPLING_RATE

FRAME_SECONDS = 0.032
# Chosen on 300 random clips of RAVDESS, CREMA-D, TESS and SAVEE (75 each), which all pass (least stretch 0.61 s; at 0.5
# one does not), and on white, pink and brown noise, hum, tones, chords, clicks, breath, coughs, knocking, sirens and
# machines, whose longest stretch is 0.16 s. Of eight synthetic melodies two pass.
SPEECH, STILL_SPEECH = 0.3, 0.15  # probability from which speech begins, and below which it ends
LEAST_SECONDS = 0.25  # a shorter stretch is none
PAUSE_SECONDS = 0.3  # a shorter pause lies within a stretch
MARGIN_SECONDS = 0.1
PEAK = 0.5  # that a recording is scaled to: at a hundredth of full scale two of three clips would not pass
FAINTEST_PEAK = 1e-4  # fainter ones are not amplified further
FLOOR_DB = -100.0  # what digital silence counts as

Stretches = list[tuple[float, float]]  # start and end in seconds, in order
# Probability of speech in each frame, of samples at `SAMPLING_RATE` and what they are multiplied by.
Detector = Callable[[np.ndarray, float], np.ndarray]


def speech_frames(wave: np.ndarray, sampling_rate: int, detect: Detector | None = None) -> np.ndarray:
    """Which frames of `FRAME_SECONDS` are speech: booleans `(num_frames,)`, before pauses are bridged.

    Args:
        wave: Mono samples `(num_samples,)`.
        sampling_rate: In Hz.
        detect: What finds speech; by default the detector in torch.
    """
    if len(wave) == 0:
        return np.zeros(0, dtype=bool)
    if detect is None:
        from .speech_detector import speech_probabilities  # brings torch

        detect = speech_probabilities
    peak = max(float(wave.max()), -float(wave.min()), FAINTEST_PEAK)
    at_rate = wave if sampling_rate == SAMPLING_RATE else soxr.resample(wave, sampling_rate, SAMPLING_RATE)
    shares = detect(at_rate, PEAK / peak)
    kept = shares >= STILL_SPEECH
    for start, end in _runs(kept):
        kept[start:end] = shares[start:end].max() >= SPEECH
    return kept


def speech_stretches(wave: np.ndarray, sampling_rate: int, detect: Detector | None = None) -> Stretches:
    """Stretches of speech, pauses within a phrase bridged; empty where nobody speaks.

    Args:
        wave: Mono samples `(num_samples,)`.
        sampling_rate: In Hz.
        detect: What finds speech; by default the detector in torch.
    """
    duration = len(wave) / sampling_rate
    return [
        (start * FRAME_SECONDS, min(duration, end * FRAME_SECONDS))
        for start, end in _bridged(_runs(speech_frames(wave, sampling_rate, detect)))
        if (end - start) * FRAME_SECONDS >= LEAST_SECONDS
    ]


def with_margin(stretches: Sequence[tuple[float, float]], duration: float, margin: float) -> Stretches:
    """The stretches and so many seconds around each, within `duration`; those that then touch become one."""
    wider: Stretches = []
    for start, end in stretches:
        start, end = max(0.0, start - margin), min(duration, end + margin)
        if wider and start <= wider[-1][1]:
            start = wider.pop()[0]
        wider.append((start, end))
    return wider


def speaking_level(wave: np.ndarray, sampling_rate: int) -> tuple[float, float]:
    """How loud and how much: mean level of the speech in dB relative to full scale, and its share of the time.

    Without speech the level is NaN.
    """
    stretches = speech_stretches(wave, sampling_rate)
    if not stretches:
        return float("nan"), 0.0
    spoken = [wave[round(start * sampling_rate) : round(end * sampling_rate)] for start, end in stretches]
    seconds = sum(end - start for start, end in stretches)
    return level(np.concatenate(spoken)), seconds * sampling_rate / len(wave)


def level(wave: np.ndarray) -> float:
    """RMS level in dB relative to full scale."""
    return float(10 * np.log10(max(float(np.mean(np.square(wave, dtype=np.float64))), 10 ** (FLOOR_DB / 10))))


def _runs(flags: np.ndarray) -> list[tuple[int, int]]:
    """Start and end of each run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def _bridged(runs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in runs:
        if joined and (start - joined[-1][1]) * FRAME_SECONDS < PAUSE_SECONDS:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined
