"""One clip of three seconds, from the file to the answer, beside wav2vec 2.0 base."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import soundfile
import torch
from transformers import Wav2Vec2Config, Wav2Vec2Model

from ser_model import EmotionRecognizer, load_audio

from .data import ROOT, one_thread
from .rows import Row, alternate, milliseconds, ratio_row

REPEATS = 15
RATE, SECONDS = 16_000, 3
GOALS = {"default": 8, "logmel-cnn-bilstm": 45}


def rows() -> list[Row]:
    one_thread()
    torch.manual_seed(0)
    reference = Wav2Vec2Model(Wav2Vec2Config()).eval()  # base; weights do not matter for its speed
    samples = torch.randn(1, SECONDS * RATE)
    recognizers = {name: EmotionRecognizer.from_pretrained(ROOT / "checkpoints" / name) for name in GOALS}

    def forward(path: Path) -> None:
        with torch.inference_mode():
            reference(samples)

    sides = {"wav2vec 2.0 base": forward, **recognizers}
    with tempfile.TemporaryDirectory() as folder:
        seconds = alternate(sides, [three_seconds(Path(folder))] * REPEATS)
    return [
        ratio_row(
            f"A clip of 3 s, file to answer: `{name}`, faster than wav2vec 2.0 base's forward pass",
            seconds["wav2vec 2.0 base"] / seconds[name], milliseconds(seconds), least=goal,
        )
        for name, goal in GOALS.items()
    ]  # fmt: skip


def three_seconds(folder: Path) -> Path:
    """A file with three seconds of speech."""
    path = folder / "clip.wav"
    wave = load_audio(ROOT / "examples" / "03a01Fa.flac", RATE)
    soundfile.write(path, np.resize(wave, SECONDS * RATE), RATE)
    return path
