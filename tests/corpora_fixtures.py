"""Miniature corpora for the tests: real names, generated sound."""

from __future__ import annotations

import functools
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from datasets_scripts import find_corpus

REPOSITORY = Path(__file__).resolve().parent.parent
RAVDESS_ZIP = "Audio_Speech_Actors_01-24.zip"


def write_clip(path: Path, seed: int, seconds: float = 0.3, rate: int = 16000, gain: float = 0.3) -> Path:
    """A voiced tone with harmonics and a little noise; every seed sounds different."""
    path.parent.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    time = np.arange(int(seconds * rate)) / rate
    tone = sum(np.sin(2 * np.pi * (100 + seed % 200) * k * time) / k for k in (1, 2, 3))
    samples = gain * (tone / 2 + 0.01 * random.standard_normal(len(time)))
    soundfile.write(path, np.clip(samples, -1, 1), rate, subtype="PCM_16")
    return path


def write_clips(root: Path, *names: str, **kwargs) -> list[Path]:
    """One clip for each name below `root`, all different."""
    return [write_clip(root / name, seed, **kwargs) for seed, name in enumerate(names, start=1)]


def ravdess_names(actors: int = 4, repetitions: int = 1) -> list[str]:
    """All emotions of some actors, in the official folders."""
    return [
        f"Actor_{actor:02d}/03-01-{emotion:02d}-01-01-{repetition:02d}-{actor:02d}.wav"
        for actor in range(1, actors + 1)
        for emotion in range(1, 9)
        for repetition in range(1, repetitions + 1)
    ]


def real_corpora(*names: str) -> Path:
    """The folder above the real corpora, by default all four; skips the test where they are not."""
    names = names or ("ravdess", "crema_d", "tess", "savee")
    for folder in (os.environ.get("SER_DATA_DIR"), REPOSITORY.parent / "shared" / "corpora"):
        if folder and _holds(Path(folder).resolve(), names):
            return Path(folder).resolve()
    pytest.skip(f"no {' or '.join(names)} recordings here: neither SER_DATA_DIR nor ../shared/corpora has them all")


@functools.cache
def _holds(folder: Path, names: tuple[str, ...]) -> bool:
    return folder.is_dir() and all(find_corpus(name).scan(folder).clips for name in names)
