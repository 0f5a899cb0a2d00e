"""Waveforms in, the input of pretrained speech encoders out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch

from .feature_extraction_ser import FRAME_FEATURES, SerFeatureExtractor, checked


def _waveform(extractor: SerFeatureExtractor, waves: Sequence[np.ndarray], counts: Sequence[int]) -> torch.Tensor:
    """The samples themselves `(batch, num_frames, hop_length)`; a part of a frame at the end is left out."""
    size = max(counts) * extractor.hop_length
    rows = [np.pad(wave[:size], (0, max(0, size - len(wave)))) for wave in waves]
    return torch.from_numpy(np.stack(rows)).unflatten(1, (-1, extractor.hop_length))


FRAME_FEATURES["waveform"] = (_waveform, lambda extractor: extractor.hop_length)


class SpeechEncoderFeatureExtractor(SerFeatureExtractor):
    """Frames of 10 ms as pretrained encoders take them.

    - `log_mel`: Whisper's front end, equal to `WhisperFeatureExtractor` without its padding to 30 s:
      log-mel in dB at the recorded level, at most 80 dB below the clip's maximum, (dB + 40) / 40;
    - `waveform`: samples of zero mean and unit variance over the clip, for wav2vec 2.0, HuBERT and WavLM.

    Args:
        features: One of the two.
        sampling_rate, n_fft, hop_length, num_mel_bins: What the encoder was trained with.
        num_frames: Frames of a window.
        kwargs: As for `SerFeatureExtractor`.
    """

    def __init__(
        self,
        features: Sequence[str] = ("log_mel",),
        sampling_rate: int = 16_000,
        n_fft: int = 400,
        hop_length: int = 160,
        num_mel_bins: int = 80,
        num_frames: int = 1000,
        voice_quality: bool = False,
        **kwargs,
    ):
        if list(features) not in (["log_mel"], ["waveform"]):
            raise ValueError(f"A speech encoder takes log_mel or waveform, not {', '.join(features)}.")
        if list(features) == ["log_mel"]:
            kwargs |= {"mean": [-40.0] * num_mel_bins, "std": [40.0] * num_mel_bins}
        super().__init__(
            features, sampling_rate, n_fft, hop_length, num_mel_bins,
            num_frames=num_frames, voice_quality=voice_quality, **kwargs,
        )  # fmt: skip

    def normalised(self, clip: np.ndarray) -> np.ndarray:
        checked(clip, self.n_fft)
        return (clip - clip.mean()) / np.sqrt(clip.var() + 1e-7) if self.features == ["waveform"] else clip

    def count_frames(self, num_samples: int) -> int:
        return num_samples // self.hop_length

    def fit(self, frames: Iterable[np.ndarray], utterances: Iterable[np.ndarray] = ()) -> None:
        """Sets the statistics of the utterance features; those of the frames are the encoder's."""
        mean, std = self.mean, self.std
        super().fit((), utterances)
        self.mean, self.std = mean, std
