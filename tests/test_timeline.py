"""Emotion over time: windows, segments, what is written of them, and the command."""

import csv
import io
import itertools
import json
import os
import subprocess
import sys

import numpy as np
import parselmouth
import pytest
import soundfile
from conftest import ROOT
from demo_helpers import LABELS, RATE, phrases, recording, results, tiny_recognizer
from parselmouth.praat import call

from ser_model import EmotionRecognizer, load_audio
from ser_model.__main__ import main
from ser_model.inference import timeline as module
from ser_model.inference.timeline import Window, assemble, plan_windows, predict_timeline, predict_windows
from ser_model.inference.timeline_formats import FORMATS, as_data, to_csv, to_json, to_textgrid


@pytest.fixture(scope="module")
def predicted():
    return predict_timeline(tiny_recognizer(), phrases(1.0, 7.0, 4.0))


def test_windows_lie_on_speech_and_speak_for_all_of_it():
    wave = phrases(1.0, 7.0, 4.0)
    windows = plan_windows(wave, RATE)
    assert windows[0].end < windows[1].start  # a pause between phrases
    assert windows[0].start == pytest.approx(0.9, abs=0.15) and windows[-1].end == pytest.approx(15.1, abs=0.25)
    for one, other in itertools.pairwise(windows):
        assert one.end <= other.start
        if one.end == other.start:  # of one phrase: at least half of each lies in two windows
            assert other.input_start - one.input_start <= module.WINDOW_SECONDS / 2 + 1e-6
    for window in windows:
        assert 0 <= window.input_start <= window.start and window.end <= window.input_end <= len(wave) / RATE


def test_the_window_over_a_short_word_takes_in_what_is_around_it():
    (window,) = plan_windows(phrases(0.3), RATE)
    assert window.input_end - window.input_start == pytest.approx(module.MIN_WINDOW_SECONDS)
    assert window.input_start < window.start < window.end < window.input_end


def test_windows_in_batches_are_windows_alone(monkeypatch):
    recognizer, wave = tiny_recognizer(), phrases(1.0, 9.0)
    windows = plan_windows(wave, RATE)
    together = [result for part in predict_windows(recognizer, wave, windows) for result in part]
    monkeypatch.setattr(module, "WINDOWS_AT_ONCE", 1)
    parts = list(predict_windows(recognizer, wave, windows))
    assert len(parts) == len(windows)
    for window, one, (alone,) in zip(windows, together, parts, strict=True):
        assert one.probabilities == pytest.approx(alone.probabilities, abs=1e-5)
        clip = wave[round(window.input_start * RATE) : round(window.input_end * RATE)]
        assert one.probabilities == pytest.approx(recognizer(clip, RATE).probabilities, abs=1e-3)


def test_neighbours_of_one_emotion_are_joined_and_pauses_part_them():
    windows = [Window(0, 2, 0, 3), Window(2, 3, 1, 4), Window(3, 5, 2, 5), Window(6, 7, 6, 7)]
    rows = results(LABELS, [0.8, 0.1, 0.1], [0.5, 0.4, 0.1], [0.1, 0.2, 0.7], [0.1, 0.35, 0.55])
    segments = assemble(8.0, LABELS, windows, [rows[:2], rows[2:]], unsure_below=0.6).segments
    assert [(part.start, part.end, part.emotion) for part in segments] == [
        (0, 3, "calm"),
        (3, 5, "angry"),
        (6, 7, "angry"),
    ]
    assert segments[0].probability == pytest.approx((2 * 0.8 + 0.5) / 3)
    assert [part.unsure for part in segments] == [False, False, True]


def test_silence_gives_an_empty_timeline():
    quiet = predict_timeline(tiny_recognizer(), np.zeros(3 * RATE, dtype=np.float32))
    assert quiet.segments == [] and quiet.probabilities.shape == (0, 3)
    assert to_csv(quiet).splitlines() == ["start,end,emotion,probability,unsure"]
    assert "intervals: size = 1" in to_textgrid(quiet)


def test_csv_and_json_hold_the_segments(predicted):
    rows = list(csv.DictReader(io.StringIO(to_csv(predicted))))
    data = json.loads(to_json(predicted))
    assert len(rows) == len(data["segments"]) == len(predicted.segments) > 1
    for row, entry, segment in zip(rows, data["segments"], predicted.segments, strict=True):
        assert float(row["start"]) == pytest.approx(segment.start, abs=1e-3) == pytest.approx(entry["start"], abs=1e-3)
        assert row["emotion"] == segment.emotion == entry["emotion"]
        assert float(row["probability"]) == pytest.approx(entry["probability"], abs=1e-3)
    assert data["labels"] == LABELS and len(data["windows"]) == len(predicted.windows)
    assert all(sum(window["probabilities"].values()) == pytest.approx(1, abs=1e-3) for window in data["windows"])
    assert as_data(predicted) == data


def test_praat_reads_the_textgrid_back(predicted, tmp_path):
    path = tmp_path / "talk.TextGrid"
    path.write_text(to_textgrid(predicted), encoding="utf-8")
    grid = parselmouth.read(str(path))
    assert call(grid, "Get number of tiers") == 2 and call(grid, "Get tier name", 1) == "emotion"
    assert call(grid, "Get end time") == pytest.approx(predicted.duration, abs=1e-3)
    count = call(grid, "Get number of intervals", 1)
    read = [
        tuple(call(grid, question, 1, number) for question in ("Get start time of interval", "Get end time of interval",
                                                               "Get label of interval"))
        for number in range(1, count + 1)
    ]  # fmt: skip
    spoken = [interval for interval in read if interval[2]]
    assert [label for _, _, label in spoken] == [segment.emotion for segment in predicted.segments]
    for (start, end, _), segment in zip(spoken, predicted.segments, strict=True):
        assert (start, end) == pytest.approx((segment.start, segment.end), abs=1e-3)
    assert len(read) > len(spoken)  # silence has intervals of its own


@pytest.mark.parametrize("label", ['say "no"', "überrascht", "怒り", r"back\slash"])
def test_any_label_survives_praat(label, tmp_path):
    odd = assemble(2.0, [label, "x"], [Window(0, 2, 0, 2)], [results([label, "x"], [0.9, 0.1])])
    path = tmp_path / "odd.TextGrid"
    path.write_text(to_textgrid(odd), encoding="utf-8")
    assert call(parselmouth.read(str(path)), "Get label of interval", 1, 1) == label


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    recognizer = tiny_recognizer()
    for part in (recognizer.model, recognizer.feature_extractor):
        part.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("name", FORMATS)
def test_the_command_prints_each_format(model, tmp_path, capsys, name):
    file = recording(tmp_path / "talk.wav", 1.0, 4.0)
    expected = predict_timeline(EmotionRecognizer.from_pretrained(model), load_audio(file, RATE))
    capsys.readouterr()
    assert main(["timeline", str(file), "--model", str(model), "--format", name]) == 0
    assert capsys.readouterr().out == FORMATS[name](expected)


def test_the_command_as_it_is_typed(model, tmp_path):
    soundfile.write(tmp_path / "hiss.wav", 0.1 * np.random.default_rng(0).standard_normal(3 * RATE), RATE)
    done = subprocess.run(
        [sys.executable, "-m", "ser_model", "timeline", tmp_path / "hiss.wav", "--model", model],
        capture_output=True, text=True, cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0 and done.stdout == "start,end,emotion,probability,unsure\n"
    assert "no speech was found" in done.stderr


def test_the_command_says_what_is_wrong(model, tmp_path, capsys):
    assert main(["timeline", str(tmp_path / "nowhere.wav"), "--model", str(model)]) == 1
    assert capsys.readouterr().err.startswith("timeline: There is no file")
    assert main(["timeline", str(tmp_path / "nowhere.wav"), "--model", str(tmp_path / "nowhere")]) == 1
    assert "No model could be loaded" in capsys.readouterr().err
