"""The whole way in small: corpus files to a checkpoint that predicts, through train.py as people run it."""

import json
import os
import re
import resource
import signal
import subprocess
import sys
import time

import datasets
import numpy as np
import pytest
import soundfile
from conftest import ROOT, called, voiced_tone
from corpora_fixtures import write_clips
from forked import started

from ser_model import EmotionRecognizer
from ser_model.__main__ import main as ser_model
from ser_model.cli import train

REPORT_KEYS = {"preset", "protocol", "corpora", "fold", "seed", "labels", "split_sizes", "leakage", "validation",
               "test", "versions", "preparation_seconds", "training_seconds", "hardware"}  # fmt: skip
FIGURES = {"uar", "accuracy", "macro_f1", "per_class", "confusion_matrix", "per_corpus", "per_speaker"}
FILES = {"config.json", "model.safetensors", "preprocessor_config.json", "report.json", "confusion_matrix.png",
         "training_history.png", "reliability.png", "README.md", "log.jsonl", "modeling_ser.py"}  # fmt: skip


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """Of processes, and for what is called here: one cache of features for all."""
    cache = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(datasets.config, "HF_DATASETS_CACHE", cache)
        yield os.environ | {"HF_DATASETS_CACHE": str(cache), "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def small_preset(tmp_path_factory):
    """logmel-cnn-bilstm with a tiny network and no augmentation but noise, quick to train."""
    content = json.loads((ROOT / "ser_model/training/presets/logmel-cnn-bilstm.json").read_text())
    content["augmentation"] = {"views": 1, "probability": 1.0, "noise_snr_db": [20, 30]}
    content["feature_extractor"]["num_mel_bins"] = 32
    content["model"] |= {"conv_channels": [8, 8], "lstm_hidden_size": 16}
    content["training"] |= {"learning_rate": 0.01, "num_train_epochs": 6}
    path = tmp_path_factory.mktemp("presets") / "small.json"
    path.write_text(json.dumps(content))
    return path


def options(preset, data_dir, out, *more):
    return ["--preset", preset, "--data_dir", data_dir, "--output_dir", out, *more]


def command(*given):
    return [sys.executable, str(ROOT / "train.py"), *map(str, options(*given))]


@pytest.fixture(scope="module")
def trained(small_preset, mini_ravdess, environment, tmp_path_factory):
    out = tmp_path_factory.mktemp("run") / "small"
    done = subprocess.run(
        command(small_preset, mini_ravdess, out), env=environment, capture_output=True, text=True, cwd=out.parent
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    return out, done


def test_a_complete_folder(trained):
    out, done = trained
    assert {path.name for path in out.iterdir()} >= FILES
    assert len({path.stat().st_mode for path in out.iterdir() if path.is_file()}) == 1  # whoever reads one, reads all
    assert not list(out.glob("checkpoint-*")) and not (out / ".partial").exists()
    report = json.loads((out / "report.json").read_text())
    assert set(report) >= REPORT_KEYS
    for part in ("validation", "test"):
        assert set(report[part]) >= FIGURES
        assert np.sum(report[part]["confusion_matrix"]) == report["split_sizes"][part]
    assert report["split_sizes"] == {"train": 16 * 8 * 2, "validation": 32, "test": 32}
    assert report["leakage"]["test"] == {"shared_speakers": 0, "shared_clips": 0, "augmented_twins": 0}
    config = json.loads((out / "config.json").read_text())
    assert config["unsure_below"] == report["unsure_below"] and 0 <= report["unsure_below"] <= 1
    assert config["calibration_temperature"] == report["temperature"] and 0.1 <= report["temperature"] <= 10
    assert set(report["test"]["per_speaker"]) == {f"ravdess_{actor}" for actor in ("01", "11", "20", "21")}
    assert "Training small on" in done.stdout and "Leakage report:" in done.stdout
    assert len((out / "log.jsonl").read_text().splitlines()) == report["epochs"]
    hyperparameters = report["hyperparameters"]
    assert (hyperparameters["num_train_epochs"], hyperparameters["learning_rate"]) == (6, 0.01)
    assert "`learning_rate` 0.01, " in (out / "README.md").read_text()
    assert report["preparation_seconds"] > 0 and "Preparing features with 1 process(es)" in done.stdout
    assert re.search(r"Features of the clips: .*\[\d\d:\d\d<\d\d:\d\d, ", done.stderr)  # the time that is left


def test_it_learned_and_predicts(trained):
    out, _ = trained
    report = json.loads((out / "report.json").read_text())
    assert report["test"]["uar"] > 0.3  # chance is 0.125
    recognizer = EmotionRecognizer.from_pretrained(out)
    result = recognizer(voiced_tone(0.5, pitch=90 + 35 * 8 + 5), 16_000)
    assert list(result.probabilities) == report["labels"]
    assert sum(result.probabilities.values()) == pytest.approx(1)
    assert recognizer.report == report


def test_statistics_come_from_the_training_part_alone(trained, mini_ravdess):
    from datasets_scripts import load_corpora
    from datasets_scripts.splits import make_split
    from ser_model import SerFeatureExtractor
    from ser_model.audio import load_audio
    from ser_model.training.augmentation import Augmentation

    out, _ = trained
    report = json.loads((out / "report.json").read_text())
    saved = SerFeatureExtractor.from_pretrained(out)
    table = load_corpora(["ravdess"], mini_ravdess, cache_dir=out.parent / "cache")
    augmentation = Augmentation(**report["settings"]["augmentation"])
    own = SerFeatureExtractor(**report["settings"]["feature_extractor"])
    split = make_split(table, "speaker", 1, 0, num_views=1)
    frames = []
    for row, view in split.train:
        path = table["audio"][row]
        wave = augmentation.view(load_audio(path, 16_000), 16_000, path.rsplit("/", 1)[1].removesuffix(".wav"), view, 0)
        frames += own.frames([wave])
    own.fit(frames)
    np.testing.assert_allclose(saved.mean, own.mean, rtol=1e-6)
    np.testing.assert_allclose(saved.std, own.std, rtol=1e-6)


def test_evaluate_repeats_the_report(trained, mini_ravdess, environment):
    out, _ = trained
    done = called(ser_model, "evaluate", out, "--data_dir", mini_ravdess)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == json.loads((out / "report.json").read_text())


def test_evaluate_on_another_fold_says_what_was_trained_on(trained, mini_ravdess, environment):
    out, _ = trained
    done = called(ser_model, "evaluate", out, "--data_dir", mini_ravdess, "--fold", 2)
    assert json.loads(done.stdout)["leakage"]["test"]["shared_speakers"] > 0


def test_it_does_not_overwrite_a_run(trained, small_preset, mini_ravdess, environment):
    out, _ = trained
    before = (out / "model.safetensors").read_bytes()
    done = called(train.main, *options(small_preset, mini_ravdess, out))
    assert done.returncode == 1 and "already holds a run" in done.stderr and "Traceback" not in done.stderr
    assert (out / "model.safetensors").read_bytes() == before


def test_a_finished_run_has_nothing_to_resume(trained, small_preset, mini_ravdess, environment):
    out, _ = trained
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in out.rglob("*") if path.is_file()}
    again = options(small_preset, mini_ravdess, out, "--resume")
    done = called(train.main, *again)
    assert done.returncode == 0 and done.stdout == f"{out} is finished, nothing to resume.\n"
    done = called(train.main, *again, "--seed", 1)
    assert done.returncode == 1 and "holds another run, which differs in seed" in done.stderr
    done = called(train.main, *again, "--data_dir", mini_ravdess / "Actor_01")
    assert done.returncode == 1 and "holds another run, which differs in corpora_fingerprint" in done.stderr
    done = called(train.main, *again, "--data_dir", environment["HF_DATASETS_CACHE"])  # no recordings to compare with
    assert done.returncode == 0 and "nothing to resume" in done.stdout
    done = called(train.main, *again, "--learning_rate", 0.02)
    assert done.returncode == 1 and "holds another run, which differs in training.learning_rate" in done.stderr
    assert before == {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in out.rglob("*") if path.is_file()}


def test_a_loss_that_is_not_finite_stops_training(small_preset, mini_ravdess, environment, tmp_path, trained):
    out = tmp_path / "diverged"
    done = called(train.main, *options(small_preset, mini_ravdess, out, "--learning_rate", "1e37"))
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert any(line.startswith("train.py: The loss is not finite after") for line in done.stderr.splitlines())
    assert not (out / "report.json").exists() and not (out / "model.safetensors").exists()


def test_a_disk_that_fills_up_and_a_resume_give_the_undisturbed_result(
    small_preset, mini_ravdess, environment, tmp_path, trained
):
    out = tmp_path / "full"
    process, stderr = started("train", *options(small_preset, mini_ravdess, out), env=environment, piped=2)
    deadline = time.monotonic() + 200
    while len(epochs_of(out)) < 2 and time.monotonic() < deadline and process.is_alive():
        time.sleep(0.02)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (4_000, 4_000))  # no file may grow beyond, as on a full disk
    said = stderr.read()
    process.join(60)
    assert process.exitcode == 1 and "Traceback" not in said
    (sentence,) = [line for line in said.splitlines() if line.startswith("train.py: stopped: ")]
    assert sentence.endswith("The same command with --resume goes on from the last epoch.")
    assert not (out / "report.json").exists()
    done = called(train.main, *options(small_preset, mini_ravdess, out, "--resume"))
    assert done.returncode == 0, done.stderr[-3_000:]
    assert "Resuming from" in done.stdout
    undisturbed, resumed = (json.loads((folder / "report.json").read_text()) for folder in (trained[0], out))
    assert resumed["best_epoch"] == undisturbed["best_epoch"]
    assert resumed["test"]["confusion_matrix"] == undisturbed["test"]["confusion_matrix"]


def test_killed_in_the_middle_and_resumed(small_preset, mini_ravdess, environment, tmp_path, trained):
    out = tmp_path / "killed"
    process, _ = started("train", *options(small_preset, mini_ravdess, out), env=environment)
    deadline = time.monotonic() + 200
    while len(epochs_of(out)) < 3 and time.monotonic() < deadline and process.is_alive():
        time.sleep(0.02)
    process.kill()
    process.join()
    reached = epochs_of(out)
    assert 3 <= len(reached) < 6, "killed too early or too late"
    assert not (out / "report.json").exists() and not (out / "model.safetensors").exists()
    done = called(train.main, *options(small_preset, mini_ravdess, out, "--resume"))
    assert done.returncode == 0, done.stderr[-3_000:]
    resumed_from = int(done.stdout.split("Resuming from")[1].split("checkpoint-")[1].split(".")[0])
    assert resumed_from >= reached[-2]["step"]  # at most one epoch was lost
    epochs = epochs_of(out)
    assert [entry["epoch"] for entry in epochs] == [1, 2, 3, 4, 5, 6]
    straight = epochs_of(trained[0])
    # Going on is going on: the resumed run ends where the straight one did.
    report = json.loads((out / "report.json").read_text())
    assert report["training_seconds"] == pytest.approx(sum(entry["seconds"] for entry in epochs), abs=0.1)
    assert epochs[-1]["eval_loss"] == pytest.approx(straight[-1]["eval_loss"], rel=1e-3)
    assert set(report) >= REPORT_KEYS


def test_ctrl_c_says_how_to_go_on(small_preset, mini_ravdess, environment, tmp_path):
    out = tmp_path / "stopped"
    process, stderr = started("train", *options(small_preset, mini_ravdess, out), env=environment, piped=2)
    deadline = time.monotonic() + 200
    while not epochs_of(out) and time.monotonic() < deadline and process.is_alive():
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGINT)
    said = stderr.read()
    process.join(60)
    assert process.exitcode == 130
    assert "The same command with --resume goes on from the last epoch." in said
    assert "Traceback" not in said


def epochs_of(out):
    log = out / "log.jsonl"
    return [json.loads(line) for line in log.read_text().splitlines()] if log.is_file() else []


def test_two_processes_of_a_launcher(small_preset, mini_ravdess, environment, tmp_path):
    """`accelerate launch --multi_gpu` hands over to the launcher of `torchrun`, without a GPU too."""
    out = tmp_path / "two"
    launcher = "accelerate.commands.launch --multi_gpu --num_processes 2 --main_process_port 0"
    done = subprocess.run(
        [sys.executable, "-m", *launcher.split(),
         *command(small_preset, mini_ravdess, out, "--max_steps", 4, "--disable_tqdm", "True")[1:]],
        env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3_000:]
    assert {path.name for path in out.iterdir()} >= FILES
    report = json.loads((out / "report.json").read_text())
    assert report["hyperparameters"]["processes"] == 2
    assert [entry["epoch"] for entry in epochs_of(out)] == [0.5]  # 4 of 256 items / (16 a process * 2) = 8 steps
    assert "%|" not in done.stderr  # no bar


def test_a_corpus_is_left_out_and_its_own_labels_with_it(small_preset, mini_ravdess, environment, tmp_path):
    content = json.loads(small_preset.read_text())
    content["data"] = {"corpora": ["ravdess", "savee"]}
    (tmp_path / "two.json").write_text(json.dumps(content))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "ravdess").symlink_to(mini_ravdess)
    names = [
        f"{who}/{emotion}01.wav"
        for who in ("DC", "JE", "JK", "KL")
        for emotion in ("n", "h", "sa", "a", "f", "d", "su")
    ]
    write_clips(tmp_path / "data" / "savee", *names)
    left_out = ("--protocol", "leave-corpus-out", "--fold", 1, "--max_steps", 2)
    done = called(train.main, *options(tmp_path / "two.json", tmp_path / "data", tmp_path / "out", *left_out))
    assert done.returncode == 0, done.stderr[-3_000:]
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["split_sizes"] == {"train": 3 * 7 * 2, "validation": 7, "test": 24 * 7}
    assert list(report["test"]["per_corpus"]) == ["ravdess"] and report["test"]["missing_classes"] == ["calm"]
    assert report["leakage"]["leaking"] is False and report["leakage"]["test"]["shared_speakers"] == 0
    card = (tmp_path / "out" / "README.md").read_text()
    assert "- Test corpus: ravdess; trained on savee.\n" in card
    assert "- ravdess: its 24 clips of calm are not tested; no training corpus has that label.\n" in card


def test_no_data_gives_one_sentence(tmp_path, monkeypatch):
    monkeypatch.delenv("SER_DATA_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    done = called(train.main)
    assert done.returncode == 1
    assert "python -m datasets_scripts download ravdess" in done.stderr and "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_broken_clip_is_left_out_and_named(small_preset, mini_ravdess, environment, tmp_path):
    data = tmp_path / "ravdess"
    data.mkdir()
    for path in mini_ravdess.rglob("*.wav"):
        (data / path.name).symlink_to(path)
    broken = data / "03-01-01-01-01-01-02.wav"
    broken.unlink()
    soundfile.write(broken, np.zeros(8_000), 16_000)
    out = tmp_path / "run"
    done = called(train.main, *options(small_preset, data, out, "--max_steps", 2))
    assert done.returncode == 0, done.stderr[-3_000:]
    report = json.loads((out / "report.json").read_text())
    assert [entry["file"] for entry in report["left_out"]] == [broken.name]
    assert "silent" in report["left_out"][0]["reason"]
