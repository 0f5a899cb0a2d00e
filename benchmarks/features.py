"""Frame features: decode, resample and extract, beside bare FFTs and beside librosa."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import librosa
import numpy as np
import soundfile
import soxr
import torch

from ser_model import SerFeatureExtractor, load_audio

from .data import all_clips, one_thread
from .rows import Row, alternate, milliseconds, ratio_row

CLIPS, CHUNK = 200, 10
SETTINGS = {"sampling_rate": 16_000, "n_fft": 1024, "hop_length": 256, "num_mel_bins": 128, "num_mfcc": 40}
KINDS = {"log-mel": ["log_mel"], "MFCC, ZCR and RMS": ["mfcc", "zcr", "rms"]}


def rows() -> list[Row]:
    one_thread()
    clips = all_clips()[:CLIPS]
    chunks = [clips[first : first + CHUNK] for first in range(0, len(clips), CHUNK)]
    found = []
    for name, features in KINDS.items():
        extractor = SerFeatureExtractor(features=features, **SETTINGS)
        sides = {
            "here": partial(each, lambda path, made=extractor: made.frames([load_audio(path, made.sampling_rate)])),
            "decoding and bare FFTs": partial(each, bare_transforms),
            "librosa": partial(each, partial(with_librosa, features)),
            "of it load_audio": partial(each, lambda path: load_audio(path, SETTINGS["sampling_rate"])),
        }
        seconds = alternate(sides, chunks)
        detail = f"per clip: {milliseconds(seconds, CHUNK)}"
        ours = seconds["here"]
        found += [
            ratio_row(
                f"{name}, over decoding and bare FFTs", ours / seconds["decoding and bare FFTs"], detail, most=1.5
            ),
            ratio_row(f"{name}, faster than librosa", seconds["librosa"] / ours, detail, least=2.5),
        ]
    return found


def each(one, paths: list[Path]) -> None:
    for path in paths:
        one(path)


def bare_transforms(path: Path) -> torch.Tensor:
    """Decoded with libsndfile, resampled, transformed: what no front end can do without."""
    wave, rate = soundfile.read(path, dtype="float32", always_2d=True)
    wave = wave.mean(axis=1)
    if rate != SETTINGS["sampling_rate"]:
        wave = soxr.resample(wave, rate, SETTINGS["sampling_rate"])
    size, hop = SETTINGS["n_fft"], SETTINGS["hop_length"]
    window = torch.hann_window(size)
    return torch.stft(torch.from_numpy(wave), size, hop, window=window, return_complex=True)


def with_librosa(features: list[str], path: Path) -> list[np.ndarray]:
    """As in most projects of this kind: `librosa.load`, then one librosa function for each feature."""
    wave, rate = librosa.load(path, sr=SETTINGS["sampling_rate"])
    size, hop = SETTINGS["n_fft"], SETTINGS["hop_length"]
    made = {
        "log_mel": lambda: librosa.power_to_db(
            librosa.feature.melspectrogram(y=wave, sr=rate, n_fft=size, hop_length=hop)
        ),
        "mfcc": lambda: librosa.feature.mfcc(y=wave, sr=rate, n_mfcc=40, n_fft=size, hop_length=hop),
        "zcr": lambda: librosa.feature.zero_crossing_rate(wave, frame_length=size, hop_length=hop),
        "rms": lambda: librosa.feature.rms(y=wave, frame_length=size, hop_length=hop),
    }
    return [made[name]() for name in features]
