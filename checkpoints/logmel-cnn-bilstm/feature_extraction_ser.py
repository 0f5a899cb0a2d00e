"""Waveforms in, normalised frames and their mask out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Literal

import numpy as np
import torch
from transformers import BatchFeature, SequenceFeatureExtractor
from transformers.audio_utils import mel_filter_bank
from transformers.utils import logging

from .voice_quality_ser import NUM_UTTERANCE_FEATURES, utterance_features

logger = logging.get_logger(__name__)

LOUDEST = 128.0  # times full scale that a clip may reach
FRAMES_AT_ONCE = 4096  # whose spectra are in memory
AMIN = 1e-10  # power below which a decibel is not taken, as in librosa.power_to_db
TOP_DB = 80.0  # decibels below a clip's loudest bin that are kept, as in librosa.power_to_db


class SerFeatureExtractor(SequenceFeatureExtractor):
    """Waveform > offset removed > peak normalisation > frame features > standardisation > padding and mask.

    Frame features, equal to librosa's with `center=True` and `pad_mode="reflect"`:

    - `log_mel`: `power_to_db(melspectrogram(y))`, `num_mel_bins` values in dB;
    - `mfcc`: `mfcc(y)`, `num_mfcc` values;
    - `zcr`: `zero_crossing_rate(y)`, crossings per sample (librosa repeats the edge samples here);
    - `rms`: `rms(y)`, 1 for the square wave of full scale.

    Utterance features, where asked: the `MEASURES` of `voice_quality`, and `voiced`, which is 1 where
    all of them could be taken and else 0. A measure that could not be taken is replaced by its
    training mean, which is 0 after standardisation.

    Args:
        features: Names of the frame features, concatenated in this order.
        sampling_rate: Sampling rate of the waveforms in Hz.
        n_fft: Window and FFT length in samples.
        hop_length: Samples between frames.
        num_mel_bins: Bands of the mel filter bank.
        num_mfcc: Cepstral coefficients.
        num_frames: Length a clip is cut or padded to when that is asked for.
        voice_quality: Whether to take utterance features; needs praat-parselmouth.
        mean, std: Statistics `(num_features,)` of the training part; None leaves frames as they are.
        utterance_mean, utterance_std: The same for the utterance features.
    """

    model_input_names = ["input_features", "attention_mask"]

    def __init__(
        self,
        features: Sequence[str] = ("log_mel",),
        sampling_rate: int = 16_000,
        n_fft: int = 1024,
        hop_length: int = 256,
        num_mel_bins: int = 128,
        num_mfcc: int = 40,
        num_frames: int = 300,
        voice_quality: bool = False,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
        utterance_mean: Sequence[float] | None = None,
        utterance_std: Sequence[float] | None = None,
        **kwargs,
    ):
        unknown = [name for name in features if name not in FRAME_FEATURES]
        if unknown:
            raise ValueError(f"There is no frame feature {unknown[0]}; known are {', '.join(FRAME_FEATURES)}.")
        self.features = list(features)
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.num_mel_bins = num_mel_bins
        self.num_mfcc = num_mfcc
        self.num_frames = num_frames
        self.voice_quality = voice_quality
        self.mean, self.std = mean, std
        self.utterance_mean, self.utterance_std = utterance_mean, utterance_std
        kwargs.pop("feature_size", None)  # follows from the features
        kwargs.setdefault("padding_value", 0.0)
        kwargs.setdefault("return_attention_mask", True)
        size = sum(FRAME_FEATURES[name][1](self) for name in self.features)
        _check_statistics("", mean, std, size)
        _check_statistics("utterance_", utterance_mean, utterance_std, self.num_utterance_features)
        super().__init__(feature_size=size, sampling_rate=sampling_rate, **kwargs)

    @property
    def num_utterance_features(self) -> int:
        """Features of a whole clip."""
        return NUM_UTTERANCE_FEATURES if self.voice_quality else 0

    @property
    def seconds_per_frame(self) -> float:
        """Time from one frame to the next."""
        return self.hop_length / self.sampling_rate

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
            raw_speech: One mono waveform `(num_samples,)` or several, of any lengths, -1 to 1.
            sampling_rate: Their sampling rate in Hz, checked against the extractor's.
            padding: `True` to the longest, `"max_length"` to `max_length` frames, `False` not.
            max_length: Frames to pad or truncate to; `num_frames` by default.
            truncation: Cut clips after `max_length` frames. By default nothing is cut, and the
                models window what is longer than their span.

        Returns:
            `input_features (batch, num_frames, num_features)`, `attention_mask (batch, num_frames)`, and
            with `voice_quality` `utterance_features (batch, num_utterance_features)`.

        Raises:
            ValueError: Another sampling rate, a clip shorter than half a window, or samples that
                are NaN, infinite, integers or far beyond full scale.
        """
        if sampling_rate is None:
            logger.warning_once("Pass sampling_rate: without it a wrong rate goes unnoticed.")
        elif sampling_rate != self.sampling_rate:
            raise ValueError(
                f"These models take audio at {self.sampling_rate} Hz; resample from {sampling_rate} Hz first."
            )
        clips = _as_clips(raw_speech)
        return self.collate(self.frames(clips), self.utterances(clips), padding, max_length, truncation, return_tensors)

    def frames(self, clips: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Features before standardisation: one float32 `(num_frames, num_features)` a clip."""
        waves = [self.normalised(clip) for clip in clips]
        counts = [self.count_frames(len(wave)) for wave in waves]
        parts = [FRAME_FEATURES[name][0](self, waves, counts) for name in self.features]
        together = torch.cat(parts, dim=-1).numpy()  # (batch, num_frames, num_features)
        return [together[index, :count].copy() for index, count in enumerate(counts)]

    def normalised(self, clip: np.ndarray) -> np.ndarray:
        """The waveform at a peak of 1; refuses one that is too short or not of numbers."""
        peak = np.abs(checked(clip, self.n_fft)).max()
        return clip / peak if peak > 0 else clip

    def count_frames(self, num_samples: int) -> int:
        """Frames of a clip."""
        return 1 + num_samples // self.hop_length

    def utterances(self, clips: Sequence[np.ndarray]) -> np.ndarray | None:
        """Utterance features before standardisation, NaN where a measure could not be taken.

        Returns:
            float32 `(batch, num_utterance_features)`, or None without `voice_quality`.
        """
        return utterance_features(clips, self.sampling_rate) if self.voice_quality else None

    def fit(self, frames: Iterable[np.ndarray], utterances: Iterable[np.ndarray] = ()) -> None:
        """Sets the statistics from unstandardised features of the training part.

        Args:
            frames: `(num_frames, num_features)` a clip.
            utterances: `(num_utterance_features,)` a clip; NaN is passed over.
        """
        self.mean, self.std = _statistics(frames)
        if self.voice_quality:
            self.utterance_mean, self.utterance_std = _statistics(row[None] for row in utterances)

    def collate(
        self,
        frames: Sequence[np.ndarray],
        utterances: np.ndarray | None = None,
        padding: bool | str = True,
        max_length: int | None = None,
        truncation: bool = False,
        return_tensors: str | None = None,
    ) -> BatchFeature:
        """Standardises, pads and masks the output of `frames` and `utterances`; padding is zero."""
        if self.mean is not None:
            frames = [_standardised(clip, self.mean, self.std) for clip in frames]
        if max_length is None and (truncation or padding == "max_length"):
            max_length = self.num_frames
        batch: dict = {"input_features": list(frames)}
        if utterances is not None:
            if self.utterance_mean is not None:
                utterances = _standardised(utterances, self.utterance_mean, self.utterance_std)
            batch["utterance_features"] = list(np.nan_to_num(utterances, nan=0.0))
        return self.pad(
            batch, padding=padding, max_length=max_length, truncation=truncation, return_tensors=return_tensors
        )


def _standardised(values: np.ndarray, mean: Sequence[float], std: Sequence[float] | None) -> np.ndarray:
    return (values - np.asarray(mean, dtype=np.float32)) / np.asarray(std, dtype=np.float32)


def _statistics(rows: Iterable[np.ndarray]) -> tuple[list[float], list[float]]:
    """Mean and standard deviation over the first axis of all arrays together, NaN passed over."""
    count = total = squares = np.zeros(1)
    for clip in rows:
        values = np.asarray(clip, dtype=np.float64)
        count = count + np.isfinite(values).sum(axis=0)
        total = total + np.nansum(values, axis=0)
        squares = squares + np.nansum(np.square(values), axis=0)
    count = np.maximum(count, 1)
    mean = total / count
    return mean.tolist(), np.sqrt(np.maximum(squares / count - np.square(mean), 1e-8)).tolist()


def _check_statistics(prefix: str, mean: Sequence[float] | None, std: Sequence[float] | None, size: int) -> None:
    if mean is None and std is None:
        return
    for name, values in ((f"{prefix}mean", mean), (f"{prefix}std", std)):
        array = np.asarray(values, dtype=np.float64)
        if array.shape != (size,) or not np.isfinite(array).all():
            raise ValueError(f"{name} has to be {size} finite numbers.")
        if name.endswith("std") and (array <= 0).any():
            raise ValueError(f"{name} has to be above 0 everywhere.")


def _as_clips(raw_speech) -> list[np.ndarray]:
    if isinstance(raw_speech, (np.ndarray, torch.Tensor)):
        raw_speech = [raw_speech] if raw_speech.ndim == 1 else list(raw_speech)
    elif len(raw_speech) == 0 or np.isscalar(raw_speech[0]):
        raw_speech = [raw_speech]
    clips = [np.asarray(clip) for clip in raw_speech]
    if any(clip.ndim != 1 for clip in clips):
        raise ValueError("Each clip must be mono: a one-dimensional array of samples.")
    if integers := [clip.dtype for clip in clips if clip.dtype.kind in "iu"]:
        raise ValueError(f"Samples are numbers from -1 to 1, not {integers[0]}: divide those of 16 bits by 32,768.")
    clips = [clip.astype(np.float32, copy=False) for clip in clips]
    # Without offset, as recordings come from `load_audio`; others, as in a pipeline, may have one.
    return [clip - clip.mean() if len(clip) else clip for clip in clips]


def checked(clip: np.ndarray, n_fft: int) -> np.ndarray:
    """The clip, if it is longer than half a window, finite and not far beyond full scale."""
    if len(clip) <= n_fft // 2:
        raise ValueError(f"A clip of {len(clip)} samples is too short; more than {n_fft // 2} are needed.")
    if not np.isfinite(clip).all():
        raise ValueError("A clip holds samples that are not numbers (NaN or infinite).")
    if (peak := np.abs(clip).max()) > LOUDEST:
        raise ValueError(f"A clip reaches {peak:,.0f} times full scale: divide samples of 16 bits by 32,768.")
    return clip


def _padded(waves: Sequence[np.ndarray], n_fft: int, mode: Literal["reflect", "edge"]) -> torch.Tensor:
    """Centres frames as librosa does, clip by clip, then fills up to the longest with zeros."""
    edged = [np.pad(wave, n_fft // 2, mode=mode) for wave in waves]
    batch = np.zeros((len(edged), max(map(len, edged))), dtype=np.float32)
    for row, wave in zip(batch, edged, strict=True):
        row[: len(wave)] = wave
    return torch.from_numpy(batch)


@lru_cache
def mel_filters(sampling_rate: int, n_fft: int, num_mel_bins: int) -> torch.Tensor:
    """`(num_mel_bins, n_fft // 2 + 1)`, as librosa.filters.mel gives them, whose import takes most of a second."""
    filters = mel_filter_bank(
        n_fft // 2 + 1, num_mel_bins, 0.0, sampling_rate / 2, sampling_rate, norm="slaney", mel_scale="slaney"
    )
    return torch.from_numpy(filters.T.astype(np.float32))


@lru_cache
def _window(n_fft: int) -> torch.Tensor:
    return torch.hann_window(n_fft)


def dct_basis(num_mfcc: int, num_mel_bins: int) -> torch.Tensor:
    """Orthonormal DCT-II `(num_mel_bins, num_mfcc)`."""
    bins = torch.arange(num_mel_bins, dtype=torch.float64)
    orders = torch.arange(num_mfcc, dtype=torch.float64)[:, None]
    basis = torch.cos(torch.pi / num_mel_bins * (bins + 0.5) * orders) * (2 / num_mel_bins) ** 0.5
    basis[0] /= 2**0.5
    return basis.T.float()


def _in_parts(
    extractor: SerFeatureExtractor, waves: Sequence[np.ndarray], features: Callable[[torch.Tensor], torch.Tensor]
) -> torch.Tensor:
    """Features of centred frames `(batch, num_frames, num_values)`, taken from some of the frames at a time."""
    samples, hop = _padded(waves, extractor.n_fft, "reflect"), extractor.hop_length
    count = 1 + (samples.shape[1] - extractor.n_fft) // hop
    ends = [min(start + FRAMES_AT_ONCE, count) for start in range(0, count, FRAMES_AT_ONCE)]
    spans = zip(range(0, count, FRAMES_AT_ONCE), ends, strict=True)
    return torch.cat(
        [features(samples[:, start * hop : (end - 1) * hop + extractor.n_fft]) for start, end in spans], dim=1
    )


def _power(extractor: SerFeatureExtractor, waves: Sequence[np.ndarray]) -> torch.Tensor:
    """Mel power `(batch, num_frames, num_mel_bins)`."""
    n_fft, filters = extractor.n_fft, mel_filters(extractor.sampling_rate, extractor.n_fft, extractor.num_mel_bins)

    def power(samples: torch.Tensor) -> torch.Tensor:
        spectrum = torch.stft(
            samples, n_fft, extractor.hop_length, window=_window(n_fft), center=False, return_complex=True
        )
        return (filters @ (spectrum.real.square() + spectrum.imag.square())).transpose(1, 2)

    return _in_parts(extractor, waves, power)


def _log_mel(extractor: SerFeatureExtractor, waves: Sequence[np.ndarray], counts: Sequence[int]) -> torch.Tensor:
    """Mel power in dB, at most `TOP_DB` below the clip's maximum."""
    decibels = 10 * torch.log10(_power(extractor, waves).clamp(min=AMIN))
    valid = torch.arange(decibels.shape[1]) < torch.tensor(counts)[:, None]
    loudest = decibels.masked_fill(~valid[..., None], -torch.inf).amax(dim=(1, 2), keepdim=True)
    return torch.maximum(decibels, loudest - TOP_DB)


def _mfcc(extractor: SerFeatureExtractor, waves: Sequence[np.ndarray], counts: Sequence[int]) -> torch.Tensor:
    """Cepstral coefficients `(batch, num_frames, num_mfcc)`: orthonormal DCT-II of the log-mels."""
    return _log_mel(extractor, waves, counts) @ dct_basis(extractor.num_mfcc, extractor.num_mel_bins)


def _zcr(extractor: SerFeatureExtractor, waves: Sequence[np.ndarray], counts: Sequence[int]) -> torch.Tensor:
    """Zero crossings per sample `(batch, num_frames, 1)`."""
    negative = _padded(waves, extractor.n_fft, "edge") < -1e-10  # librosa takes smaller values for zero
    changes = torch.nn.functional.pad(negative[:, 1:] != negative[:, :-1], (1, 0))
    so_far = changes.cumsum(dim=1, dtype=torch.int32)
    ends = so_far[:, extractor.n_fft - 1 :: extractor.hop_length]
    starts = so_far[:, : so_far.shape[1] - extractor.n_fft + 1 : extractor.hop_length]
    return (ends - starts)[..., None] / extractor.n_fft


def _rms(extractor: SerFeatureExtractor, waves: Sequence[np.ndarray], counts: Sequence[int]) -> torch.Tensor:
    """Root mean square `(batch, num_frames, 1)`."""

    def root_mean_square(samples: torch.Tensor) -> torch.Tensor:
        frames = samples.unfold(1, extractor.n_fft, extractor.hop_length)
        return frames.square().mean(dim=-1, keepdim=True).sqrt()

    return _in_parts(extractor, waves, root_mean_square)


FRAME_FEATURES = {  # name -> (function, number of values)
    "log_mel": (_log_mel, lambda extractor: extractor.num_mel_bins),
    "mfcc": (_mfcc, lambda extractor: extractor.num_mfcc),
    "zcr": (_zcr, lambda extractor: 1),
    "rms": (_rms, lambda extractor: 1),
}
