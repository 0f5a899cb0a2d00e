"""The extractors' frame features as a network: what they do with NumPy and FFTs, in operators that ONNX has."""

from __future__ import annotations

import math

import torch
from torch import nn

from ser_model.models.feature_extraction_ser import AMIN, TOP_DB, SerFeatureExtractor, dct_basis, mel_filters
from ser_model.models.modeling_ser import time_mask
from ser_model.models.speech_encoder_features_ser import SpeechEncoderFeatureExtractor


class FrontEnd(nn.Module):
    """Offset removed > peak normalisation, if the extractor does it > frame features > standardisation.

    Gives what `extractor(clips)` gives, to float32's accuracy. The spectrum is a convolution with the windowed
    sines and cosines, since the runtime's own STFT takes thirty times as long where the window is no power of two.
    """

    waves: torch.Tensor
    filters: torch.Tensor
    dct: torch.Tensor
    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, extractor: SerFeatureExtractor):
        super().__init__()
        self.extractor = extractor
        self.of_encoder = isinstance(extractor, SpeechEncoderFeatureExtractor)
        size = extractor.n_fft
        angles = 2 * math.pi / size * torch.arange(size // 2 + 1, dtype=torch.float64)[:, None] * torch.arange(size)
        window = torch.hann_window(size, dtype=torch.float64)
        waves = torch.cat([angles.cos(), angles.sin()]) * window
        self.register_buffer("waves", waves.float()[:, None])  # (2 * num_bins, 1, n_fft)
        self.register_buffer("filters", mel_filters(extractor.sampling_rate, size, extractor.num_mel_bins))
        self.register_buffer("dct", dct_basis(extractor.num_mfcc, extractor.num_mel_bins))
        self.register_buffer("mean", torch.tensor(0.0 if extractor.mean is None else extractor.mean))
        self.register_buffer("std", torch.tensor(1.0 if extractor.std is None else extractor.std))

    def forward(self, samples: torch.Tensor, num_samples: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Takes features of recordings.

        Args:
            samples: `(batch, num_samples)` at the extractor's sampling rate, zero where padded.
            num_samples: Valid samples `(batch,)`.

        Returns:
            `(batch, num_frames, num_features)`, and how many of the frames are valid `(batch,)`.
        """
        valid = time_mask(num_samples, samples.shape[1])
        x = samples * valid
        x = (x - x.sum(dim=1, keepdim=True) / num_samples[:, None]) * valid
        if not self.of_encoder:
            peak = x.abs().amax(dim=1, keepdim=True)
            x = x / torch.where(peak > 0, peak, 1.0)
        num_frames = num_samples // self.extractor.hop_length + (0 if self.of_encoder else 1)
        reflected = self.with_edges(x, num_samples)
        parts = [self.feature(name, x, reflected, num_samples, num_frames) for name in self.extractor.features]
        features = (torch.cat(parts, dim=-1) - self.mean) / self.std
        return features[:, :-1] if self.of_encoder else features, num_frames

    def feature(
        self, name: str, x: torch.Tensor, reflected: torch.Tensor, num_samples: torch.Tensor, num_frames: torch.Tensor
    ) -> torch.Tensor:
        """One of the frame features `(batch, num_frames, num_values)`."""
        if name == "zcr":
            return self.zero_crossings(x, num_samples)
        if name == "rms":
            return self.frame_sums(reflected.square()).div(self.extractor.n_fft).sqrt()
        decibels = self.log_mel(reflected, num_frames)
        return decibels @ self.dct if name == "mfcc" else decibels

    def with_edges(self, x: torch.Tensor, num_samples: torch.Tensor) -> torch.Tensor:
        """Half a window more at both ends of each recording, reflected `(batch, num_samples + n_fft)`."""
        half, last = self.extractor.n_fft // 2, num_samples[:, None] - 1
        places = (torch.arange(x.shape[1] + 2 * half) - half).abs()[None]
        places = torch.where(places > last, 2 * last - places, places).clamp(min=0)
        return x.gather(1, places)

    def log_mel(self, reflected: torch.Tensor, num_frames: torch.Tensor) -> torch.Tensor:
        """Mel power in dB, at most `TOP_DB` below the recording's maximum."""
        spectrum = nn.functional.conv1d(reflected[:, None], self.waves, stride=self.extractor.hop_length)
        real, imaginary = spectrum.square().chunk(2, dim=1)  # (batch, num_bins, num_frames) each
        power = self.filters @ (real + imaginary)
        decibels = 10 * torch.log10(power.clamp(min=AMIN)).transpose(1, 2)
        valid = time_mask(num_frames, decibels.shape[1])[..., None]
        loudest = decibels.masked_fill(~valid, -torch.inf).amax(dim=(1, 2), keepdim=True)
        return torch.maximum(decibels, loudest - TOP_DB)

    def frame_sums(self, values: torch.Tensor) -> torch.Tensor:
        """Sums over each frame's samples `(batch, num_frames, 1)`."""
        size = self.extractor.n_fft
        window = torch.ones(1, 1, size)
        return nn.functional.conv1d(values[:, None], window, stride=self.extractor.hop_length).transpose(1, 2)

    def zero_crossings(self, x: torch.Tensor, num_samples: torch.Tensor) -> torch.Tensor:
        """Crossings per sample; the edges are repeated, so that none is there."""
        half = self.extractor.n_fft // 2
        negative = x < -AMIN
        crossed = (negative[:, 1:] != negative[:, :-1]) & time_mask(num_samples - 1, x.shape[1] - 1)
        # the crossing between two samples counts in frames that hold both
        crossed = nn.functional.pad(crossed.float(), (half, half))
        window = torch.ones(1, 1, self.extractor.n_fft - 1)
        sums = nn.functional.conv1d(crossed[:, None], window, stride=self.extractor.hop_length)
        return sums.transpose(1, 2) / self.extractor.n_fft
