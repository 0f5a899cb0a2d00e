"""Waveforms in, normalised frames and their mask out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
import torch
from transformers import BatchFeature, SequenceFeatureExtractor
from transformers.utils import logging

logger = logging.get_logger(__name__)

AMIN = 1e-10  # power below which a decibel is not taken, as in librosa.power_to_db
TOP_DB = 80.0  # decibels below a clip's loudest bin that are kept, as in librosa.power_to_db


class SerFeatureExtractor(SequenceFeatureExtractor):
    """Waveform > peak normalisation > frame features > standardisation > padding and mask.

    Frame features are equal to librosa's with `center=True` and `pad_mode="reflect"`:
    `log_mel` (`power_to_db(melspectrogram(y))`, `num_mel_bins` values in dB).

    Args:
        features: Names of the frame features, concatenated in this order.
        sampling_rate: Sampling rate of the waveforms in Hz.
        n_fft: Window and FFT length in samples.
        hop_length: Samples between frames.
        num_mel_bins: Bands of the mel filter bank.
        num_frames: Length a clip is cut or padded to when that is asked for.
        mean, std: Statistics `(num_features,)` of the training part; None leaves frames as they are.
    """

    model_input_names = ["input_features", "attention_mask"]

    def __init__(
        self,
        features: Sequence[str] = ("log_mel",),
        sampling_rate: int = 16_000,
        n_fft: int = 1024,
        hop_length: int = 256,
        num_mel_bins: int = 128,
        num_frames: int = 300,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
        **kwargs,
    ):
        unknown = [name for name in features if name not in FRAME_FEATURES]
        if unknown:
            raise ValueError(f"There is no frame feature {unknown[0]}; known are {', '.join(FRAME_FEATURES)}.")
        self.features = list(features)
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.num_mel_bins = num_mel_bins
        self.num_frames = num_frames
        self.mean = None if mean is None else [float(value) for value in mean]
        self.std = None if std is None else [float(value) for value in std]
        kwargs.pop("feature_size", None)  # follows from the features
        kwargs.setdefault("padding_value", 0.0)
        kwargs.setdefault("return_attention_mask", True)
        size = sum(FRAME_FEATURES[name][1](self) for name in self.features)
        super().__init__(feature_size=size, sampling_rate=sampling_rate, **kwargs)

    def __call__(
        self,
        raw_speech: np.ndarray | Sequence[float] | Sequence[np.ndarray],
        sampling_rate: int | None = None,
        padding: bool | str = True,
        max_length: int | None = None,
        truncation: bool = False,
        return_tensors: str | None = None,
    ) -> BatchFeature:
        """Extracts normalised features of one clip or a batch.

        Args:
            raw_speech: One mono waveform `(num_samples,)` or several, of any lengths.
            sampling_rate: Their sampling rate in Hz, checked against the extractor's.
            padding: `True` to the longest, `"max_length"` to `max_length` frames, `False` not.
            max_length: Frames to pad or truncate to; `num_frames` by default.
            truncation: Cut clips after `max_length` frames. By default nothing is cut, and the
                models window what is longer than their span.

        Returns:
            `input_features (batch, num_frames, num_features)` and `attention_mask (batch, num_frames)`.

        Raises:
            ValueError: Another sampling rate, a clip shorter than half a window, or samples that
                are NaN or infinite.
        """
        if sampling_rate is None:
            logger.warning_once("Pass sampling_rate: without it a wrong rate goes unnoticed.")
        elif sampling_rate != self.sampling_rate:
            raise ValueError(f"These models hear at {self.sampling_rate} Hz; resample from {sampling_rate} Hz first.")
        return self.collate(self.frames(_as_clips(raw_speech)), padding, max_length, truncation, return_tensors)

    def frames(self, clips: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Features before standardisation: one float32 `(num_frames, num_features)` a clip."""
        waves = [_peak_normalised(clip, self.n_fft) for clip in clips]
        counts = [1 + len(wave) // self.hop_length for wave in waves]
        parts = [FRAME_FEATURES[name][0](self, waves, counts) for name in self.features]
        together = torch.cat(parts, dim=-1).numpy()  # (batch, num_frames, num_features)
        return [together[index, :count].copy() for index, count in enumerate(counts)]

    def fit(self, frames: Iterable[np.ndarray]) -> None:
        """Sets `mean` and `std` from unstandardised frames of the training part."""
        count, total, squares = 0, np.zeros(self.feature_size), np.zeros(self.feature_size)
        for clip in frames:
            values = np.asarray(clip, dtype=np.float64)
            count += len(values)
            total += values.sum(axis=0)
            squares += np.square(values).sum(axis=0)
        mean = total / count
        self.mean = mean.tolist()
        self.std = np.sqrt(np.maximum(squares / count - np.square(mean), 1e-8)).tolist()

    def collate(
        self,
        frames: Sequence[np.ndarray],
        padding: bool | str = True,
        max_length: int | None = None,
        truncation: bool = False,
        return_tensors: str | None = None,
    ) -> BatchFeature:
        """Standardises, pads and masks the output of `frames`; padding is zero, the training mean."""
        if self.mean is not None:
            mean, std = np.float32(self.mean), np.float32(self.std)
            frames = [(clip - mean) / std for clip in frames]
        if max_length is None and (truncation or padding == "max_length"):
            max_length = self.num_frames
        return self.pad(
            {"input_features": list(frames)},
            padding=padding,
            max_length=max_length,
            truncation=truncation,
            return_tensors=return_tensors,
        )


def _as_clips(raw_speech) -> list[np.ndarray]:
    if isinstance(raw_speech, (np.ndarray, torch.Tensor)):
        raw_speech = [raw_speech] if raw_speech.ndim == 1 else list(raw_speech)
    elif len(raw_speech) == 0 or np.isscalar(raw_speech[0]):
        raw_speech = [raw_speech]
    clips = [np.asarray(clip, dtype=np.float32) for clip in raw_speech]
    if any(clip.ndim != 1 for clip in clips):
        raise ValueError("Each clip must be mono: a one-dimensional array of samples.")
    return clips


def _peak_normalised(clip: np.ndarray, n_fft: int) -> np.ndarray:
    if len(clip) <= n_fft // 2:
        raise ValueError(f"A clip of {len(clip)} samples is too short; more than {n_fft // 2} are needed.")
    peak = np.abs(clip).max()
    if not np.isfinite(peak):
        raise ValueError("A clip holds samples that are not numbers (NaN or infinite).")
    return clip / peak if peak > 0 else clip


def _padded(waves: Sequence[np.ndarray], n_fft: int, mode: str) -> torch.Tensor:
    """Centres frames as librosa does, clip by clip, then fills up to the longest with zeros."""
    edged = [np.pad(wave, n_fft // 2, mode=mode) for wave in waves]
    batch = np.zeros((len(edged), max(map(len, edged))), dtype=np.float32)
    for row, wave in zip(batch, edged, strict=True):
        row[: len(wave)] = wave
    return torch.from_numpy(batch)


@lru_cache
def _mel_filters(sampling_rate: int, n_fft: int, num_mel_bins: int) -> torch.Tensor:
    import librosa

    return torch.from_numpy(librosa.filters.mel(sr=sampling_rate, n_fft=n_fft, n_mels=num_mel_bins))


def _log_mel(extractor: SerFeatureExtractor, waves: Sequence[np.ndarray], counts: Sequence[int]) -> torch.Tensor:
    """Mel power in dB `(batch, num_frames, num_mel_bins)`, at most `TOP_DB` below the clip's maximum."""
    spectrum = torch.stft(
        _padded(waves, extractor.n_fft, "reflect"),
        extractor.n_fft,
        extractor.hop_length,
        window=torch.hann_window(extractor.n_fft),
        center=False,
        return_complex=True,
    )
    filters = _mel_filters(extractor.sampling_rate, extractor.n_fft, extractor.num_mel_bins)
    power = spectrum.real.square() + spectrum.imag.square()  # (batch, n_fft // 2 + 1, num_frames)
    decibels = 10 * torch.log10((filters @ power).clamp(min=AMIN)).transpose(1, 2)
    valid = torch.arange(decibels.shape[1]) < torch.tensor(counts)[:, None]
    loudest = decibels.masked_fill(~valid[..., None], -torch.inf).amax(dim=(1, 2), keepdim=True)
    return torch.maximum(decibels, loudest - TOP_DB)


FRAME_FEATURES = {"log_mel": (_log_mel, lambda extractor: extractor.num_mel_bins)}
