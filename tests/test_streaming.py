"""Corpora as Parquet, and training that makes features anew in every epoch."""

import json
import os

import datasets
import numpy as np
import pytest
import torch
from conftest import called
from forked import started
from hub_helpers import NETWORKS, tiny_whisper

from datasets_scripts import CorpusError, load_corpora
from datasets_scripts.prepare import prepare
from datasets_scripts.shards import recording
from ser_model.__main__ import main
from ser_model.audio import load_audio
from ser_model.training import streaming
from ser_model.training.arguments import RunArguments
from ser_model.training.presets import load_preset, preset_from_dict
from ser_model.training.run import load_data, make_trainer
from ser_model.training.streaming import StreamSampler, sampled
from ser_model.training.trainer import SerTrainingArguments


@pytest.fixture(scope="module")
def shards(mini_ravdess, tmp_path_factory):
    """A folder with the miniature corpus as Parquet, as `prepare` writes it."""
    folder = tmp_path_factory.mktemp("parquet")
    assert prepare(["ravdess"], mini_ravdess, folder / "mini", folder / "cache") == 192
    return folder / "mini"


@pytest.fixture
def cache(monkeypatch, tmp_path):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


@pytest.fixture(scope="module")
def small():
    """logmel-cnn-bilstm on RAVDESS with a tiny network and a view with noise."""
    content = load_preset("logmel-cnn-bilstm").as_dict()
    content["augmentation"] = {"views": 1, "probability": 1.0, "noise_snr_db": [20, 30]}
    content["model"] |= {"conv_channels": [4, 4], "lstm_hidden_size": 4}
    return content


def test_parquet_holds_what_the_files_hold(shards, mini_ravdess, tmp_path):
    files = load_corpora(["ravdess"], mini_ravdess, cache_dir=tmp_path)
    table = load_corpora(["ravdess"], shards)
    assert table.features["emotion"] == files.features["emotion"]
    for name in ("emotion", "speaker", "content", "statement"):
        assert list(table[name]) == list(files[name])
    for row in (0, 99, 100, 191):  # around the end of a row group
        expected = load_audio(files[row]["audio"], 16_000)
        np.testing.assert_array_equal(load_audio(recording(table[row]["audio"]), 16_000), expected)


def test_what_is_not_in_the_parquet_is_said(shards, tmp_path):
    with pytest.raises(CorpusError, match=r"No savee clip is in the Parquet files of .*: they hold ravdess\."):
        load_corpora(["savee"], shards)
    with pytest.raises(CorpusError, match="is prepared already"):
        prepare(["ravdess"], shards, tmp_path / "again")


def test_streaming_gives_the_features_of_the_cache(shards, mini_ravdess, small, cache):
    preset = preset_from_dict(small)
    kept = load_data(RunArguments(data_dir=str(mini_ravdess)), preset, seed=0)
    streamed = load_data(RunArguments(data_dir=str(shards), streaming=True), preset, seed=0)
    assert streamed.extractor.mean == kept.extractor.mean and streamed.extractor.std == kept.extractor.std
    for index in (0, 5, 200):
        first, second = kept.training[index], streamed.training[index]
        np.testing.assert_array_equal(first["input_features"], second["input_features"])
        assert (first["labels"], first["weight"]) == (second["labels"], second["weight"])


def test_every_item_comes_once_and_neighbours_stay_near():
    items = [(clip, view) for view in (0, 1) for clip in range(5_000)]
    epoch = 0
    sampler = StreamSampler(items, seed=3, epoch=lambda: epoch)
    first = list(sampler)
    assert sorted(first) == list(range(10_000)) and first == list(sampler)
    places = {items[index][0] // 50 for index in first[:1_600]}  # clips of both views stand side by side
    assert len(places) == streaming.RUNS_MIXED
    assert np.corrcoef(first[:-1], first[1:])[0, 1] < 0.1
    epoch = 1
    assert list(sampler) != first


def test_statistics_of_many_items_come_from_a_sample(monkeypatch):
    table = datasets.Dataset.from_dict({"audio": [str(clip) for clip in range(100)]})
    items = [(clip, view) for clip in range(50, 100) for view in (0, 1)]
    assert sampled(table, items, 0)[1] == [(clip - 50, view) for clip, view in items]
    monkeypatch.setattr(streaming, "SAMPLE", 10)
    rows, chosen = sampled(table, items, 0)
    assert len(chosen) == 10 and {(int(rows[place]["audio"]), view) for place, view in chosen} <= set(items)


def test_a_frozen_encoder_runs_in_training(shards, cache, tmp_path):
    content = load_preset("encoder-attention").as_dict() | {"data": {"corpora": ["ravdess"]}}
    sizes = {name: value for name, value in NETWORKS["ser_speech_encoder"].items() if name != "encoder_config"}
    content["model"] |= sizes
    run = RunArguments(data_dir=str(shards), streaming=True, encoder=str(tiny_whisper(tmp_path / "encoder")))
    preset = preset_from_dict(content)
    data = load_data(run, preset, seed=0)
    args = SerTrainingArguments(output_dir=str(tmp_path / "out"), use_cpu=True, report_to="none", max_steps=2)
    trainer = make_trainer(run, preset, data, args)
    before = {name: weights.clone() for name, weights in trainer.model.state_dict().items()}
    trainer.train()
    changed = {name for name, weights in trainer.model.state_dict().items() if not torch.equal(weights, before[name])}
    assert changed and not any(name.startswith(("encoder.", "frames_")) for name in changed)
    assert (trainer.model.frames_mean == data.frame_statistics[0]).all() and (trainer.model.frames_std != 1).all()


def test_from_the_command_line(shards, small, tmp_path, cache):
    (tmp_path / "small.json").write_text(json.dumps(small))
    out, environment = tmp_path / "out", os.environ | {"HF_DATASETS_CACHE": str(tmp_path / "cache")}
    words = ["--preset", tmp_path / "small.json", "--streaming", "--max_steps", 6, "--output_dir", out,
             "--dataloader_num_workers", 2, "--data_dir", shards]  # fmt: skip
    process, stderr = started("train", *words, env=environment, piped=2)
    said = stderr.read()
    process.join()
    assert process.exitcode == 0, said[-3_000:]
    report = json.loads((out / "report.json").read_text())
    assert report["hyperparameters"]["streaming"] is True and "`streaming` true" in (out / "README.md").read_text()
    assert report["split_sizes"] == {"train": 16 * 8 * 2, "validation": 32, "test": 32}
    evaluated = called(main, "evaluate", out, "--data_dir", shards)
    assert evaluated.returncode == 0, evaluated.stderr
    assert json.loads(evaluated.stdout)["test"] == report["test"]
