"""An exported model ready to use, with neither torch nor transformers: onnxruntime runs its network and speech gate."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from ser_model.models.voice_quality_ser import utterance_features

from .base_recognizer import BaseRecognizer, ModelError
from .speech_blocks import over_blocks
from .voice_profile import VoiceProfile, VoiceProfileError

MODEL, DETECTOR, SETTINGS, REPORT = "model.onnx", "speech_detector.onnx", "model.json", "report.json"
DETECTOR_STATE = (1, 1, 128)
ERRORS_ONLY = 3  # onnxruntime's level: it warns of inputs that have a value where none is given


@dataclass(frozen=True)
class OnnxSettings:
    """What an exported model's `model.json` says; see `BaseRecognizer` for what is not explained here.

    Attributes:
        samples_per_frame: Samples from one frame of attention to the next.
        frames_per_span: Frames of a window at most.
        least_samples: Shorter recordings cannot be predicted.
        weights: `float32` or `int8`.
        profile_shape: None where the network takes no voice profiles.
        checkpoint: Name of the checkpoint that it was made from.
        voice_quality: Whether the network takes jitter, shimmer and other measures of Praat.
    """

    labels: list[str]
    sampling_rate: int
    samples_per_frame: int
    frames_per_span: int
    least_samples: int
    unsure_below: float
    calibration_temperature: float
    weights: str
    encoder_checksum: str | None
    profile_shape: tuple[int, int] | None
    checkpoint: str
    voice_quality: bool = False


class OnnxRecognizer(BaseRecognizer):
    """Predicts emotions as `EmotionRecognizer` does: `OnnxRecognizer.from_pretrained("exported")("clip.wav").label`.

    Args:
        settings: Content of `model.json`.
        network: onnxruntime session of `model.onnx`.
        detector: onnxruntime session of `speech_detector.onnx`.
        checksum: Of `model.onnx`.
        report: Content of `report.json`.
    """

    def __init__(
        self, settings: OnnxSettings, network: Any, detector: Any, checksum: str, report: dict[str, Any] | None = None
    ):
        self.settings, self.network, self.detector = settings, network, detector
        self.labels = settings.labels
        self.sampling_rate = settings.sampling_rate
        self.seconds_per_frame = settings.samples_per_frame / settings.sampling_rate
        self.span_seconds = settings.frames_per_span * self.seconds_per_frame
        self.unsure_below = settings.unsure_below
        self.calibration_temperature = settings.calibration_temperature
        self.encoder_checksum = settings.encoder_checksum
        self.report = report
        self.detect = self._speech_probabilities
        self._checksum = checksum

    @classmethod
    def from_pretrained(cls, name: str | os.PathLike, num_threads: int = 1) -> OnnxRecognizer:
        """Loads a folder that `ser-model export` wrote.

        Args:
            name: Folder.
            num_threads: Of one prediction.

        Raises:
            ModelError: There is no such model, it is incomplete or damaged, or what it needs is not installed.
        """
        folder = Path(name)
        content = {file: _read(folder, file) for file in (SETTINGS, MODEL, DETECTOR)}
        report = _json(folder, REPORT, _read(folder, REPORT)) if (folder / REPORT).is_file() else None
        try:
            settings = OnnxSettings(**_json(folder, SETTINGS, content[SETTINGS]))
        except TypeError as error:  # names that are missing or unknown
            raise ModelError(f"No model could be loaded from {folder}: {SETTINGS} is damaged.") from error
        if settings.voice_quality and find_spec("parselmouth") is None:
            raise ModelError("This model takes Praat's measures of the voice: pip install praat-parselmouth.")
        network, detector = (_session(folder, file, content[file], num_threads) for file in (MODEL, DETECTOR))
        if network.get_outputs()[0].shape[1:] != [len(settings.labels)]:
            raise ModelError(f"No model could be loaded from {folder}: {SETTINGS} has other labels than {MODEL}.")
        return cls(settings, network, detector, hashlib.sha256(content[MODEL]).hexdigest(), report)

    def to(self, device: str) -> OnnxRecognizer:
        """For the command line's sake.

        Raises:
            ModelError: It is not the CPU.
        """
        if device != "cpu":
            raise ModelError(f"An exported model runs on cpu, not on {device}.")
        return self

    @property
    def profile_shape(self) -> tuple[int, int]:
        if self.settings.profile_shape is None:
            raise VoiceProfileError("This model has no speech encoder, so it takes no voice profiles.")
        num_layers, size = self.settings.profile_shape
        return num_layers, size

    def digest(self) -> str:
        return self._checksum

    def encode(self, wave: np.ndarray) -> Any:
        """Refuses: an exported model uses voice profiles, which are made with its checkpoint.

        Raises:
            VoiceProfileError: Always.
        """
        raise VoiceProfileError(
            f"An exported model takes voice profiles but does not make them: make one with {self.settings.checkpoint}."
        )

    def _network(self, voice: VoiceProfile | None) -> dict[str, np.ndarray]:
        if voice is None:
            return {}
        voice.check(self)
        values = {"voice_mean": voice.mean, "voice_std": voice.std, "voice_frames": voice.num_frames}
        return {name: np.asarray(value, dtype=np.float32) for name, value in values.items()}

    def _classify(
        self, waves: Sequence[np.ndarray], network: dict[str, np.ndarray], batch_size: int
    ) -> tuple[np.ndarray, list[np.ndarray | None]]:
        lengths = np.array([len(wave) for wave in waves])
        if lengths.min() < self.settings.least_samples:
            raise ValueError(
                f"A clip of {lengths.min()} samples is too short; {self.settings.least_samples} are needed."
            )
        samples = np.zeros((len(waves), lengths.max()), dtype=np.float32)
        for row, wave in zip(samples, waves, strict=True):
            row[: len(wave)] = wave
        given = {"samples": samples, "num_samples": lengths, **network}
        if self.settings.voice_quality:
            given["utterance_features"] = utterance_features([w - w.mean() for w in waves], self.sampling_rate)
        probabilities, attention, counts = self.network.run(["probabilities", "attention", "num_frames"], given)
        return probabilities, [weights[:count] for weights, count in zip(attention, counts, strict=True)]

    def _speech_probabilities(self, wave: np.ndarray, scale: float) -> np.ndarray:
        def detect(frames: np.ndarray, state: Any) -> tuple[np.ndarray, Any]:
            hidden, cell = state or (np.zeros(DETECTOR_STATE, dtype=np.float32),) * 2
            shares, *state = self.detector.run(None, {"input": frames, "h": hidden, "c": cell})
            return shares, state

        return over_blocks(detect, wave, scale)


def is_exported(name: str | os.PathLike) -> bool:
    """Whether this is a folder that `ser-model export` wrote, not a checkpoint with an ONNX file of another program."""
    return os.path.isfile(Path(name, MODEL)) and not os.path.isfile(Path(name, "config.json"))


def _read(folder: Path, file: str) -> bytes:
    try:
        return (folder / file).read_bytes()
    except OSError as error:
        raise ModelError(f"No model could be loaded from {folder}: {file}: {error.strerror}.") from error


def _json(folder: Path, file: str, content: bytes) -> dict[str, Any]:
    try:
        return dict(json.loads(content))
    except (ValueError, TypeError) as error:
        raise ModelError(f"No model could be loaded from {folder}: {file} is damaged.") from error


def _session(folder: Path, file: str, content: bytes, num_threads: int) -> Any:
    """An onnxruntime session on the CPU.

    Raises:
        ModelError: The file is damaged, or onnxruntime is not installed.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise ModelError("An exported model needs onnxruntime: pip install ser-model[onnx].") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = num_threads
    options.log_severity_level = ERRORS_ONLY
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own classes, which say little
        raise ModelError(f"No model could be loaded from {folder}: {file} is damaged.") from error
