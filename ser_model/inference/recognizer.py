"""A trained model ready to hear: audio in, emotion out."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from transformers import AutoFeatureExtractor, AutoModelForAudioClassification
from transformers.utils import cached_file

from ser_model.audio import AudioSource, load_audio
from ser_model.models import registration  # noqa: F401  (registers the models)

from .results import Attention, EmotionResult


class ModelError(Exception):
    """A model that cannot be loaded, said in one sentence."""


class EmotionRecognizer:
    """Hears emotions: `EmotionRecognizer.from_pretrained("checkpoints/default")("clip.wav").label`."""

    def __init__(self, model: Any, feature_extractor: Any, report: dict[str, Any] | None = None):
        self.model = model.eval()
        self.feature_extractor = feature_extractor
        self.report = report

    @classmethod
    def from_pretrained(cls, name: str | os.PathLike, trust_remote_code: bool = False) -> EmotionRecognizer:
        """Loads a checkpoint folder or a model of the Hub.

        Args:
            name: Folder, or `user/name` on the Hub.
            trust_remote_code: Whether to run code that comes with a model; this project's own models
                do not need it.

        Raises:
            ModelError: There is no such model, or it is incomplete.
        """
        name = os.fspath(name)
        try:
            model = AutoModelForAudioClassification.from_pretrained(name, trust_remote_code=trust_remote_code)
            extractor = AutoFeatureExtractor.from_pretrained(name, trust_remote_code=trust_remote_code)
            report_file = cached_file(name, "report.json", _raise_exceptions_for_missing_entries=False)
        except (OSError, ValueError) as error:
            reason = str(error).strip().splitlines()[0]
            raise ModelError(f"No model could be loaded from {name}: {reason}") from error
        report = None
        if report_file:
            with open(report_file, encoding="utf-8") as file:
                report = json.load(file)
        return cls(model, extractor, report)

    @property
    def labels(self) -> list[str]:
        """Emotion names in the order of the model's outputs."""
        names = self.model.config.id2label
        return [names[index] for index in range(len(names))]

    @property
    def sampling_rate(self) -> int:
        """The rate in Hz at which the model hears."""
        return self.feature_extractor.sampling_rate

    def __call__(self, audio: AudioSource, sampling_rate: int | None = None) -> EmotionResult:
        """Hears one recording.

        A recording longer than the network's span is heard in half-overlapping windows whose
        probabilities are averaged by their valid frames.

        Args:
            audio: Path, bytes of a file, or an array of samples.
            sampling_rate: Sampling rate of an array in Hz.

        Raises:
            AudioError: The recording cannot be used; the text says why.
        """
        wave = load_audio(audio, self.sampling_rate, source_rate=sampling_rate)
        inputs = self.feature_extractor(wave, sampling_rate=self.sampling_rate, return_tensors="pt")
        with torch.inference_mode():
            outputs = self.model(**inputs.to(self.model.device), output_attentions=True)
        probabilities = outputs.logits[0].float().softmax(dim=-1).tolist()
        weights = outputs.attentions[0][0].float().cpu().numpy()
        times = np.arange(len(weights)) * (self.feature_extractor.hop_length / self.sampling_rate)
        named = dict(zip(self.labels, probabilities, strict=True))
        return EmotionResult(
            label=max(named, key=lambda label: named[label]),
            probabilities=named,
            attention=Attention(times, weights),
            duration=len(wave) / self.sampling_rate,
        )

    def probabilities_of(self, waves: Sequence[np.ndarray]) -> np.ndarray:
        """Hears several short stretches at once, without attention.

        Args:
            waves: Mono samples at `sampling_rate`, `(num_samples,)` each.

        Returns:
            `(num_waves, num_labels)`, in the order of `labels`.
        """
        inputs = self.feature_extractor(waves, sampling_rate=self.sampling_rate, return_tensors="pt")
        with torch.inference_mode():
            logits = self.model(**inputs.to(self.model.device)).logits
        return logits.float().softmax(dim=-1).cpu().numpy()
