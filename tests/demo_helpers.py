"""A tiny untrained recognizer, and recordings of several phrases, for tests of timelines and of the page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
import torch
from conftest import spoken

from ser_model import CnnBilstmConfig, CnnBilstmForAudioClassification, EmotionRecognizer, SerFeatureExtractor
from ser_model.inference.results import EmotionResult

LABELS = ["calm", "sad", "angry"]
RATE = 16_000
SPOKEN_PEAK = 0.26  # of the browser's microphone


def tiny_recognizer(seed: int = 0) -> EmotionRecognizer:
    """A network of a few weights that nobody trained."""
    torch.manual_seed(seed)
    config = CnnBilstmConfig(
        num_features=16,
        num_frames=120,
        conv_channels=(2, 2),
        lstm_hidden_size=4,
        id2label=dict(enumerate(LABELS)),
        label2id={label: index for index, label in enumerate(LABELS)},
    )
    return EmotionRecognizer(CnnBilstmForAudioClassification(config), SerFeatureExtractor(num_mel_bins=16))


def results(labels: list[str], *rows: list[float]) -> list[EmotionResult]:
    """Predictions for windows of three seconds, from their probabilities."""
    named = [dict(zip(labels, row, strict=True)) for row in rows]
    return [EmotionResult(max(each, key=lambda label: each[label]), each, None, 3.0) for each in named]


def phrases(*seconds: float, pause: float = 1.0, rate: int = RATE) -> np.ndarray:
    """Spoken phrases of these lengths with a pause before, between and after them, and a faint hiss throughout."""
    gap = np.zeros(int(pause * rate), dtype=np.float32)
    parts = [gap]
    for number, length in enumerate(seconds):
        parts += [spoken(length, rate, number), gap]
    wave = np.concatenate(parts)
    return wave + (2e-4 * np.random.default_rng(0).standard_normal(len(wave))).astype(np.float32)


def recording(path: Path, *seconds: float, pause: float = 1.0) -> Path:
    soundfile.write(path, phrases(*seconds, pause=pause), RATE)
    return path
