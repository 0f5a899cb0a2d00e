"""Endurance, run by `make soak`: commands killed at random moments, and many visitors at once."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from app_helpers import running_app, tone_file
from conftest import ROOT
from gradio_client import Client, handle_file
from test_train import command

from ser_model import EmotionRecognizer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

KILLS = 12
CLIENTS, SECONDS = 50, 120.0


@pytest.fixture(scope="module")
def environment(tmp_path_factory) -> dict[str, str]:
    return os.environ | {"HF_DATASETS_CACHE": str(tmp_path_factory.mktemp("cache")), "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def small_preset(tmp_path_factory) -> Path:
    content = json.loads((ROOT / "ser_model/training/presets/logmel-cnn-bilstm.json").read_text())
    content["augmentation"] = {"views": 1, "probability": 1.0, "noise_snr_db": [20, 30]}
    content["feature_extractor"]["num_mel_bins"] = 32
    content["model"] |= {"conv_channels": [8, 8], "lstm_hidden_size": 16}
    content["training"] |= {"num_train_epochs": 6}
    path = tmp_path_factory.mktemp("presets") / "small.json"
    path.write_text(json.dumps(content))
    return path


def run(words: list[str], environment: dict[str, str], kill_after: float | None = None) -> int | None:
    """Runs a command to its end, or kills its process group after some seconds; the exit status, None where killed."""
    process = subprocess.Popen(
        words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        return process.wait(kill_after)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return None


def test_prepare_survives_kills(mini_ravdess, tmp_path):
    words = [sys.executable, "-m", "datasets_scripts", "prepare", "--data_dir", str(mini_ravdess), "--output_dir"]

    def environment(cache: str) -> dict[str, str]:
        return os.environ | {"HF_DATASETS_CACHE": str(tmp_path / cache), "OMP_NUM_THREADS": "1"}

    start = time.monotonic()
    assert run([*words, str(tmp_path / "whole")], environment("undisturbed")) == 0
    whole, draw, killed, out = time.monotonic() - start, random.Random(0), 0, tmp_path / "killed"
    expected = hashes(tmp_path / "whole" / "data")
    for _ in range(KILLS):  # the cache that a kill leaves is the next attempt's
        status = run([*words, str(out)], environment("cache"), kill_after=draw.uniform(0.3, 1.2) * whole)
        assert status in (None, 0)
        killed += status is None
        if out.exists():  # what stands under its final name is whole
            assert hashes(out / "data") == expected
            shutil.rmtree(out)
            shutil.rmtree(tmp_path / "cache")
    assert run([*words, str(out)], environment("cache")) == 0
    assert hashes(out / "data") == expected
    print(f"\nprepare: {killed} kills survived")
    assert killed


def test_training_survives_kills(small_preset, mini_ravdess, environment, tmp_path):
    undisturbed = tmp_path / "undisturbed"
    start = time.monotonic()
    assert run(command(small_preset, mini_ravdess, undisturbed), environment) == 0
    whole, draw, killed = time.monotonic() - start, random.Random(0), 0
    out = tmp_path / "killed"
    status = None
    for _ in range(KILLS):
        more = ["--resume"] if out.exists() else []
        status = run(command(small_preset, mini_ravdess, out, *more), environment, draw.uniform(0.25, 0.6) * whole)
        assert status in (None, 0)
        if status == 0:
            break
        killed += 1
        if (out / "report.json").exists():  # killed on its way out: what has a report is whole
            status = 0
            break
    if status is None:
        assert run(command(small_preset, mini_ravdess, out, "--resume"), environment) == 0
    print(f"\ntrain.py: {killed} kills survived")
    assert killed
    first, second = (json.loads((folder / "report.json").read_text()) for folder in (undisturbed, out))
    assert first["test"] == second["test"]
    assert EmotionRecognizer.from_pretrained(out).report == second


def hashes(folder: Path) -> dict[str, str]:
    """File name -> checksum of its content."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def resident(process: psutil.Process) -> float:
    """Memory of a process and its children in MB."""
    return sum(each.memory_info().rss for each in [process, *process.children(recursive=True)]) / 1e6


def test_many_visitors_at_once(tmp_path):
    clips = [tone_file(tmp_path / f"tone{number}.wav", seconds) for number, seconds in enumerate((1.0, 2.0, 3.5))]
    with running_app(tmp_path) as address:
        server = psutil.Process(int((tmp_path / "app.pid").read_text()))
        Client(address, verbose=False).predict(handle_file(clips[0]), api_name="/predict")
        before, times, errors, lock = resident(server), [], [], threading.Lock()
        end = time.monotonic() + SECONDS

        def visit(number: int) -> None:
            client = Client(address, verbose=False)
            while time.monotonic() < end:
                since = time.monotonic()
                try:
                    client.predict(handle_file(clips[number % len(clips)]), api_name="/predict")
                except Exception as error:  # any refusal counts, whatever the client makes of it
                    with lock:
                        errors.append(str(error))
                else:
                    with lock:
                        times.append(time.monotonic() - since)

        visitors = [threading.Thread(target=visit, args=(number,)) for number in range(CLIENTS)]
        for visitor in visitors:
            visitor.start()
        for visitor in visitors:
            visitor.join()
        after = resident(server)
    middle, late = statistics.median(times), float(np.percentile(times, 95))
    print(
        f"\n{CLIENTS} clients for {SECONDS:.0f} s: {len(times)} answers, {len(errors)} errors, "
        f"p50 {middle:.2f} s, p95 {late:.2f} s; server {before:.0f} MB before, {after:.0f} MB after"
    )
    assert not errors, errors[:3]
    assert after < before + 400
