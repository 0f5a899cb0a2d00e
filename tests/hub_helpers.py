"""What the tests of the Hub share: small checkpoints, a local Hub, processes that do not know this project."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import ROOT, voiced_tone
from transformers import AutoConfig, AutoModelForAudioClassification, WhisperConfig, WhisperForAudioClassification

from ser_model.labels import EMOTIONS
from ser_model.models.registration import FAMILIES
from ser_model.reporting.model_card import model_card

SHIPPED = ROOT / "checkpoints" / "default"
FRONT_ENDS: dict[str, dict[str, Any]] = {
    "ser_cnn_bilstm": {"features": ["log_mel"], "num_mel_bins": 32, "num_frames": 100},
    "ser_phonetic_cnn": {
        "features": ["mfcc", "zcr", "rms"], "sampling_rate": 22_050, "n_fft": 2048, "hop_length": 512,
        "num_frames": 64, "voice_quality": True,
    },
    "ser_speech_encoder": {"num_frames": 200},
}  # fmt: skip
NETWORKS: dict[str, dict[str, Any]] = {
    "ser_cnn_bilstm": {"conv_channels": [4, 4], "lstm_hidden_size": 8},
    "ser_phonetic_cnn": {"conv_channels": [8, 8], "lstm_hidden_size": 8, "attention_heads": 2},
    "ser_speech_encoder": {
        "encoder_layers": [1, 2], "hidden_size": 8, "lstm_hidden_size": 8, "attention_hidden_size": 4,
        "encoder_config": {
            "model_type": "whisper", "d_model": 16, "encoder_layers": 2, "encoder_attention_heads": 2,
            "encoder_ffn_dim": 32, "pad_token_id": 0,
        },
    },
}  # fmt: skip


def small_report(model_type: str = "ser_cnn_bilstm", corpora: tuple[str, ...] = ("ravdess",)) -> dict[str, Any]:
    """The part of `report.json` that a card and the page are made from, with made-up figures."""
    figures = {"clips": 16, "uar": 0.5125, "accuracy": 0.5, "macro_f1": 0.4375, "missing_classes": []}
    shared = {"shared_speakers": 0, "shared_clips": 0, "augmented_twins": 0}
    speakers = {f"{corpora[0]}_{number:02d}": figures | {"uar": number / 10} for number in (3, 5, 7)}
    labels = list(EMOTIONS)
    per_class = {label: {"precision": 0.5, "recall": 0.5, "f1": 0.5, "accuracy": 0.5, "support": 2} for label in labels}
    return {
        "preset": "small", "protocol": "speaker", "corpora": list(corpora), "fold": 1, "seed": 0, "labels": labels,
        "split_sizes": {"train": 160, "validation": 16, "test": 16 * len(corpora)},
        "leakage": {"notes": ["Made up."], "validation": shared, "test": shared, "leaking": False},
        "test": figures | {
            "per_class": per_class, "calibration": {"ece": 0.0625, "nll": 1.5},
            "confusion_matrix": (2 * torch.eye(8, dtype=int)).tolist(),
            "per_corpus": dict.fromkeys(corpora, figures), "per_speaker": speakers,
        },
        "temperature": 2.5,
        "settings": {"feature_extractor": FRONT_ENDS[model_type], "model": {"model_type": model_type}},
    }  # fmt: skip


def small_checkpoint(folder: Path, model_type: str) -> Path:
    """A whole checkpoint folder with a tiny untrained network whose answers still differ from clip to clip."""
    torch.manual_seed(0)
    extractor = FAMILIES[model_type].extractor_class(**FRONT_ENDS[model_type])
    clips = [voiced_tone(1.0, extractor.sampling_rate, pitch) for pitch in (100.0, 150.0, 250.0)]
    extractor.fit(extractor.frames(clips), extractor.utterances(clips) if extractor.voice_quality else ())
    config = AutoConfig.for_model(
        model_type,
        num_features=extractor.feature_size,
        num_frames=extractor.num_frames,
        num_utterance_features=extractor.num_utterance_features,
        id2label=dict(enumerate(EMOTIONS)),
        **NETWORKS[model_type],
    )
    model = AutoModelForAudioClassification.from_config(config)
    with torch.no_grad():
        for head in getattr(model, "heads", [model]):
            head.classifier.weight.mul_(4)
        if model_type == "ser_speech_encoder":
            x = extractor(clips, extractor.sampling_rate, return_tensors="pt")["input_features"]
            frames = model.encoder_frames(x, torch.full((len(x),), x.shape[1])).flatten(0, 1)
            model.frames_mean.copy_(frames.mean(dim=0))
            model.frames_std.copy_(frames.std(dim=0))
    model.save_pretrained(folder)
    extractor.save_pretrained(folder)
    report = small_report(model_type)
    (folder / "report.json").write_text(json.dumps(report))
    model_card(report, "Tiny and untrained.").save(folder / "README.md")
    return folder


def tiny_whisper(folder: Path) -> Path:
    """Writes an untrained Whisper with three small layers into a folder."""
    torch.manual_seed(0)
    sizes = {"d_model": 16, "encoder_layers": 3, "encoder_attention_heads": 2, "encoder_ffn_dim": 32, "vocab_size": 40}
    config = WhisperConfig(**sizes, decoder_layers=1, decoder_attention_heads=2, decoder_ffn_dim=32, pad_token_id=0)
    WhisperForAudioClassification(config).save_pretrained(folder)
    return folder


def hashes(folder: Path) -> dict[str, str]:
    """Every file of a folder and the hash of its content."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def stranger(home: Path, **more: str) -> dict[str, str]:
    """Environment of someone who has never seen this project, with caches of their own below `home`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "GRADIO_", "PYTHON"))}
    return kept | {
        "HF_HOME": str(home / "hf"), "HF_MODULES_CACHE": str(home / "modules"), "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore::DeprecationWarning",
    } | more  # fmt: skip


def run_fresh(code: str, *words: object, env: dict[str, str], cwd: Path) -> subprocess.CompletedProcess:
    """Runs Python code in a fresh process that does not have this project on its path."""
    command = [sys.executable, "-P", "-c", code, *map(str, words)]
    return subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


@contextmanager
def running_hub(*options: str) -> Iterator[str]:
    """A local Hub; gives its address."""
    port = free_port()
    process = subprocess.Popen([sys.executable, ROOT / "tests" / "hub_server.py", str(port), *options])
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    pytest.fail("the local Hub did not come up")
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def visitor(home: Path, address: str, token: str = "hf_alice", **more: str) -> dict[str, str]:
    """Environment of somebody at a local Hub."""
    settings = {"HF_ENDPOINT": address, "HF_TOKEN": token, "HF_HUB_DISABLE_XET": "1", "HF_HUB_OFFLINE": "0"}
    return stranger(home, **settings) | more


def run_here(*words: object, env: dict[str, str]) -> subprocess.CompletedProcess:
    """Runs `python ...` as people do in the project's folder."""
    return subprocess.run([sys.executable, *map(str, words)], env=env, cwd=ROOT, capture_output=True, text=True)


def one_sentence(done: subprocess.CompletedProcess, start: str) -> str:
    """Asserts that a command failed with one line of words and returns it."""
    lines = done.stderr.strip().splitlines()
    assert done.returncode == 1 and len(lines) == 1 and lines[0].startswith(start), done.stderr
    return lines[0]
