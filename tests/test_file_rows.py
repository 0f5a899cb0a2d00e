"""`predict` and `voice-quality` over many files: row by row, killed and gone on with, in little memory."""

import csv
import io
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import parselmouth
import pytest
import soundfile
from conftest import ROOT, called, spoken, voiced_tone
from demo_helpers import RATE, tiny_recognizer
from forked import started
from parselmouth.praat import call

from ser_model import voice_quality
from ser_model.__main__ import main
from ser_model.audio import load_audio
from ser_model.cli.csv_rows import OutputError, csv_rows
from ser_model.inference.files import find_files, predict_files
from ser_model.inference.recognizer import ModelError

FILES = 80


@pytest.fixture(scope="module")
def recognizer():
    return tiny_recognizer()


@pytest.fixture(scope="module")
def checkpoint(recognizer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "tiny"
    recognizer.model.save_pretrained(folder)
    recognizer.feature_extractor.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Many files of few recordings, one of them bad."""
    folder = tmp_path_factory.mktemp("many")
    for number in range(4):
        soundfile.write(folder / f"{number:03d}.wav", spoken(0.8 + 0.4 * number, RATE, number), RATE)
    for number in range(4, FILES):
        os.link(folder / f"{number % 4:03d}.wav", folder / f"{number:03d}.wav")
    (folder / "050.wav").unlink()
    (folder / "050.wav").write_text("not audio")
    return folder


def test_a_full_disk_is_told_in_one_sentence(clips, capsys):
    with pytest.MonkeyPatch.context() as patch, open("/dev/full", "w") as full:
        patch.setattr(sys, "stdout", full)
        assert main(["voice-quality", str(clips / "000.wav")]) == 1
    assert capsys.readouterr().err == "voice-quality: the output could not be written: No space left on device.\n"


def test_a_killed_command_goes_on_with_whole_rows_and_none_twice(checkpoint, clips, tmp_path, recognizer, capsys):
    out = tmp_path / "out.csv"
    words = [*map(str, ["predict", clips, "--model", checkpoint, "--output", out, "--batch-size", 3])]
    process, _ = started("ser_model", *words, env=os.environ | {"OMP_NUM_THREADS": "1"})
    while process.is_alive() and not (out.exists() and out.read_bytes().count(b"\n") > 5):
        time.sleep(0.01)
    process.kill()
    process.join()
    left = out.read_bytes()
    assert 5 < left.count(b"\n") < FILES
    out.write_bytes(left + b"/half/a/row.wav,ang")  # as where the process was killed while it wrote
    done = called(main, *words)
    assert done.returncode == 1, done.stderr  # one file is bad, whether it came before the kill or after
    assert out.read_bytes().startswith(left)
    rows = list(csv.DictReader(io.StringIO(out.read_text())))
    expected = list(predict_files(recognizer, find_files([clips])))
    assert [row["file"] for row in rows] == [row["file"] for row in expected]
    for row, whole in zip(rows, expected, strict=True):
        assert (row["label"] or None, row["error"] or None) == (whole["label"], whole["error"])
        for label, share in (whole["probabilities"] or {}).items():
            assert float(row[label]) == pytest.approx(share, abs=2e-6)
    before = out.read_bytes()
    assert main(["predict", str(clips), "--model", str(checkpoint), "--output", str(out)]) == 1
    assert f"1 of the files in {out} had an error before: delete their rows to try again." in capsys.readouterr().err
    assert out.read_bytes() == before  # nothing was left to do


def test_files_are_taken_as_they_are_needed(recognizer, clips):
    taken = []
    paths = (taken.append(path) or path for path in find_files([clips]))
    rows = predict_files(recognizer, paths, batch_size=5)
    for _ in range(3):
        next(rows)
    assert len(taken) == 6  # a batch, and the file that did not belong to it


def test_long_files_make_small_batches(recognizer, tmp_path, monkeypatch):
    for number, seconds in enumerate((1.0, 1.0, 6.0, 6.0, 1.0)):
        soundfile.write(tmp_path / f"{number}.wav", spoken(seconds, RATE, number), RATE)
    monkeypatch.setattr("ser_model.inference.files.BATCH_SECONDS", 12.5)
    sizes, given = [], recognizer.predict_batch

    def counted(waves, *args, **kwargs):
        sizes.append(len(waves))
        return given(waves, *args, **kwargs)

    monkeypatch.setattr(recognizer, "predict_batch", counted)
    rows = predict_files(recognizer, find_files([tmp_path]), batch_size=9)
    assert [row["duration"] for row in rows] == [1, 1, 6, 6, 1]
    assert sizes == [2, 2, 1]


def test_batches_do_not_change_predictions(recognizer, clips):
    one, many = (list(predict_files(recognizer, [*find_files([clips])][:9], batch_size=size)) for size in (1, 64))
    for alone, together in zip(one, many, strict=True):
        assert alone["label"] == together["label"]
        assert list(alone["probabilities"].values()) == pytest.approx(
            list(together["probabilities"].values()), abs=2e-6
        )


def test_a_device_that_is_not_here_is_one_sentence(recognizer):
    assert recognizer.to("cpu") is recognizer
    for name in ("toaster", "meta", "cuda:99"):
        with pytest.raises(ModelError, match=rf"^The device {name} cannot be used here; known are cpu"):
            recognizer.to(name)


def test_rows_of_something_else_are_not_added_to(tmp_path):
    columns, made_by, path = ["file", "label"], {"command": "predict", "model": "a 1"}, tmp_path / "out.csv"
    with csv_rows(path, columns, made_by) as out:
        out.write(["a.wav", "calm"])
        with pytest.raises(OutputError, match="Another process is writing"), csv_rows(path, columns, made_by):
            pass
    content = path.read_bytes()
    for other, sentence in (
        ({"command": "predict", "model": "b 2"}, "was made with another model: choose"),
        ({"command": "voice-quality"}, "was made with another command and model: choose"),
    ):
        with pytest.raises(OutputError, match=sentence), csv_rows(path, columns, other):
            pass
    with pytest.raises(OutputError, match="has other columns"), csv_rows(path, ["file", "sad"], made_by):
        pass
    assert path.read_bytes() == content
    foreign = tmp_path / "precious.txt"
    foreign.write_text("no line end")
    with pytest.raises(OutputError, match="was not written by this command"), csv_rows(foreign, columns, made_by):
        pass
    assert foreign.read_text() == "no line end"
    with pytest.raises(OutputError, match="cannot be written"), csv_rows(foreign / "x.csv", columns, made_by):
        pass
    with csv_rows(path, columns, made_by) as out:
        assert out.done == {"a.wav"}


def test_only_csv_goes_to_a_file(tmp_path, capsys):
    for command in ("predict", "voice-quality"):
        assert main([command, str(tmp_path), "--format", "json", "--output", str(tmp_path / "out.csv")]) == 1
        assert "--output writes CSV, not json." in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_voice_quality_has_units_and_passes_over_bad_files(tmp_path, capsys):
    soundfile.write(tmp_path / "voiced.wav", voiced_tone(1.0), 16_000)
    soundfile.write(tmp_path / "noise.wav", 0.1 * np.random.default_rng(0).standard_normal(16_000), 16_000)
    (tmp_path / "bad.wav").write_text("not audio")
    assert main(["voice-quality", str(tmp_path)]) == 1
    said = capsys.readouterr()
    bad, noise, voiced = csv.DictReader(io.StringIO(said.out))
    assert "bad.wav: " in said.err and bad["error"] and bad["hnr_db"] == ""
    assert noise["jitter_local_percent"] == "" and noise["error"] == ""
    measured = voice_quality(soundfile.read(tmp_path / "voiced.wav")[0], 16_000)
    assert float(voiced["jitter_local_percent"]) == pytest.approx(100 * measured["jitter_local"], rel=0.01)
    assert float(voiced["f0_mean_hz"]) == pytest.approx(measured["f0_mean"], rel=1e-3)
    assert float(voiced["duration_s"]) == 1.0 and 0 <= float(voiced["speaking_part_percent"]) <= 100
    assert main(["voice-quality", str(tmp_path / "voiced.wav"), "--format", "json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["hnr_db"] == float(voiced["hnr_db"]) and list(row) == list(voiced)
    assert main(["voice-quality", str(tmp_path), "--output", str(tmp_path / "out.csv")]) == 1
    assert list(csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text()))) == [bad, noise, voiced]
    assert not list(tmp_path.glob(".*"))


def test_jitter_and_shimmer_are_those_of_praats_voice_report(capsys):
    path = ROOT / "tests" / "voices" / "even.flac"
    sound = parselmouth.Sound(load_audio(path, 16_000).astype(float), 16_000)
    pitch = sound.to_pitch_ac(pitch_floor=75, pitch_ceiling=600)
    pulses = call([sound, pitch], "To PointProcess (cc)")
    report = call([sound, pitch, pulses], "Voice report", 0, 0, 75, 600, 1.3, 1.6, 0.03, 0.45)
    theirs = dict(re.findall(r"^ *((?:Jitter|Shimmer) \(\w+\)|Mean pitch): ([\d.]+)(?:%| Hz)$", report, re.MULTILINE))
    assert main(["voice-quality", str(path)]) == 0
    (ours,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    for name in ("jitter_local", "jitter_rap", "jitter_ppq5", "shimmer_local", "shimmer_apq3", "shimmer_apq5"):
        title = f"{name.split('_')[0].title()} ({name.split('_')[1]})"
        assert float(ours[f"{name}_percent"]) == pytest.approx(float(theirs[title]), abs=0.001)
    assert float(ours["f0_mean_hz"]) == pytest.approx(float(theirs["Mean pitch"]), abs=0.001)


def test_a_reader_that_has_enough_is_no_error(clips):
    words = f"{sys.executable} -m ser_model voice-quality {Path(clips, '001.wav')} {clips} | head -1"
    done = subprocess.run(words, shell=True, capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.startswith("file,duration_s,") and "Traceback" not in done.stderr
