"""The command `ser-model robustness`, as people type it, on a miniature corpus."""

import json
import shutil

import datasets
import pytest
from conftest import called
from hub_helpers import hashes, small_checkpoint, tiny_whisper

from ser_model import EmotionRecognizer
from ser_model.__main__ import main
from ser_model.cli.robustness import keep_result
from ser_model.evaluation.robustness import suite
from ser_model.evaluation.robustness.perturbations import NON_SPEECH, PERTURBATIONS
from ser_model.hub import NOT_PUSHED
from ser_model.labels import EMOTIONS
from ser_model.perturbations.channels import missing_encoder
from ser_model.reporting.robustness_section import robustness_section, robustness_table

WRITTEN = {"robustness.json", "robustness.png", "README.md"}


def run(*words):
    return main(["robustness", *map(str, words)])


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A tiny untrained network whose report names the data that it would have been trained on."""
    folder = small_checkpoint(tmp_path_factory.mktemp("checkpoint") / "small", "ser_cnn_bilstm")
    report = json.loads((folder / "report.json").read_text())
    report["settings"] |= {"data": {"corpora": ["ravdess"], "labels": list(EMOTIONS)}, "augmentation": {}}
    (folder / "report.json").write_text(json.dumps(report))
    return folder


@pytest.fixture(scope="module")
def checked(checkpoint, mini_ravdess):
    before = hashes(checkpoint)
    words = [checkpoint, "--data_dir", mini_ravdess, "--clips", 8, "--num_proc", 2]
    done = called(main, "robustness", *words)
    assert done.returncode == 0, done.stderr[-3_000:]
    after = hashes(checkpoint)
    assert {name for name in after if after[name] != before.get(name)} == WRITTEN and set(before) <= set(after)
    return done.stdout, json.loads((checkpoint / "robustness.json").read_text())


def test_every_check_is_in_the_result_and_on_the_terminal(checked):
    printed, found = checked
    assert (found["preset"], found["protocol"], found["fold"], found["corpora"]) == ("small", "speaker", 1, ["ravdess"])
    assert found["sample"] == {
        "clips": 8, "of": 32, "speakers": 4, "per_corpus": {"ravdess": 8},
        "drawn": "evenly over corpora, emotions and speakers",
    }  # fmt: skip
    run_ones = {perturbation.name for perturbation in PERTURBATIONS} - set(found["skipped"])
    assert {entry["name"] for entry in found["perturbations"]} == run_ones
    assert {check["name"] for check in found["checks"]} >= run_ones | {name for name, _ in NON_SPEECH} | set(EMOTIONS)
    assert found["num_checks"] == len(found["checks"]) > 80
    assert found["checks_passed"] == sum(check["passed"] for check in found["checks"])
    assert found["share_passed"] == pytest.approx(found["checks_passed"] / found["num_checks"], abs=1e-4)
    assert found["baselines"]["random"]["num_checks"] == found["num_checks"]
    assert printed == robustness_table(found) + "\n"
    assert printed.count("FAILED") == found["num_checks"] - found["checks_passed"]
    for check in found["checks"]:
        better = check["value"] >= check["threshold"] if check["required"] == "at least" else None
        assert check["passed"] == (check["value"] <= check["threshold"] if better is None else better)


def test_an_svm_on_a_speech_encoder_is_a_baseline_too(checkpoint, mini_ravdess, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    copy = shutil.copytree(checkpoint, tmp_path / "copy", ignore=shutil.ignore_patterns("robustness.json"))
    words = [copy, "--data_dir", mini_ravdess, "--clips", 2, "--num_proc", 1, "--encoder"]
    assert run(*words, tmp_path / "nowhere") == 1
    assert "robustness: The encoder" in capsys.readouterr().err and not (copy / "robustness.json").exists()
    assert run(*words, tiny_whisper(tmp_path / "encoder")) == 0
    found = json.loads((copy / "robustness.json").read_text())
    svm, chance = found["baselines"]["encoder_svm"], found["baselines"]["random"]
    assert svm["num_checks"] == chance["num_checks"] == found["num_checks"]
    assert svm["groups"]["correctness"]["passed"] > chance["groups"]["correctness"]["passed"]
    for text in (robustness_table(found), robustness_section(found)):
        assert "encoder + SVM" in text and f"{svm['groups']['correctness']['passed']}" in text
    assert f"passes {svm['share_passed']:.0%}" in (copy / "README.md").read_text()


def test_speakers_that_were_trained_on_are_said(checked):
    leaking = checked[1] | {"shared_speakers": 3}
    for text in (robustness_section, robustness_table):
        assert "3 of the test speakers were trained on" in text(leaking) and "trained on" not in text(checked[1])
        assert "Whether the test speakers were trained on is not known." in text(checked[1] | {"shared_speakers": None})


def test_the_card_has_the_section_and_the_hub_gets_the_files(checked, checkpoint):
    _, found = checked
    card = (checkpoint / "README.md").read_text()
    assert robustness_section(found) in card and "(robustness.png)" in card
    assert f"{found['checks_passed']} of {found['num_checks']} checks passed" in card
    assert not shutil.ignore_patterns(*NOT_PUSHED)(str(checkpoint), sorted(WRITTEN))


def test_the_seed_decides_and_the_number_of_processes_does_not(checked, checkpoint, mini_ravdess, tmp_path):
    copy = shutil.copytree(checkpoint, tmp_path / "copy")
    assert run(copy, "--data_dir", mini_ravdess, "--clips", 8, "--num_proc", 1) == 0
    assert json.loads((copy / "robustness.json").read_text()) == checked[1]


def test_another_test_part_and_fewer_clips_do_not_replace_the_checkpoints_result(checked, checkpoint, capsys):
    before = hashes(checkpoint)
    report = json.loads((checkpoint / "report.json").read_text())
    for tested, clips, reason in (
        ({"fold": 2}, 240, "its own test part"),
        ({"corpora": ["savee"], "whole_corpora": ["savee"]}, 240, "its own test part"),
        ({"whole_corpora": ["ravdess"]}, 240, "its own test part"),
        ({}, 7, "has the result of 8 changed clips"),
    ):
        keep_result(checkpoint, EmotionRecognizer.from_pretrained(checkpoint), report | tested, checked[1] | {
            "sample": checked[1]["sample"] | {"clips": clips}
        })  # fmt: skip
        said = capsys.readouterr().err
        assert said.startswith("Nothing was written: ") and reason in said
    assert hashes(checkpoint) == before


def test_without_ffmpeg_the_codecs_are_left_out_and_said(checkpoint, mini_ravdess, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(suite, "missing_encoder", missing_encoder.__wrapped__)  # which remembers
    copy = shutil.copytree(checkpoint, tmp_path / "copy", ignore=shutil.ignore_patterns("robustness.json"))
    assert run(copy, "--data_dir", mini_ravdess, "--clips", 2, "--num_proc", 1) == 0
    found = json.loads((copy / "robustness.json").read_text())
    codecs = {"MP3, 32 kbit/s", "Opus, 12 kbit/s"}
    assert found["skipped"] == dict.fromkeys(codecs, "the program ffmpeg is not installed")
    assert not codecs & {check["name"] for check in found["checks"]}
    said = "MP3, 32 kbit/s (the program ffmpeg is not installed)"
    assert said in capsys.readouterr().out and said in (copy / "README.md").read_text()


def test_errors_are_one_sentence_and_leave_the_folder_alone(checkpoint, mini_ravdess, tmp_path, capsys):
    before = hashes(checkpoint)
    for words, said in (
        ((checkpoint, "--data_dir", tmp_path), "clip lies below"),
        ((tmp_path / "nowhere",), "No model could be loaded"),
        ((checkpoint, "--data_dir", mini_ravdess, "--corpora", "ravdess", "--encoder", tmp_path), "no training part"),
    ):
        assert run(*words) == 1
        out, err = capsys.readouterr()
        assert out == "" and err.count("\n") == 1 and err.startswith("robustness: ") and said in err
    for words in (("--clips", 0), ("--fold", 0), ("--seed", -1)):
        with pytest.raises(SystemExit, match="2"):
            run(checkpoint, *words)
        assert f"argument {words[0]}: has to be a whole number from " in capsys.readouterr().err
    assert hashes(checkpoint) == before
