"""All folds of a preset: counted, run by processes that are killed, gone on with, and put into one table."""

import json
import os
import re
import time

import numpy as np
import psutil
import pytest
from conftest import ROOT
from forked import started

from ser_model.__main__ import main
from ser_model.evaluation.intervals import paired_difference, pooled_uar, signed_rank_p
from ser_model.evaluation.queue import Job, Recordings, read_result
from ser_model.training.presets import load_preset
from ser_model.training.resume import fingerprint_at_hand

RESULTS = ROOT / "results"


@pytest.fixture
def mine(tmp_path):
    """A preset that trains in no time."""
    preset = json.loads((ROOT / "ser_model/training/presets/logmel-cnn-bilstm.json").read_text())
    preset["augmentation"] = {"views": 0}
    preset["feature_extractor"]["num_mel_bins"] = 16
    preset["model"] |= {"conv_channels": [4], "lstm_hidden_size": 4}
    preset["training"]["num_train_epochs"] = 1
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(preset))
    return path


def test_killed_and_gone_on_with_while_a_run_it_left_behind_still_trains(tmp_path, mine, mini_ravdess):
    results, environment = tmp_path / "folds", os.environ | {"HF_DATASETS_CACHE": str(tmp_path / "cache")}
    words = ["cross-validate", "--preset", mine, "--data_dir", mini_ravdess, "--folds", "1,2", "--jobs", "2",
             "--results", results]  # fmt: skip
    first, _ = started("ser_model", *words, env=environment)
    jobs = [Job(str(mine), "speaker", fold, 0) for fold in (1, 2)]
    outputs = [results / "runs" / job.name / "output.txt" for job in jobs]
    while first.is_alive() and not all(path.exists() and "Preparing features" in path.read_text() for path in outputs):
        time.sleep(0.02)  # until both have locked their folders
    left_behind = psutil.Process(first.pid).children()
    for process in left_behind:
        process.suspend()  # until it is seen that they are waited for
    first.kill()
    first.join()
    second, stdout = started("ser_model", *words, env=environment, piped=1)
    said = "".join(stdout.readline() for _ in range(3))
    for process in left_behind:
        process.resume()
    said += stdout.read()
    second.join()
    assert second.exitcode == 0, said
    assert "2 runs queued, 0 measured, 2 to do" in said and said.count("waiting  ") == 2
    assert said.count("measured mine") == 2 and "started  " not in said and "FAILED" not in said
    found = json.loads((results / "cross-validation-mine-speaker.json").read_text())
    uars = [read_result(job, results)["test"]["uar"] for job in jobs]
    of_corpus = found["presets"]["mine"]["ravdess"]
    assert of_corpus["uar"]["mean"] == pytest.approx(np.mean(uars)) and of_corpus["folds"] == 2
    assert of_corpus["uar"]["sd_over_folds"] == pytest.approx(np.std(uars, ddof=1))
    assert f"| ravdess | 2 | 64 | {100 * np.mean(uars):.1f} ± {100 * np.std(uars, ddof=1):.1f} |" in said


def test_a_stop_ends_the_run_that_is_under_way(tmp_path, mine, mini_ravdess):
    words = ["cross-validate", "--preset", mine, "--data_dir", mini_ravdess, "--folds", "1", "--results", tmp_path]
    process, stderr = started(
        "ser_model", *words, env=os.environ | {"HF_DATASETS_CACHE": str(tmp_path / "cache")}, piped=2
    )
    output = tmp_path / "runs" / Job(str(mine), "speaker", 1, 0).name / "output.txt"
    while process.is_alive() and not (output.exists() and "Preparing features" in output.read_text()):
        time.sleep(0.02)
    (training,) = psutil.Process(process.pid).children()
    process.terminate()
    said = stderr.read()
    assert said.endswith("\ncross-validate: stopped.\n") and "Traceback" not in said
    process.join()
    assert process.exitcode == 130 and not psutil.pid_exists(training.pid)
    assert "The same command with --resume goes on from the last epoch." in output.read_text()


def test_a_changed_preset_is_measured_anew_by_the_queue(tmp_path, mine, mini_ravdess, monkeypatch, capfd):
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    (tmp_path / "queue.json").write_text(
        json.dumps([{"preset": str(mine), "protocol": "leave-one-speaker-out", "folds": [24], "seeds": [0]}])
    )
    command = ["results", "--queue", str(tmp_path / "queue.json"), "--data_dir", str(mini_ravdess),
               "--runs_dir", str(tmp_path / "runs")]  # fmt: skip
    job = Job(str(mine), "leave-one-speaker-out", 24, 0)
    out = tmp_path / "runs" / job.name
    out.mkdir(parents=True)
    (out / "report.json").write_text(json.dumps({"settings": {"model": {"dropout": 0.3}}}))
    assert main(command) == 0, capfd.readouterr()
    said = capfd.readouterr().out
    assert f"outdated {job.name}: kept as {job.name}__outdated1" in said
    assert list(read_result(job, tmp_path)["test"]["per_speaker"]) == ["ravdess_24"]
    assert main(command) == 0
    assert "1 runs queued, 1 measured, 0 to do" in capfd.readouterr().out


def test_results_of_other_recordings_are_none_of_these(tmp_path, mine, mini_ravdess):
    job, data = Job(str(mine), "speaker", 1, 0), {"corpora": ["ravdess"]}
    here = fingerprint_at_hand(data, mini_ravdess)
    assert here and fingerprint_at_hand(data, tmp_path) is None
    known = {"settings": load_preset(str(mine)).as_dict()}
    for report, found in (
        (known, {mini_ravdess, tmp_path}),  # as of older versions
        (known | {"corpora_fingerprint": here}, {mini_ravdess, tmp_path}),
        (known | {"corpora_fingerprint": "of others"}, {tmp_path}),  # no recordings to compare with
    ):
        (tmp_path / f"{job.name}.json").write_text(json.dumps(report))
        folders = (mini_ravdess, tmp_path)
        assert {folder for folder in folders if read_result(job, tmp_path, Recordings(str(folder)))} == found
        assert read_result(job, tmp_path) == report


def test_the_committed_table_is_reproduced_from_the_committed_reports(tmp_path, capsys):
    for path in RESULTS.glob("*__*.json"):
        (tmp_path / path.name).symlink_to(path)
    all_folds = re.findall(
        r"^\| ([\w-]+) \| ([\w, ]+) \|.*\| ([\d.± ]+) % / ([\d.± ]+) % \(fold 1, 2, 3, 4, 5, 6; seed 0\) \|$",
        (ROOT / "README.md").read_text(), flags=re.MULTILINE,
    )  # fmt: skip
    assert len(all_folds) >= 3
    for preset, corpora, uar, accuracy in all_folds:
        assert main(["cross-validate", "--preset", preset, "--results", str(tmp_path)]) == 0
        said = capsys.readouterr().out
        part = "all" if "," in corpora else corpora
        (row,) = [line.split(" | ") for line in said.splitlines() if line.startswith(f"| {part} ")]
        assert (row[3], row[6]) == (uar, accuracy) and "0 to do" in said
        assert part != "all" or not row[4]  # TESS and others are tested again beside RAVDESS's last folds


def test_two_presets_on_the_same_folds(tmp_path, capsys):
    for path in RESULTS.glob("*__*.json"):
        (tmp_path / path.name).symlink_to(path)
    names = ["mfcc-cnn-lstm-ravdess", "mfcc-cnn-lstm-baseline"]
    command = ["cross-validate", "--preset", names[0], "--against", names[1], "--results", str(tmp_path)]
    assert main(command) == 0
    said = capsys.readouterr().out
    (written,) = tmp_path.glob("cross-validation-*-against-*.json")
    found = json.loads(written.read_text())
    means = [found["presets"][name]["ravdess"]["uar"]["mean"] for name in names]
    difference = found["difference"]["ravdess"]
    assert difference["mean"] == pytest.approx(means[0] - means[1]) and difference["speakers"] == 24
    assert 0 < difference["p"] < 0.05 and f"| ravdess | 24 | {100 * difference['mean']:+.1f} |" in said
    assert main([*command[:4], "mfcc-cnn", *command[5:]]) == 1
    assert "do not compare: their blocks data differ" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--preset", "mfcc-cnm"], "There is no preset mfcc-cnm"),
        (["--preset", "mfcc-cnn", "--folds", "7"], "There is no fold 7: these corpora have folds 1 to 6"),
        (
            ["--preset", "mfcc-cnn", "--leave-corpus-out", "--folds", "0"],
            "There is no fold 0: these corpora have folds 1",
        ),
        (["--preset", "mfcc-cnn", "--protocol", "speakers"], "There is no protocol called speakers"),
        (["--preset", "mfcc-cnn", "--against", "mfcc-cnn"], "have the same name"),
    ],
)
def test_mistakes_are_one_sentence(words, sentence, tmp_path, capsys):
    assert main(["cross-validate", *words, "--results", str(tmp_path / "none")]) == 1
    said = capsys.readouterr().err
    assert sentence in said and said.count("\n") == 1 and not (tmp_path / "none").exists()


def test_what_would_fail_in_every_run_is_said_at_once(mini_ravdess, mine, tmp_path, capsys):
    command = ["cross-validate", "--preset", str(mine), "--data_dir"]
    assert main([*command, str(tmp_path), "--results", str(tmp_path / "none")]) == 1
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1 and "No ravdess clip" in said.err
    assert not (tmp_path / "none").exists()
    (tmp_path / "file").write_text("mine")
    assert main([*command, str(mini_ravdess), "--results", str(tmp_path / "file")]) == 1
    assert capsys.readouterr().err == f"cross-validate: {tmp_path / 'file'} cannot be written: File exists.\n"
    assert (tmp_path / "file").read_text() == "mine"


def test_paired_differences_are_surer_than_those_of_two_intervals():
    draw = np.random.default_rng(0)
    level = draw.uniform(0.3, 0.9, 30)  # speakers differ more than systems do
    theirs = [np.diag(np.round(100 * share * np.ones(2))) + 100 * (1 - share) * np.eye(2)[::-1] for share in level]
    ours = [
        np.diag(np.round(100 * share * np.ones(2)) + 4) + (100 * (1 - share) - 4) * np.eye(2)[::-1] for share in level
    ]
    mean, low, high = paired_difference(ours, theirs)
    assert mean == pytest.approx(0.04, abs=0.005) and low > 0.03 and high < 0.05
    assert pooled_uar(ours)[1] < pooled_uar(theirs)[0]  # alone, each interval holds the other
    assert paired_difference(ours, ours) == (0.0, 0.0, 0.0)
    assert paired_difference(ours[:2], theirs[:2])[1:] == (None, None)
    assert signed_rank_p(level + 0.04, level) < 1e-4 and signed_rank_p(level, level) == 1.0
    assert signed_rank_p([], []) is None
