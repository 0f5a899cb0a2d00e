"""Sounds in which nobody speaks, four seconds each at 16 kHz, peak 0.3."""

from __future__ import annotations

import numpy as np

RATE = 16_000
TIME = np.arange(4 * RATE) / RATE


def _sounds() -> dict[str, np.ndarray]:
    draw = np.random.default_rng(0)
    white = draw.standard_normal(len(TIME))
    spectrum = np.fft.rfft(white) / np.sqrt(np.maximum(np.fft.rfftfreq(len(TIME), 1 / RATE), 20))
    clicks = np.zeros(len(TIME))
    for start in draw.integers(0, len(TIME) - 400, 12):
        clicks[start : start + 60] = draw.standard_normal(60)
    harmonics = sum(np.sin(2 * np.pi * 50 * order * TIME) / order for order in range(1, 8))
    sounds = {
        "white noise": white,
        "pink noise": np.fft.irfft(spectrum, len(TIME)),
        "hum": np.sin(2 * np.pi * 50 * TIME),
        "hum with harmonics": harmonics,
        "tone": np.sin(2 * np.pi * 440 * TIME),
        "clicks": clicks,
        "faint hiss": white,
    }
    scaled = {name: (0.3 * wave / np.abs(wave).max()).astype(np.float32) for name, wave in sounds.items()}
    return scaled | {"faint hiss": scaled["faint hiss"] / 1000, "silence": np.zeros(len(TIME), dtype=np.float32)}


NOT_SPEECH = _sounds()
