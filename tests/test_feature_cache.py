"""Features are the same however many processes make them, and are made once."""

import json
import os
import re
import signal
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from typing import TextIO

import numpy as np
import psutil
import pytest
import torch
from forked import started

from datasets_scripts import load_corpora
from ser_model.training.augmentation import Augmentation
from ser_model.training.feature_cache import ViewFrames
from ser_model.training.parallel import map_clips
from ser_model.training.presets import load_preset
from ser_model.training.trainer import RunError

NOISE = Augmentation(views=1, probability=1.0, noise_snr_db=[20, 30])


@pytest.fixture(scope="module")
def clips(mini_ravdess, tmp_path_factory):
    """Loads 24 clips, each time into a cache of its own."""

    def load():
        table = load_corpora(["ravdess"], mini_ravdess, cache_dir=tmp_path_factory.mktemp("cache"))
        return table.select(range(24))

    return load


@pytest.fixture
def two_threads():
    """Torch with two threads that have worked before a process is forked."""
    torch.set_num_threads(2)
    torch.ones(500, 500) @ torch.ones(500, 500)
    yield
    torch.set_num_threads(1)


def features(table, preset, num_proc):
    items = [(clip, view) for clip in range(len(table)) for view in (0, 1)]
    frames = ViewFrames(table, items, load_preset(preset).extractor(), NOISE, seed=0, num_proc=num_proc)
    files = {len(view.cache_files) for view in frames.views.values()}
    return [frames[index] for index in range(len(items))], files


@pytest.mark.parametrize("preset", ["phonetic-cnn", "mfcc-cnn-lstm", "logmel-cnn-bilstm"])
def test_several_processes_give_the_features_of_one(clips, preset, two_threads):
    (alone, _), (together, files) = features(clips(), preset, 1), features(clips(), preset, 2)
    assert files == {2} and len(alone) == len(together) == 48
    for first, second in zip(alone, together, strict=True):
        assert first.keys() == second.keys() >= {"input_features"}
        for name in first:
            np.testing.assert_array_equal(first[name], second[name])


def test_features_of_one_process_serve_several(clips):
    table = clips()
    features(table, "logmel-cnn-bilstm", 1)
    _, files = features(table, "logmel-cnn-bilstm", 2)
    assert files == {1}  # the file that was there


def end_at_the_third(audio, others):
    if audio == others[2]:
        os._exit(1)  # as the kernel ends a process that takes too much memory
    return {"length": len(audio)}


def test_a_process_that_dies_is_told_in_one_sentence(clips):
    table = clips().select_columns("audio")
    with pytest.raises(RunError, match=r"A process that prepared features died.*smaller --num_proc"):
        map_clips(table, end_at_the_third, 2, input_columns="audio", fn_kwargs={"others": list(table["audio"])})


Preparing = tuple[BaseProcess, TextIO, bytes, list[psutil.Process]]


@pytest.fixture
def preparing(mini_ravdess, tmp_path) -> Iterator[Preparing]:
    """A training whose two processes prepare features: it, its stderr and what that said so far, and they."""
    preset = load_preset("phonetic-cnn").as_dict() | {"data": {"corpora": ["ravdess"]}}
    (tmp_path / "mini.json").write_text(json.dumps(preset))
    environment = os.environ | {"HF_DATASETS_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"}
    words = ["--preset", tmp_path / "mini.json", "--data_dir", mini_ravdess, "--output_dir", tmp_path / "out"]
    process, stderr = started("train", *words, "--num_proc", 2, env=environment, piped=2)
    said = b""
    while not re.search(rb"Features of the clips \(num_proc=2\): +[1-9]", said):
        said += os.read(stderr.fileno(), 1_000) or pytest.fail(said.decode())
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) >= 2
    yield process, stderr, said, children
    for left in (process, *(child for child in children if child.is_running())):
        left.kill()


@pytest.mark.parametrize(("to_be_ended", "by"), [(os.killpg, signal.SIGINT), (os.kill, signal.SIGTERM)])
def test_a_stop_ends_all_processes_without_a_traceback(preparing, to_be_ended, by):
    process, stderr, said, children = preparing
    to_be_ended(process.pid, by)  # Ctrl-C, which a terminal sends to all of them, or a service that stops this one
    process.join(60)
    assert psutil.wait_procs(children, timeout=10)[1] == []
    said += stderr.buffer.read()
    assert process.exitcode == 130 and said.endswith(b"The same command with --resume goes on from the last epoch.\n")
    assert "Traceback" not in said.decode()


def test_a_killed_training_leaves_no_process_behind(preparing):
    process, _, _, children = preparing
    process.kill()
    assert psutil.wait_procs(children, timeout=10)[1] == []
