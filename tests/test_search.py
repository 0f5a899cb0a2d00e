"""`train.py --search`: trials judged by validation, killed and gone on with, and the preset that comes of it."""

import json
import os
import shlex
import signal
import time

import datasets
import pytest
from conftest import ROOT, called
from forked import started

from ser_model.cli.train import main
from ser_model.training.arguments import parse_arguments
from ser_model.training.presets import PresetError, load_preset, preset_from_dict
from ser_model.training.search_space import suggested

SPACE = {
    "training": {"learning_rate": {"low": 0.001, "high": 0.1, "log": True}},
    "model": {"dropout": {"low": 0.0, "high": 0.5}, "conv_channels": [[4], [4, 4]]},
    "loss": {"class_weight": [None, "balanced"]},
}


@pytest.fixture
def mine(tmp_path):
    """A preset that trains in no time."""
    preset = json.loads((ROOT / "ser_model/training/presets/logmel-cnn-bilstm.json").read_text())
    preset["augmentation"] = {"views": 0}
    preset["feature_extractor"]["num_mel_bins"] = 16
    preset["model"] |= {"conv_channels": [4], "lstm_hidden_size": 4}
    preset["training"]["num_train_epochs"] = 2
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(preset | {"search": SPACE}))
    return path


@pytest.mark.parametrize(("by", "status"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 130)])
def test_a_stopped_search_goes_on_and_ends_with_a_preset(tmp_path, mine, mini_ravdess, monkeypatch, by, status):
    import optuna

    out, environment = tmp_path / "found", os.environ | {"HF_DATASETS_CACHE": str(tmp_path / "cache")}
    words = ["--preset", mine, "--data_dir", mini_ravdess, "--output_dir", out,
             "--metric_for_best_model", "uar", "--search", "3"]  # fmt: skip
    process, stderr = started("train", *words, env=environment, piped=2)
    journal = out / "trials.log"
    while process.is_alive() and not (journal.exists() and journal.read_text().count("class_weight") == 2):
        time.sleep(0.01)  # until the second trial has all its settings
    os.kill(process.pid, by)
    assert "Traceback" not in stderr.read()
    process.join()
    assert process.exitcode == status
    with open(journal, "a") as file:
        file.write('{"op_code":')  # what a full disk leaves of a line
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    done = called(main, *words)
    assert done.returncode == 1 and "already holds a search: add --resume" in done.stderr
    done = called(main, *words, "--resume")
    assert done.returncode == 0, done.stderr[-3_000:]
    assert "Search of 3 trials for mine, 2 to do; validation uar decides." in done.stdout
    found = json.loads((out / "search.json").read_text())
    assert [trial["state"] for trial in found["trials"]] == ["complete"] * 3 and found["judged_by"] == "validation uar"
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(journal)))
    trials = optuna.load_study(study_name="search", storage=storage).trials
    assert trials[2].params == trials[1].params and trials[1].state.name == "FAIL"  # that of the kill, once more
    best = max(found["trials"], key=lambda trial: trial["uar"])
    assert best["uar"] == max(best["by_step"].values()) == found["trials"][[0, 2, 3].index(found["best"])]["uar"]
    command = done.stdout.splitlines()[-1].removeprefix("Train it: python train.py ")
    run, preset, _ = parse_arguments(shlex.split(command))
    assert run.data_dir == str(mini_ravdess) and preset.name == "mine-searched" and run.search is None
    settings = found["trials"][[0, 2, 3].index(found["best"])]["settings"]
    assert {(block, key): getattr(preset, block)[key] for block in SPACE for key in SPACE[block]} == {
        (block, key): settings[block][key] for block in SPACE for key in SPACE[block]
    }
    assert preset.training["num_train_epochs"] == 2 and "the test part was not evaluated" in preset.notes[-1]
    assert {path.name for path in out.iterdir()} == {"trials.log", "run.json", "search.json",
                                                     "mine-searched.json"}  # fmt: skip


@pytest.mark.parametrize(
    ("space", "sentence"),
    [
        ({"training": {"learning_rate": {"low": 1.0, "high": 0.1}}}, "low has to be less than high"),
        ({"training": {"learning_rate": {"low": 0.0, "high": 0.1, "log": True}}}, "more than 0 with"),
        ({"training": {"learning_rate": 0.1}}, "search.training.learning_rate has to be a list of choices, or"),
        ({"training": {"seed": [1, 2]}}, "search.training.seed cannot be searched: trials are compared by it"),
        ({"model": {"dropuot": [0.1]}}, "search: unknown key model.dropuot. Did you mean dropout?"),
        ({"model": {"dropout": [0.1, "much"]}}, "search: model.dropout cannot be 'much'"),
        ({"model": {"encoder_layers": [[2], [3]]}}, "it changes the features, which are made once"),
        ({"augmentation": {"views": [0, 1]}}, "search.augmentation cannot be searched; blocks that can are"),
        ([], "the block 'search' has to be an object"),
    ],
)
def test_a_space_that_cannot_be_searched_is_one_sentence(space, sentence):
    content = load_preset("logmel-cnn-bilstm").as_dict()
    with pytest.raises(PresetError) as error:
        preset_from_dict(content | {"search": space})
    assert sentence in str(error.value) and "\n" not in str(error.value)


def test_a_search_of_which_no_trial_ends_says_so(tmp_path, mine, mini_ravdess, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    mine.write_text(json.dumps(json.loads(mine.read_text()) | {"search": {"training": {"learning_rate": [1e37]}}}))
    words = ["--preset", mine, "--data_dir", mini_ravdess, "--output_dir", tmp_path / "found", "--search", 1]
    done = called(main, *words)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "train.py: No trial came to its end" in done.stderr


def test_what_cannot_be_searched_is_said(tmp_path, capsys):
    assert main(["--preset", "mfcc-cnn", "--search", "3", "--output_dir", str(tmp_path / "none")]) == 1
    assert 'The preset mfcc-cnn has no block "search"' in capsys.readouterr().err
    for words, sentence in (
        (["--search", "0"], "--search has to be 1 or more"),
        (["--search", "2", "--push_to_hub"], "--push_to_hub does not go with --search"),
    ):
        assert main(["--preset", "logmel-cnn-bilstm", *words]) == 1
        assert sentence in capsys.readouterr().err


def test_settings_are_drawn_from_choices_and_ranges():
    import optuna

    whole = {"model": {"lstm_hidden_size": {"low": 4, "high": 8}}}
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(5):
        trial = study.ask()
        settings = suggested(trial, SPACE | {"model": SPACE["model"] | whole["model"]})
        assert settings == suggested(trial, SPACE | {"model": SPACE["model"] | whole["model"]})
        assert 0.001 <= settings["training"]["learning_rate"] <= 0.1
        assert settings["model"]["conv_channels"] in ([4], [4, 4]) and settings["loss"]["class_weight"] in (
            None,
            "balanced",
        )
        assert type(settings["model"]["lstm_hidden_size"]) is int and 4 <= settings["model"]["lstm_hidden_size"] <= 8
