"""What the tests share: voiced tones, a miniature RAVDESS, the real corpora where they are."""

from __future__ import annotations

import io
import os
import shutil
import signal
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from subprocess import CompletedProcess

# Before any import: a missing model must not wait for the network, and figures here are those of processes.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest
import soundfile
import soxr
import torch

ROOT = Path(__file__).parents[1]
torch.set_num_threads(1)


def voiced_tone(seconds: float, rate: int = 16_000, pitch: float = 140.0, seed: int = 0) -> np.ndarray:
    """A buzz with harmonics, vibrato, syllables and a little noise: a voice-like signal."""
    draw = np.random.default_rng(seed)
    time = np.arange(int(seconds * rate)) / rate
    phase = 2 * np.pi * np.cumsum(pitch * (1 + 0.02 * np.sin(2 * np.pi * 5 * time))) / rate
    wave = sum(np.sin(order * phase) / order for order in range(1, 9) if order * pitch < rate / 2)
    wave = wave * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * time)) + 0.01 * draw.standard_normal(len(time))
    return (0.3 * wave / np.abs(wave).max()).astype(np.float32)


def spoken(seconds: float, rate: int = 16_000, number: int = 0) -> np.ndarray:
    """Synthetic speech without pauses, of one of four voices, repeated."""
    name = ("even", "high-and-lively", "loud-and-fast", "low-and-slow")[number % 4]
    wave, of_file = soundfile.read(ROOT / "tests" / "voices" / f"{name}.flac", dtype="float32")
    loud = np.flatnonzero(np.abs(wave) > 0.05 * np.abs(wave).max())
    wave = soxr.resample(wave[loud[0] : loud[-1]], of_file, rate)
    return 0.3 * np.resize(wave / np.abs(wave).max(), int(seconds * rate))


def real_corpora() -> Path | None:
    """The real corpora: `SER_DATA_DIR`, else shared/corpora beside the project."""
    for folder in (os.environ.get("SER_DATA_DIR"), ROOT.parent / "shared" / "corpora"):
        if folder and Path(folder, "ravdess").is_dir():
            return Path(folder)
    return None


def take_ctrl_c() -> None:
    """For `preexec_fn`: a process started from a background shell would ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def called(main: Callable[[list[str]], int], *words: object) -> CompletedProcess:
    """Runs a command in this process, where all that it imports is there already: its status and what it printed."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = main([*map(str, words)])
    return CompletedProcess(words, status, out.getvalue(), err.getvalue())


@pytest.fixture(scope="session")
def corpora() -> Path:
    """Folder of the real corpora; skips where they are not."""
    folder = real_corpora()
    if folder is None:
        pytest.skip("the real corpora are not here: name their folder in SER_DATA_DIR")
    return folder


@pytest.fixture(scope="session")
def ffmpeg() -> str:
    """The ffmpeg program; skips where it is not, and fails where it has to be."""
    return need_program("ffmpeg")


def need_program(name: str) -> str:
    """Path of a program that some tests need."""
    found = shutil.which(name)
    if found is None:
        message = f"{name} is not installed"
        (pytest.fail if os.environ.get("SER_REQUIRE_PROGRAMS") else pytest.skip)(message)
    return found


@pytest.fixture(scope="session")
def mini_ravdess(tmp_path_factory) -> Path:
    """A generated RAVDESS tree: 24 actors, 8 emotions that differ in pitch, one short clip each."""
    root = tmp_path_factory.mktemp("corpora") / "ravdess"
    for actor in range(1, 25):
        folder = root / f"Actor_{actor:02d}"
        folder.mkdir(parents=True)
        for emotion in range(1, 9):
            wave = voiced_tone(0.5, pitch=90 + 35 * emotion + actor, seed=100 * actor + emotion)
            soundfile.write(folder / f"03-01-{emotion:02d}-01-01-01-{actor:02d}.wav", wave, 16_000)
    return root


@pytest.fixture
def clip(tmp_path) -> Path:
    """A WAV file with two seconds of synthetic speech."""
    path = tmp_path / "clip.wav"
    soundfile.write(path, spoken(2.0), 16_000)
    return path
