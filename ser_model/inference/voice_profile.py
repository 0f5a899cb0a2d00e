"""How a person's voice differs from the training speakers', from a few unlabelled clips."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.func import functional_call

from ser_model.audio import AudioSource, load_audio

if TYPE_CHECKING:
    from .recognizer import EmotionRecognizer

SHRINK_FRAMES = 250  # frames of 40 ms at which a profile weighs as much as the training speakers


class VoiceProfileError(Exception):
    """A voice profile that cannot be made, read or used, said in one sentence."""


def shrunk(values: torch.Tensor, of_training: torch.Tensor, num_frames: int) -> torch.Tensor:
    """Statistics of `num_frames` frames of one voice, drawn toward those of the training speakers."""
    return of_training + num_frames / (num_frames + SHRINK_FRAMES) * (values - of_training)


@dataclass(frozen=True)
class VoiceProfile:
    """Statistics of one voice's encoder frames; no audio and no text.

    Attributes:
        checkpoint: Checksum of what made the frames, see `checksum`.
        num_frames: Frames of 40 ms that the statistics were taken over.
        mean, std: `(num_layers, size)` each.
    """

    checkpoint: str
    num_frames: int
    mean: list[list[float]]
    std: list[list[float]]

    @classmethod
    def from_clips(
        cls, recognizer: EmotionRecognizer, clips: Iterable[AudioSource], sampling_rate: int | None = None
    ) -> VoiceProfile:
        """Takes the profile of one person.

        Args:
            recognizer: Its model has a speech encoder.
            clips: Recordings of the person, whatever their emotion; the more speech, the more the profile counts.
            sampling_rate: Sampling rate of arrays in Hz.

        Raises:
            AudioError: A recording cannot be used.
            VoiceProfileError: There is no recording, or the model takes no profiles.
        """
        checkpoint = checksum(recognizer)
        parts = [_frames(recognizer, clip, sampling_rate) for clip in clips]
        if not parts:
            raise VoiceProfileError("A voice profile needs at least one recording.")
        frames = torch.cat(parts)
        std = frames.var(dim=0, correction=0).clamp(min=1e-8).sqrt()
        return cls(checkpoint, len(frames), _rounded(frames.mean(dim=0)), _rounded(std))

    @classmethod
    def load(cls, path: str | os.PathLike) -> VoiceProfile:
        """Reads what `save` wrote.

        Raises:
            VoiceProfileError: The file is not there or holds something else.
        """
        try:
            with open(path, encoding="utf-8") as file:
                return cls.from_dict(json.load(file))
        except OSError as error:
            raise VoiceProfileError(f"The voice profile {path} cannot be read: {error.strerror}.") from error
        except ValueError as error:
            raise VoiceProfileError(f"{path} is no voice profile.") from error

    @classmethod
    def from_dict(cls, content: Any) -> VoiceProfile:
        """Checks the content of a profile's file.

        Raises:
            VoiceProfileError: It is something else.
        """
        try:
            profile = cls(**content)
            mean, std = (np.asarray(values, dtype=float) for values in (profile.mean, profile.std))
        except (TypeError, ValueError) as error:
            raise VoiceProfileError("This is no voice profile.") from error
        counted = type(profile.num_frames) is int and profile.num_frames > 0 and isinstance(profile.checkpoint, str)
        if not counted or mean.ndim != 2 or mean.shape != std.shape or not np.isfinite([mean, std]).all():
            raise VoiceProfileError("This is no voice profile.")
        return profile

    def save(self, path: str | os.PathLike) -> None:
        """Writes the profile as JSON."""
        with open(path, "w", encoding="utf-8") as file:
            json.dump(asdict(self), file)

    def check(self, recognizer: EmotionRecognizer) -> None:
        """Raises `VoiceProfileError` if the profile was made with another model."""
        if self.checkpoint != checksum(recognizer):
            raise VoiceProfileError("The voice profile was made with another model; make one with this model.")

    def network(self, recognizer: EmotionRecognizer) -> Callable[..., Any]:
        """`forward` of the recognizer's model with this voice's statistics in place of the training speakers'.

        Raises:
            VoiceProfileError: The profile was made with another model.
        """
        self.check(recognizer)
        model = recognizer.model
        statistics = {
            name: shrunk(torch.tensor(values).to(of_training), of_training, self.num_frames)
            for name, values, of_training in (
                ("frames_mean", self.mean, model.frames_mean),
                ("frames_std", self.std, model.frames_std),
            )
        }
        return lambda **inputs: functional_call(model, statistics, kwargs=inputs)


def checksum(recognizer: EmotionRecognizer) -> str:
    """SHA-256 of the weights that a recognizer's encoder frames and their standardisation depend on.

    Raises:
        VoiceProfileError: The model has no speech encoder.
    """
    model = recognizer.model
    if not hasattr(model, "encoder_frames"):
        raise VoiceProfileError("This model has no speech encoder, so it takes no voice profiles.")
    if recognizer.encoder_checksum is None:
        digest = hashlib.sha256(json.dumps([model.config.encoder_layers, model.config.frames_per_step]).encode())
        for name, values in model.state_dict().items():
            if name.startswith(("encoder.", "frames_")):
                digest.update(values.float().cpu().numpy().tobytes())
        recognizer.encoder_checksum = digest.hexdigest()
    return recognizer.encoder_checksum


def _frames(recognizer: EmotionRecognizer, clip: AudioSource, sampling_rate: int | None) -> torch.Tensor:
    """Encoder frames of a recording, span by span: `(num_steps, num_layers, size)`."""
    model, rate = recognizer.model, recognizer.sampling_rate
    wave = load_audio(clip, rate, source_rate=sampling_rate)
    inputs = recognizer.feature_extractor(wave, sampling_rate=rate, return_tensors="pt")
    spans = inputs["input_features"].to(model.device, model.dtype).split(model.config.num_frames, dim=1)
    with torch.inference_mode():
        parts = [
            model.encoder_frames(part, torch.tensor([part.shape[1]], device=model.device))[0]
            for part in spans
            if part.shape[1] >= model.time_stride
        ]
    if not parts:
        raise VoiceProfileError("A recording for a voice profile is too short.")
    return torch.cat(parts).float().cpu()


def _rounded(values: torch.Tensor) -> list[list[float]]:
    return [[float(f"{value:.5g}") for value in row] for row in values.tolist()]
