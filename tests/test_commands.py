"""The command line, as people type it."""

import csv
import io
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from conftest import ROOT, called, spoken
from not_speech import NOT_SPEECH

from ser_model.__main__ import main
from ser_model.cli import DEFAULT_MODEL
from ser_model.inference.results import RESULT


def run(*words, **env):
    """A process, where that is what is tested; otherwise `main` is called, which spares seconds of imports."""
    return subprocess.run(
        [sys.executable, "-m", "ser_model", *map(str, words)],
        capture_output=True, encoding="utf-8", cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"} | env,
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("clips")
    (root / "deep" / "er").mkdir(parents=True)
    soundfile.write(root / "one.wav", spoken(1.0), 16_000)
    soundfile.write(root / "deep" / "er" / "two.FLAC", spoken(1.5, 44_100), 44_100, format="FLAC")
    soundfile.write(root / "deep" / "silent.wav", np.zeros(16_000), 16_000)
    (root / "notes.txt").write_text("not audio")
    return root


def test_json_is_one_array_and_bad_files_do_not_stop_the_rest(folder):
    done = run("predict", folder, folder / "nowhere.wav", folder / "notes.txt", "--format", "json")
    rows = {row["file"].removeprefix(f"{folder}/"): row for row in json.loads(done.stdout)}
    assert done.returncode == 1
    assert set(rows) == {"one.wav", "deep/er/two.FLAC", "deep/silent.wav", "nowhere.wav", "notes.txt"}
    assert all(set(row) == {"file", *RESULT, "error"} for row in rows.values())
    good = rows["deep/er/two.FLAC"]
    assert good["error"] is None and good["duration"] == pytest.approx(1.5)
    assert sum(good["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    assert good["label"] == max(good["probabilities"], key=good["probabilities"].get)
    for name, words in (("deep/silent.wav", "silent"), ("nowhere.wav", "no file"), ("notes.txt", "not audio")):
        assert rows[name]["label"] is None and words in rows[name]["error"] and words in done.stderr
    assert "Traceback" not in done.stderr


def test_csv_and_table(folder):
    done = called(main, "predict", folder / "one.wav", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert done.returncode == 0 and len(rows) == 1
    assert float(rows[0][rows[0]["label"]]) > 0 and rows[0]["error"] == ""
    table = called(main, "predict", folder / "one.wav", folder / "deep" / "er")
    assert table.returncode == 0 and len(table.stdout.splitlines()) == 2
    assert rows[0]["label"] in table.stdout


def test_noise_and_silence_get_no_emotion(folder, tmp_path):
    soundfile.write(tmp_path / "noise.wav", NOT_SPEECH["white noise"], 16_000)
    done = called(main, "predict", tmp_path / "noise.wav", folder / "deep" / "silent.wav")
    noise, silent = (line.split(maxsplit=1)[1] for line in done.stdout.splitlines())
    assert noise.split()[:2] == ["no", "speech"] and silent.strip() == "-" and "%" not in done.stdout


@pytest.mark.parametrize("form", ["csv", "json", "table"])
def test_output_is_utf8_whatever_the_consoles_encoding(tmp_path, form):
    soundfile.write(tmp_path / "怒り.wav", spoken(1.0), 16_000)
    done = run("predict", tmp_path / "怒り.wav", "--format", form, PYTHONIOENCODING="cp1252")
    assert done.returncode == 0, done.stderr
    assert "怒り.wav" in (json.loads(done.stdout)[0]["file"] if form == "json" else done.stdout)


def test_a_folder_without_audio_and_a_missing_model(tmp_path):
    done = called(main, "predict", tmp_path, "--format", "json")
    assert done.returncode == 1 and "no audio file" in json.loads(done.stdout)[0]["error"]
    done = called(main, "predict", tmp_path, "--model", tmp_path / "nowhere")
    assert done.returncode == 1 and "No model could be loaded" in done.stderr and "Traceback" not in done.stderr


def test_help_imports_nothing_heavy():
    code = (
        "import sys, ser_model.__main__ as m\n"
        "try: m.main(['predict', '--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'torch', 'transformers', 'datasets', 'librosa', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert "FILE_OR_FOLDER" in done.stdout and done.stdout.splitlines()[-1] == "[]"


def test_twenty_clips_of_a_test_actor(corpora):
    clips = sorted((corpora / "ravdess").rglob("03-01-*-01.flac"))[:20]
    done = called(main, "predict", *clips)
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 20


def test_evaluate_without_data_says_so(tmp_path):
    done = called(main, "evaluate", DEFAULT_MODEL, "--data_dir", tmp_path)
    assert done.returncode == 1 and "clip lies below" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["logmel-cnn-bilstm", "mfcc-cnn-lstm-ravdess"])
def test_evaluate_repeats_the_shipped_report(corpora, name):
    done = called(main, "evaluate", ROOT / "checkpoints" / name, "--data_dir", corpora)
    assert done.returncode == 0, done.stderr
    shipped = json.loads((ROOT / "checkpoints" / name / "report.json").read_text())
    assert json.loads(done.stdout)["test"]["confusion_matrix"] == shipped["test"]["confusion_matrix"]


@pytest.mark.parametrize("name", ["default", "phonetic-cnn"])
def test_evaluate_repeats_a_corpus_of_the_report(corpora, name):
    done = called(main, "evaluate", ROOT / "checkpoints" / name, "--data_dir", corpora, "--corpora", "savee")
    assert done.returncode == 0, done.stderr
    shipped = json.loads((ROOT / "checkpoints" / name / "report.json").read_text())
    found = json.loads(done.stdout)
    of_savee = shipped["test"]["per_corpus"]["savee"]
    assert (found["test"]["uar"], found["test"]["accuracy"]) == pytest.approx((of_savee["uar"], of_savee["accuracy"]))
    for kind, figures in shipped.get("voice_profiles", {}).items():  # of a network with a speech encoder
        assert found["voice_profiles"]["0"]["uar"] == found["test"]["uar"]
        assert found["voice_profiles"][kind]["per_corpus"]["savee"] == figures["per_corpus"]["savee"]


@pytest.mark.parametrize("words", ["evaluate x --fold 0", "voice-reference --clips_per_speaker 0"])
def test_numbers_that_cannot_be_are_refused(words, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(words.split())
    assert "has to be a whole number from 1, not '0'" in capsys.readouterr().err
