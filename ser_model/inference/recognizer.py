"""A trained model ready to use: audio in, emotion out."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from ser_model.models.windowing_ser import forward_windowed

from .base_recognizer import BaseRecognizer, DeviceMemoryError, ModelError
from .checkpoint import labels_of, load_checkpoint
from .voice_profile import VoiceProfile

__all__ = ["EmotionRecognizer", "ModelError"]


class EmotionRecognizer(BaseRecognizer):
    """Predicts emotions: `EmotionRecognizer.from_pretrained("checkpoints/default")("clip.wav").label`."""

    def __init__(self, model: Any, feature_extractor: Any, report: dict[str, Any] | None = None):
        self.model = model.eval()
        self.feature_extractor = feature_extractor
        self.report = report

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
    def labels(self) -> list[str]:  # type: ignore[override]
        return labels_of(self.model.config)

    @property
    def sampling_rate(self) -> int:  # type: ignore[override]
        return self.feature_extractor.sampling_rate

    @property
    def seconds_per_frame(self) -> float:  # type: ignore[override]
        return self.feature_extractor.seconds_per_frame

    @property
    def span_seconds(self) -> float:  # type: ignore[override]
        return self.model.config.num_frames * self.seconds_per_frame

    @property
    def unsure_below(self) -> float:  # type: ignore[override]
        return getattr(self.model.config, "unsure_below", 0.0)

    @property
    def calibration_temperature(self) -> float:  # type: ignore[override]
        return getattr(self.model.config, "calibration_temperature", 1.0)

    @property
    def profile_shape(self) -> tuple[int, int]:
        num_layers, size = self.model.frames_mean.shape
        return num_layers, size

    def digest(self) -> str:
        extractor = getattr(self.model, "extractor", self.feature_extractor)  # that of a model trained elsewhere
        settings = [self.calibration_temperature, json.loads(extractor.to_json_string())]
        digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
        for values in self.model.state_dict().values():
            digest.update(values.float().cpu().numpy().tobytes())
        return digest.hexdigest()

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

    def _network(self, voice: VoiceProfile | None) -> Callable[..., Any]:
        return self.model if voice is None else voice.network(self)

    def _classify(
        self, waves: Sequence[np.ndarray], network: Any, batch_size: int
    ) -> tuple[np.ndarray, list[np.ndarray | None]]:
        inputs = self.feature_extractor(waves, sampling_rate=self.sampling_rate, return_tensors="pt")
        try:
            with torch.inference_mode():
                logits, attention = forward_windowed(
                    network, self.model.config.num_frames, **inputs.to(self.model.device), batch_size=batch_size
                )
        except torch.OutOfMemoryError as error:
            raise DeviceMemoryError(f"The device {self.model.device} has too little memory for a batch.") from error
        shares = logits.softmax(dim=-1).cpu().numpy()
        if attention is None:
            return shares, [None] * len(waves)
        counts = inputs["attention_mask"].sum(dim=1).tolist()
        return shares, [weights[:count].cpu().numpy() for weights, count in zip(attention, counts, strict=True)]
