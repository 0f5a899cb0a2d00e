"""How a person's voice differs from the training speakers', from a few unlabelled clips."""

from __future__ import annotations

import copy
import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ser_model.audio import AudioError, AudioSource, load_audio

from .voice_activity import speech_stretches

if TYPE_CHECKING:  # torch is not imported here: the page knows profiles before it has loaded a model
    import numpy as np
    import torch

    from .base_recognizer import BaseRecognizer
    from .recognizer import EmotionRecognizer

SHRINK_FRAMES = 250  # steps of the network (40 ms with `frames_per_step` 2) where a profile weighs as much as training
# What a profile may hold at most: more than any encoder needs, and little memory.
MOST_LAYERS, MOST_SIZE, MOST_FRAMES, MOST_VALUE, MOST_CHARACTERS = 32, 2048, 10**9, 1e6, 2 * 10**6
LEAST_STD = 1e-6
NO_PROFILE = "This is no voice profile."


class VoiceProfileError(Exception):
    """A voice profile that cannot be made, read or used, said in one sentence."""


def shrunk(values: torch.Tensor, of_training: torch.Tensor, num_frames: int | torch.Tensor) -> torch.Tensor:
    """Statistics of `num_frames` frames of one voice, drawn toward those of the training speakers."""
    return of_training + num_frames / (num_frames + SHRINK_FRAMES) * (values - of_training)


def frame_sums(frames: torch.Tensor) -> torch.Tensor:
    """Sums over time of `(num_frames, num_layers, size)`: of frames, of their squares, of ones.

    Returns:
        `(2 * num_layers + 1, size)`; those of several recordings can be added.
    """
    num_frames, num_layers, size = frames.shape
    sums = frames.new_full((2 * num_layers + 1, size), num_frames)
    sums[:num_layers], sums[num_layers:-1] = frames.sum(dim=0), frames.square().sum(dim=0)
    return sums


def statistics(sums: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, int]:
    """Mean and standard deviation `(num_layers, size)` of the frames of some recordings, and how many there are.

    Args:
        sums: What `frame_sums` gives for each, `(num_recordings, 2 * num_layers + 1, size)`.
    """
    total = sums.double().sum(dim=0)
    mean, squares = (total[:-1] / total[-1]).unflatten(0, (2, -1))
    return mean.float(), (squares - mean.square()).clamp(min=1e-8).sqrt().float(), int(total[-1, 0])


@dataclass(frozen=True)
class VoiceProfile:
    """Statistics of one voice's encoder frames; no audio and no text.

    Attributes:
        checkpoint: Checksum of what made the frames, see `checksum`.
        num_frames: Steps of the network that the statistics were taken over, of 40 ms with `frames_per_step` 2.
        mean, std: `(num_layers, size)` each.
    """

    checkpoint: str
    num_frames: int
    mean: list[list[float]]
    std: list[list[float]]

    @classmethod
    def from_clips(
        cls, recognizer: BaseRecognizer, clips: Iterable[AudioSource], sampling_rate: int | None = None
    ) -> VoiceProfile:
        """Takes the profile of one person.

        Args:
            recognizer: Its model has a speech encoder.
            clips: Recordings of the person, whatever their emotion; the more speech, the more the profile counts.
            sampling_rate: Sampling rate of arrays in Hz.

        Raises:
            AudioError: A recording cannot be used, or nobody speaks in it.
            VoiceProfileError: There is no recording, or the model takes no profiles.
        """
        checksum(recognizer)  # refuses before anything is encoded
        waves = (load_audio(clip, recognizer.sampling_rate, source_rate=sampling_rate) for clip in clips)
        return cls.from_sums(recognizer, [clip_sums(recognizer, wave) for wave in waves])

    @classmethod
    def from_sums(cls, recognizer: BaseRecognizer, sums: Sequence[torch.Tensor]) -> VoiceProfile:
        """Takes the profile from what `clip_sums` gave for each recording of one person.

        Raises:
            VoiceProfileError: There is no recording or no full frame in them, or the model takes no profiles.
        """
        checkpoint = checksum(recognizer)
        if not sums:
            raise VoiceProfileError("A voice profile needs at least one recording.")
        total = sum(sums[1:], start=sums[0])
        if not total[-1, 0]:
            raise VoiceProfileError("The recordings are too short for a voice profile.")
        mean, std, num_frames = statistics(total[None])
        return cls(checkpoint, num_frames, _rounded(mean), _rounded(std))

    @classmethod
    def load(cls, path: str | os.PathLike) -> VoiceProfile:
        """Reads what `save` wrote.

        Raises:
            VoiceProfileError: The file is not there or holds something else.
        """
        try:
            with open(path, encoding="utf-8") as file:
                return cls.from_json(file.read(MOST_CHARACTERS + 1))
        except OSError as error:
            raise VoiceProfileError(f"The voice profile {path} cannot be read: {error.strerror}.") from error
        except UnicodeDecodeError as error:
            raise VoiceProfileError(NO_PROFILE) from error

    @classmethod
    def from_json(cls, text: str) -> VoiceProfile:
        """Checks and takes a profile as JSON, from whomever it comes.

        Raises:
            VoiceProfileError: It is something else.
        """
        if len(text) > MOST_CHARACTERS:
            raise VoiceProfileError(NO_PROFILE)
        try:
            return cls.from_dict(json.loads(text))
        except (ValueError, RecursionError) as error:
            raise VoiceProfileError(NO_PROFILE) from error

    @classmethod
    def from_dict(cls, content: Any) -> VoiceProfile:
        """Checks and takes the content of a profile's file, from whomever it comes.

        Raises:
            VoiceProfileError: It is something else.
        """
        if not isinstance(content, dict) or content.keys() != {field.name for field in fields(cls)}:
            raise VoiceProfileError(NO_PROFILE)
        profile = cls(**content)
        named = isinstance(profile.checkpoint, str) and len(profile.checkpoint) <= 64
        counted = type(profile.num_frames) is int and 0 < profile.num_frames <= MOST_FRAMES
        if not (named and counted and _is_matrix(profile.mean, -MOST_VALUE) and _is_matrix(profile.std, LEAST_STD)):
            raise VoiceProfileError(NO_PROFILE)
        if (len(profile.mean), len(profile.mean[0])) != (len(profile.std), len(profile.std[0])):
            raise VoiceProfileError(NO_PROFILE)
        return profile

    def save(self, path: str | os.PathLike) -> None:
        """Writes the profile as JSON; one that was there stays whole until this one is."""
        path = Path(path)
        partial = path.with_name(f".{path.name}.partial")
        try:
            partial.write_text(json.dumps(asdict(self)), encoding="utf-8")
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)

    def seconds(self, recognizer: BaseRecognizer) -> float:
        """Length of the audio that it was taken from, in seconds.

        Raises:
            VoiceProfileError: The model is an exported one, which does not tell how long its steps are.
        """
        if recognizer.model is None:
            raise VoiceProfileError("An exported model does not tell how long a voice profile is; its checkpoint does.")
        return self.num_frames * recognizer.model.time_stride * recognizer.seconds_per_frame

    def check(self, recognizer: BaseRecognizer) -> None:
        """Raises `VoiceProfileError` if the profile was made with another model, or the model takes none."""
        known = checksum(recognizer)
        if self.checkpoint != known or (len(self.mean), len(self.mean[0])) != recognizer.profile_shape:
            coarse = str(getattr(recognizer.model, "dtype", "")) == "torch.bfloat16"  # whose weights are others
            raise VoiceProfileError(
                "The voice profile was made with another model; make one with this model"
                f"{', loaded as bfloat16 like this one' if coarse else ''}."
            )

    def network(self, recognizer: EmotionRecognizer) -> Any:
        """The recognizer's model with this voice's statistics in place of the training speakers'.

        It shares all weights with the model, which stays as it is: other voices may be predicted at the same time.

        Raises:
            VoiceProfileError: The profile was made with another model.
        """
        self.check(recognizer)
        model = copy.copy(recognizer.model)
        model._buffers = model._buffers | {
            name: shrunk(of_training.new_tensor(values), of_training, self.num_frames)
            for name, values, of_training in (
                ("frames_mean", self.mean, model.frames_mean),
                ("frames_std", self.std, model.frames_std),
            )
        }
        return model


def checksum(recognizer: BaseRecognizer) -> str:
    """SHA-256 of the weights that a recognizer's encoder frames and their standardisation depend on.

    Raises:
        VoiceProfileError: The model has no speech encoder.
    """
    if recognizer.encoder_checksum is not None:
        return recognizer.encoder_checksum
    model = recognizer.model
    if not hasattr(model, "encoder_frames"):
        raise VoiceProfileError("This model has no speech encoder, so it takes no voice profiles.")
    digest = hashlib.sha256(json.dumps([model.config.encoder_layers, model.config.frames_per_step]).encode())
    for name, values in model.state_dict().items():
        if name.startswith(("encoder.", "frames_")):
            digest.update(values.float().cpu().numpy().tobytes())
    recognizer.encoder_checksum = digest.hexdigest()
    return recognizer.encoder_checksum


def wave_sums(recognizer: BaseRecognizer, wave: np.ndarray) -> torch.Tensor:
    """`frame_sums` of a recording `(num_samples,)` at the recognizer's sampling rate, float64.

    Raises:
        VoiceProfileError: The model has no speech encoder.
    """
    checksum(recognizer)
    return frame_sums(recognizer.encode(wave).double())


def clip_sums(recognizer: BaseRecognizer, wave: np.ndarray) -> torch.Tensor:
    """`wave_sums` of a recording in which somebody speaks.

    Raises:
        AudioError: Nobody does.
        VoiceProfileError: The model has no speech encoder.
    """
    if not speech_stretches(wave, recognizer.sampling_rate, recognizer.detect):
        raise AudioError("No speech was found in this recording.")
    return wave_sums(recognizer, wave)


def _is_matrix(rows: Any, least: float) -> bool:
    """Whether `rows` are lists of equally many numbers from `least` to `MOST_VALUE`; looks at sizes first."""
    if not isinstance(rows, list) or not 0 < len(rows) <= MOST_LAYERS:
        return False
    if not all(isinstance(row, list) and 0 < len(row) <= MOST_SIZE and len(row) == len(rows[0]) for row in rows):
        return False
    return all(type(value) in (int, float) and least <= value <= MOST_VALUE for row in rows for value in row)


def _rounded(values: torch.Tensor) -> list[list[float]]:
    return [[float(f"{value:.5g}") for value in row] for row in values.tolist()]
