"""Predictions for files, and their CSV."""

import csv
import io
import os
import tempfile
from collections import Counter
from pathlib import Path

import pytest
import soundfile
from conftest import spoken
from demo_helpers import LABELS, RATE, tiny_recognizer
from not_speech import NOT_SPEECH

from ser_model.__main__ import main
from ser_model.inference.files import csv_cells, csv_columns, find_files, predict_file, predict_files

LONG = "x" * 300  # more than a file system takes


@pytest.fixture(scope="module")
def recognizer():
    return tiny_recognizer()


def through_csv(rows):
    """The rows as a program reads them that was given the file."""
    writer = csv.writer(text := io.StringIO())
    writer.writerows([csv_columns(LABELS), *(csv_cells(row, LABELS) for row in rows)])
    return list(csv.DictReader(io.StringIO(text.getvalue().encode("utf-8").decode("utf-8"))))


def test_files_are_found_below_folders_and_taken_as_named(tmp_path):
    for name in ("b.WAV", "deep/er/a.flac", "notes.txt", "._b.WAV"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "empty").mkdir()
    named = [tmp_path, str(tmp_path / "notes.txt"), tmp_path / "empty"]
    found = [tmp_path / "b.WAV", tmp_path / "deep/er/a.flac", *map(Path, named[1:])]
    assert list(find_files(named, passed_over := Counter())) == found == list(find_files(named))
    assert passed_over == {".txt": 1, "hidden": 1}


def test_a_row_holds_the_prediction_or_the_reason(recognizer, clip, tmp_path):
    row = predict_file(recognizer, clip)
    assert row["file"] == str(clip) and row["error"] is None and row["duration"] == 2.0
    assert row["label"] == max(row["probabilities"], key=row["probabilities"].get)
    assert row["speech"]["seconds"] > 1 and row["unsure"] is False and row["remark"] == ""
    (tmp_path / "text.wav").write_text("not audio")
    for path, reason in (
        (tmp_path / "nowhere.wav", "no file"),
        (tmp_path, "no audio file in"),
        (tmp_path / "text.wav", ""),
    ):
        row = predict_file(recognizer, path)
        assert reason in row["error"] and row["file"] == str(path)
        assert row["label"] is row["probabilities"] is row["duration"] is row["speech"] is row["remark"] is None


@pytest.fixture
def unreadable(recognizer):
    """A folder with a recording, neither of which this process may read; what root may read, nobody may not."""
    with tempfile.TemporaryDirectory() as name:
        soundfile.write(Path(name, "clip.wav"), spoken(1.0), RATE)
        os.chmod(name, 0)
        is_root = os.geteuid() == 0
        try:
            if is_root:
                os.seteuid(65534)
            yield Path(name)
        finally:
            if is_root:
                os.seteuid(0)
            os.chmod(name, 0o700)


def test_what_may_not_be_read_is_a_row_with_that_reason(recognizer, unreadable):
    named = [unreadable, unreadable / "clip.wav"]
    rows = list(predict_files(recognizer, find_files(named, passed_over := Counter())))
    assert [row["error"] for row in rows] == [f"{path} cannot be opened: Permission denied." for path in named]
    assert passed_over == {"unreadable": 1}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["voice-quality", LONG], "cannot be opened: File name too long."),
        (["voice-profile", "me.json", LONG], "cannot be opened: File name too long."),
        (["timeline", "--model", LONG, "clip.wav"], "No model could be loaded from"),
        (["push", LONG, "a/b"], "is not a complete checkpoint: config.json is missing."),
        (["voice-reference", "--output", LONG], "cannot be written."),
    ],
)
def test_a_name_that_is_too_long_is_refused_in_one_sentence(words, said, capsys):
    assert main(words) == 1
    told = capsys.readouterr().err
    assert said in told and told.count("\n") == 1


def test_a_name_that_is_too_long_takes_no_other_file_along(recognizer, clip):
    bad, good = predict_files(recognizer, find_files([LONG, clip]))
    assert "cannot be opened: File name too long" in bad["error"] and good["label"]


def test_a_row_of_noise_has_a_remark_and_no_label(recognizer, tmp_path):
    soundfile.write(tmp_path / "noise.wav", NOT_SPEECH["white noise"], RATE)
    row = predict_file(recognizer, tmp_path / "noise.wav")
    assert row["label"] is None and row["error"] is None and "sounds like speech" in row["remark"]
    assert row["speech"] == {"seconds": 0.0, "share": 0.0} and sum(row["probabilities"].values()) > 0.99
    (read,) = through_csv([row])
    assert read["label"] == "" and read["speech"] == "0.0" and read["remark"] == row["remark"]


def test_csv_has_a_column_for_each_label_and_rows_with_errors_too(recognizer, tmp_path):
    soundfile.write(tmp_path / "Grüße 怒り.wav", spoken(1.0), RATE)
    paths = [tmp_path / "Grüße 怒り.wav", tmp_path / os.fsdecode(b"caf\xe9.wav")]
    rows = [predict_file(recognizer, path) for path in paths]
    good, bad = through_csv(rows)
    assert list(good) == ["file", "label", "duration", *LABELS, "speech", "unsure", "remark", "error"]
    assert good["file"] == str(paths[0]) and float(good[good["label"]]) == max(rows[0]["probabilities"].values())
    assert bad["file"].endswith(r"caf\udce9.wav") and bad["label"] == bad["calm"] == "" and bad["error"]


def test_files_that_cannot_be_read_are_told_at_once_where_none_before_them_waits(recognizer, clip, tmp_path):
    asked = []

    def named(paths):
        for path in paths:
            asked.append(path)
            yield path

    nowhere = tmp_path / "nowhere.wav"
    rows = predict_files(recognizer, named([nowhere, nowhere, clip, nowhere, clip, clip]), batch_size=2)
    for count in (1, 2):
        assert next(rows)["error"] and len(asked) == count
    assert [bool(row["error"]) for row in rows] == [False, True, False, False]


def test_a_batch_is_as_large_as_asked_whatever_cannot_be_read_between(recognizer, clip, tmp_path, monkeypatch):
    sizes, predict = [], recognizer.predict_batch

    def counted(waves, *args, **options):
        sizes.append(len(waves))
        return predict(waves, *args, **options)

    monkeypatch.setattr(recognizer, "predict_batch", counted)
    nowhere = tmp_path / "nowhere.wav"
    list(predict_files(recognizer, [clip, nowhere, nowhere, clip, clip], batch_size=2))
    assert sizes == [2, 1]
