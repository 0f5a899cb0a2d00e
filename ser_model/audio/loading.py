"""Recordings as one channel at one sampling rate, without offset."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import soxr

from .decoding import Stream, open_audio
from .limits import MAX_SECONDS, MIN_SECONDS, AudioError
from .sources import LOUDEST, AudioSource, identify

SILENCE_PEAK = 1e-4  # -80 dB below full scale: two steps of 16-bit audio
CANCELLED = 0.1  # channels cancel where their mean has less than this share of the power that unrelated ones would give


def load_audio(
    source: AudioSource,
    sampling_rate: int,
    source_rate: int | None = None,
    max_seconds: float = MAX_SECONDS,
    look: Callable[[np.ndarray], None] | None = None,
) -> np.ndarray:
    """Reads a recording as one channel at one sampling rate.

    Channels are averaged; where they cancel each other, the loudest one is taken. The mean of the
    recording (a DC offset) is removed. Decoding goes block by block, so that memory is that of the result.

    Args:
        source: Path, bytes of a file, open file, or samples: array, torch tensor or list, `(num_samples,)` or
            two-dimensional with the shorter axis taken as the channels, a pair of rate and samples, or a dict of
            the datasets library. Integers are scaled to [-1, 1], see docs/audio.md.
        sampling_rate: Sampling rate of the result in Hz.
        source_rate: Sampling rate of samples in Hz; files, pairs and dicts bring their own.
        max_seconds: Longer recordings are refused.
        look: Is given each block `(num_frames, num_channels)` as it was decoded, for what is to be known of it too.

    Returns:
        float32 array `(num_samples,)`.

    Raises:
        AudioError: The recording is missing, not audio, cut off, empty, shorter than 0.1 s, longer
            than `max_seconds`, silent throughout, or holds samples that are NaN, infinite or far beyond full scale.
    """
    given = identify(source, source_rate)  # once: an open file can be read only once
    with open_audio(given, max_seconds=max_seconds) as stream:
        weights = np.full(stream.channels, 1 / stream.channels, dtype=np.float32)
        mono, levels = _mono(stream, sampling_rate, weights, look)
    if levels.cancel():
        weights = np.eye(len(weights), dtype=np.float32)[levels.power().argmax()]
        del mono  # there is room for one
        with open_audio(given, max_seconds=max_seconds) as stream:
            mono, levels = _mono(stream, sampling_rate, weights)
    if levels.highest - levels.lowest < 2 * SILENCE_PEAK:
        raise AudioError("The recording is silent.")
    return mono


class _Levels:
    """What is known of a recording's channels, from blocks without offset.

    Attributes:
        frames: How many were counted.
        lowest, highest: Extremes of the mono signal.
    """

    def __init__(self, channels: int):
        self.frames, self.lowest, self.highest = 0, np.inf, -np.inf
        self.sums = np.zeros(channels)
        self.products = np.zeros((channels, channels))

    def add(self, block: np.ndarray, mono: np.ndarray) -> None:
        """Counts a block `(num_frames, num_channels)` and what became of it `(num_frames,)`."""
        self.frames += len(block)
        self.lowest, self.highest = min(self.lowest, float(mono.min())), max(self.highest, float(mono.max()))
        if len(self.sums) > 1:
            self.sums += block.sum(axis=0, dtype=np.float64)
            self.products += block.T @ block

    def power(self) -> np.ndarray:
        """Power of each channel `(num_channels,)`."""
        return self._covariance().diagonal()

    def cancel(self) -> bool:
        """Whether the mean of the channels loses what they hold."""
        covariance = self._covariance()
        return len(covariance) > 1 and bool(covariance.sum() < CANCELLED * covariance.trace())

    def _covariance(self) -> np.ndarray:
        means = self.sums / self.frames
        return self.products / self.frames - np.outer(means, means)


def _mono(
    stream: Stream, sampling_rate: int, weights: np.ndarray, look: Callable[[np.ndarray], None] | None = None
) -> tuple[np.ndarray, _Levels]:
    """Mixes channels by `weights` `(num_channels,)`, removes the offset and resamples, a block at a time.

    The first block's means are removed before resampling, where an offset would be a step at both
    ends; what is left of the whole recording's mean, afterwards.
    """
    resampler = soxr.ResampleStream(stream.rate, sampling_rate, 1) if stream.rate != sampling_rate else None
    levels = _Levels(stream.channels)
    samples = np.empty(0, dtype=np.float32)
    offsets = None
    for block in stream.blocks:
        if look is not None:
            look(block)
        if offsets is None:
            offsets = block.mean(axis=0, dtype=np.float64).astype(np.float32)
        with np.errstate(invalid="ignore", over="ignore"):  # what is not finite is refused below
            block = block - offsets
            mono = block @ weights
        if not np.isfinite(mono).all():
            raise AudioError("The recording holds samples that are not numbers (NaN or infinite).")
        if (peak := np.abs(block).max()) > LOUDEST:
            raise AudioError(
                f"The recording reaches {peak:,.0f} times full scale: samples that are not integers are taken as they "
                "are, from -1 to 1. Divide those of 16 bits by 32,768."
            )
        levels.add(block, mono)
        _append(samples, mono if resampler is None else resampler.resample_chunk(mono))
    if resampler is not None and levels.frames:
        _append(samples, resampler.resample_chunk(np.empty(0, dtype=np.float32), last=True))
    _refuse_short(levels.frames, stream.rate)
    samples -= np.float32(samples.mean(dtype=np.float64))
    return samples, levels


def _append(samples: np.ndarray, more: np.ndarray) -> None:
    """Lengthens an array in place: joining blocks at the end would need twice the memory."""
    count = len(samples)
    samples.resize(count + len(more), refcheck=False)
    samples[count:] = more


def _refuse_short(num_frames: int, rate: int) -> None:
    if num_frames == 0:
        raise AudioError("The recording is empty: it has no samples.")
    if num_frames < int(MIN_SECONDS * rate):
        seconds = num_frames / rate
        raise AudioError(f"The recording is too short: {seconds:.4f} s, at least {MIN_SECONDS} s are needed.")
