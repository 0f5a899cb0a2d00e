"""A trained model ready to use: audio in, emotion out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from ser_model.audio import AudioSource, load_audio
from ser_model.models.windowing_ser import WINDOWS_AT_ONCE, forward_windowed

from .checkpoint import ModelError, labels_of, load_checkpoint
from .results import Attention, EmotionResult, Speech
from .voice_activity import Stretches, speech_stretches, with_margin
from .voice_profile import VoiceProfile

__all__ = ["EmotionRecognizer", "ModelError"]

CONTEXT_SECONDS = 0.5  # around the speech of a long recording


class EmotionRecognizer:
    """Predicts emotions: `EmotionRecognizer.from_pretrained("checkpoints/default")("clip.wav").label`."""

    def __init__(self, model: Any, feature_extractor: Any, report: dict[str, Any] | None = None):
        self.model = model.eval()
        self.feature_extractor = feature_extractor
        self.report = report
        self.encoder_checksum: str | None = None  # taken when a voice profile first asks for it

    @classmethod
    def from_pretrained(
        cls,
        name: str | os.PathLike,
        trust_remote_code: bool = False,
        dtype: str | torch.dtype = torch.float32,
        label_map: Mapping[str, str] | None = None,
    ) -> EmotionRecognizer:
        """Loads a checkpoint folder or a model of the Hub.

        It may also be somebody else's audio classifier, where transformers has its code. Its labels get
        this project's names as `ser_model.labels.SYNONYMS` says; attention over time it has none.

        Args:
            name: Folder, or `user/name` on the Hub.
            trust_remote_code: Whether to run code that comes with a model; this project's own models
                do not need it.
            dtype: Of the weights and the computation, such as `"bfloat16"` or `torch.float16`.
            label_map: For somebody else's model: its label -> the name wanted instead.

        Raises:
            ModelError: There is no such model, or it is incomplete or damaged.
        """
        return cls(*load_checkpoint(os.fspath(name), trust_remote_code, dtype, label_map))

    def to(self, device: str) -> EmotionRecognizer:
        """Moves the network to a device: `cpu`, `cuda`, `cuda:1`, `mps`, `xpu`.

        Raises:
            ModelError: It cannot be used here.
        """
        accelerator = torch.accelerator.current_accelerator(check_available=True)
        usable = ["cpu", *([accelerator.type] if accelerator else [])]
        try:
            if torch.device(device).type not in usable:
                raise RuntimeError
            self.model.to(device)
        except RuntimeError as error:  # an unknown word, or a number beyond the last device
            raise ModelError(f"The device {device} cannot be used here; known are {', '.join(usable)}.") from error
        return self

    @property
    def labels(self) -> list[str]:
        """Emotion names in the order of the model's outputs."""
        return labels_of(self.model.config)

    @property
    def sampling_rate(self) -> int:
        """Sampling rate in Hz of the audio that the model takes."""
        return self.feature_extractor.sampling_rate

    @property
    def unsure_below(self) -> float:
        """Confidence below which a result is `unsure`; 0 where the model does not say."""
        return getattr(self.model.config, "unsure_below", 0.0)

    def __call__(
        self, audio: AudioSource, sampling_rate: int | None = None, voice: VoiceProfile | None = None
    ) -> EmotionResult:
        """Predicts the emotion of one recording; `label` of the result is None where nobody speaks in it.

        Args:
            audio: Path, bytes of a file, or an array of samples.
            sampling_rate: Sampling rate of an array in Hz.
            voice: Profile of the person who speaks.

        Raises:
            AudioError: The recording cannot be used; the text says why.
            VoiceProfileError: The profile was made with another model.
        """
        return self.predict_batch([load_audio(audio, self.sampling_rate, source_rate=sampling_rate)], voice)[0]

    def predict_batch(
        self,
        waves: Sequence[np.ndarray],
        voice: VoiceProfile | None = None,
        gate: bool = True,
        batch_size: int = WINDOWS_AT_ONCE,
    ) -> list[EmotionResult]:
        """Predicts the emotions of several recordings, `batch_size` recordings and windows at a time.

        A recording longer than the network's span is cut into half-overlapping windows whose
        probabilities are averaged by their valid frames; its pauses are left out. Other recordings
        never change a result.

        Args:
            waves: As `load_audio` gives them at `sampling_rate`, `(num_samples,)` each.
            voice: Profile of the person who speaks in all of them.
            gate: Whether to look for speech. Without, as in evaluation and in windows that were laid
                where somebody speaks, every recording gets a label, and long ones are predicted whole.
            batch_size: More are faster on a GPU and no faster on a CPU.

        Raises:
            ModelError: The network overflows, as one may in float16.
            VoiceProfileError: The profile was made with another model.
        """
        network = self.model if voice is None else voice.network(self)
        batches = [waves[first : first + batch_size] for first in range(0, len(waves), batch_size)]
        return [result for batch in batches for result in self._predict(batch, network, gate, batch_size)]

    def encode(self, wave: np.ndarray) -> torch.Tensor:
        """Frames that the model's speech encoder gives, before standardisation; for voice profiles.

        Args:
            wave: As `load_audio` gives it at `sampling_rate`, `(num_samples,)`.

        Returns:
            float32 `(num_frames, num_layers, size)`; longer recordings are encoded span by span.
        """
        model = self.model
        inputs = self.feature_extractor(wave, sampling_rate=self.sampling_rate, return_tensors="pt")
        spans = inputs["input_features"].to(model.device, model.dtype).split(model.config.num_frames, dim=1)
        with torch.inference_mode():
            parts = [
                model.encoder_frames(span, torch.tensor([span.shape[1]], device=model.device))[0]
                for span in spans
                if span.shape[1] >= model.time_stride
            ]
        return torch.cat(parts).float().cpu() if parts else torch.zeros(0, *model.frames_mean.shape)

    def _predict(
        self, waves: Sequence[np.ndarray], network: Callable[..., Any], gate: bool, batch_size: int
    ) -> Iterator[EmotionResult]:
        durations = [len(wave) / self.sampling_rate for wave in waves]
        speech = [speech_stretches(wave, self.sampling_rate) for wave in waves] if gate else [None] * len(waves)
        parts = [self._analysed(duration, found) for duration, found in zip(durations, speech, strict=True)]
        inputs = self.feature_extractor(
            [self._joined(wave, of_wave) for wave, of_wave in zip(waves, parts, strict=True)],
            sampling_rate=self.sampling_rate,
            return_tensors="pt",
        )
        with torch.inference_mode():
            logits, attention = forward_windowed(
                network, self.model.config.num_frames, **inputs.to(self.model.device), batch_size=batch_size
            )
        shares = logits.softmax(dim=-1)
        if not torch.isfinite(shares).all():
            raise ModelError("The model gave probabilities that are not numbers (NaN or infinite).")
        for index, frames in enumerate(inputs["attention_mask"].sum(dim=1).tolist()):
            probabilities = dict(zip(self.labels, shares[index].tolist(), strict=True))
            found, duration = speech[index], durations[index]
            yield EmotionResult(
                label=None if found == [] else max(probabilities, key=lambda label: probabilities[label]),
                probabilities=probabilities,
                attention=None
                if attention is None
                else self._over_time(attention[index, :frames], parts[index], duration),
                duration=duration,
                speech=None if found is None else Speech.of(found, duration),
                unsure_below=self.unsure_below,
            )

    def _analysed(self, duration: float, found: Stretches | None) -> Stretches:
        """What of a recording the network is given: all of it, or of a long one what lies near its speech."""
        span = self.model.config.num_frames * self.feature_extractor.seconds_per_frame
        return with_margin(found, duration, CONTEXT_SECONDS) if found and duration > span else [(0.0, duration)]

    def _joined(self, wave: np.ndarray, parts: Stretches) -> np.ndarray:
        rate = self.sampling_rate
        return np.concatenate([wave[round(start * rate) : round(end * rate)] for start, end in parts])

    def _over_time(self, weights: torch.Tensor, parts: Stretches, duration: float) -> Attention:
        """Attention over the whole recording, 0 in what was left out, from that over its joined parts."""
        seconds = self.feature_extractor.seconds_per_frame
        firsts = np.cumsum([0, *(round((end - start) / seconds) for start, end in parts)])[:-1]  # frame of each start
        places = np.arange(len(weights))
        part = np.searchsorted(firsts, places, side="right") - 1
        places += np.array([round(start / seconds) for start, _ in parts])[part] - firsts[part]
        over_time = np.zeros(max(int(places[-1]) + 1, int(duration / seconds)), dtype=np.float32)
        np.add.at(over_time, places, weights.cpu().numpy())
        return Attention(np.arange(len(over_time)) * seconds, over_time)
