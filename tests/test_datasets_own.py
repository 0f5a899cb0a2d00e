"""Anyone's own recordings: layouts of folders, tables by name, and what is too little in them."""

from __future__ import annotations

import pytest
from corpora_fixtures import write_clips
from datasets import ClassLabel, Dataset, Features, Value

from datasets_scripts import CorpusError, load_corpora
from datasets_scripts.__main__ import main
from datasets_scripts.folder import shortcomings


def load(folder, **more):
    table = load_corpora(["folder"], folder, cache_dir=folder / ".cache", **more)
    names = table.features["emotion"].names
    return [(names[row["emotion"]], row["speaker"]) for row in table]


@pytest.mark.parametrize(
    ("paths", "more"),
    [
        (("s1/Happy/1.wav", "s1/sad/1.wav", "s2/Happy/1.wav"), {}),
        (("Happy/s1/1.wav", "sad/s1/1.wav", "Happy/s2/1.wav"), {}),
        (("s1/joy/1.wav", "s1/grief/1.wav", "s2/joy/1.wav"), {}),  # one known word is enough
        (("s1/awake/1.wav", "s1/Tired/1.wav", "s2/awake/1.wav"), {"labels": ["awake", "Tired"]}),
        (("awake/s1/1.wav", "Tired/s1/1.wav", "awake/s2/1.wav"), {"labels": ["awake", "Tired"]}),
    ],
)
def test_two_levels_of_folders_are_labels_and_speakers(tmp_path, paths, more):
    write_clips(tmp_path, *paths)
    first, second = sorted(
        {label for label, _ in load(tmp_path, **more)}, key=lambda label: label in ("sad", "Tired", "grief")
    )
    assert sorted(load(tmp_path, **more)) == sorted([(first, "folder_s1"), (second, "folder_s1"), (first, "folder_s2")])


def test_levels_that_nobody_can_tell_apart_are_asked_about(tmp_path, capsys):
    write_clips(tmp_path, "s1/awake/1.wav", "s1/tired/1.wav", "s2/awake/1.wav")
    with pytest.raises(
        CorpusError, match=r"two deep \(s1/awake\), and it is not clear .* --labels s1,s2,... or --labels awake,"
    ):
        load(tmp_path)
    assert main(["list", "--data_dir", str(tmp_path)]) == 0
    assert "folder: The folders below" in capsys.readouterr().out


def test_recordings_outside_of_labels_are_counted(tmp_path, caplog):
    write_clips(tmp_path, "happy/s1/1.wav", "sad/2.wav", "loose.wav", "happy/s1/session/take/3.wav")
    assert sorted(load(tmp_path), key=str) == [("happy", "folder_s1"), ("sad", None)]
    assert "2 recordings below" in caplog.text and "lie in no folder of a label" in caplog.text


def test_a_table_is_named_wherever_it_lies(tmp_path):
    data, elsewhere = tmp_path / "data", tmp_path / "tables" / "any.tsv"
    write_clips(data, "a/1.wav", "b/2.wav")
    elsewhere.parent.mkdir()
    elsewhere.write_text("File\tEmotion\tspeaker_id\tGender\na/1.wav\ttired\tx\tf\n2\tawake\ty\tm\n")
    assert load(data, csv=elsewhere) == [("tired", "folder_x"), ("awake", "folder_y")]
    with pytest.raises(CorpusError, match=r"There is no table .*none.csv"):
        load(data, csv=tmp_path / "none.csv")


@pytest.mark.parametrize("given", [True, False])
def test_a_parquet_table_alone_or_named(tmp_path, given):
    data = tmp_path / "data"
    write_clips(data, "wav/1.wav", "wav/2.wav", "wav/3.wav")
    features = Features({"path": Value("string"), "label": ClassLabel(names=["no", "yes"]), "speaker": Value("int64")})
    rows = {"path": ["wav/1.wav", "wav/2.wav", "wav/3.wav"], "label": [1, 0, -1], "speaker": [7, 8, 9]}
    table = (tmp_path if given else data) / "rows.parquet"
    Dataset.from_dict(rows, features=features).to_parquet(table)
    assert load(data, csv=table if given else None) == [("yes", "folder_7"), ("no", "folder_8")]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({"path": [{"bytes": b"x", "path": "1.wav"}], "label": ["no"]}, "holds recordings in itself"),
        ({"name": ["1.wav"], "label": ["no"]}, "needs the columns path and label; it has name, label"),
        (None, "cannot be read as Parquet"),
    ],
)
def test_a_parquet_table_that_cannot_be_used(tmp_path, content, sentence):
    write_clips(tmp_path, "1.wav")
    if content:
        Dataset.from_dict(content).to_parquet(tmp_path / "rows.parquet")
    else:
        (tmp_path / "rows.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(CorpusError, match=sentence):
        load(tmp_path)


def test_clips_of_other_labels_are_left_out_where_that_is_asked_for(tmp_path, caplog):
    write_clips(tmp_path, "no/1.wav", "yes/2.wav", "maybe/3.wav")
    assert load(tmp_path, labels=["yes", "no"], drop_other_labels=True) == [("no", None), ("yes", None)]
    assert "Clips of maybe are left out: none of the labels yes, no." in caplog.text
    with pytest.raises(CorpusError, match="has the label maybe, which is none of yes, no"):
        load(tmp_path, labels=["yes", "no"])


@pytest.mark.parametrize(
    ("rows", "sentences"),
    [
        ([("no", "a")] * 20, ["There is one label only (no)", "There is one speaker only (a): record a second one"]),
        ([("no", None)] * 20 + [("yes", None)] * 20, ["Nobody says who speaks: name speakers by folders"]),
        (
            [("no", "a"), ("no", "b"), ("no", None)] * 10 + [("yes", "a"), ("yes", "b")] * 10,
            ["10 clips do not say who"],
        ),
        ([("no", "a"), ("no", "b")] * 10 + [("yes", "a")], ["yes has 1 clip: record 20 or more"]),
        ([("no", "a"), ("no", "b")] * 10 + [("yes", "a")] * 20, ["yes has one speaker only: where that one is tested"]),
        ([("no", "a"), ("no", "b"), ("yes", "a"), ("yes", "b")] * 10, []),
    ],
)
def test_what_is_too_little_is_said(rows, sentences):
    said = shortcomings(rows)
    assert len(said) == len(sentences) and all(map(str.startswith, said, sentences)), said


def test_whoever_names_other_corpora_is_told_of_the_folder(tmp_path):
    write_clips(tmp_path, "happy/1.wav", "sad/2.wav")
    with pytest.raises(CorpusError, match=r"No ravdess clip lies below .* of your own, .*: --corpora folder"):
        load_corpora(["ravdess"], tmp_path, cache_dir=tmp_path / ".cache")


def test_list_and_audit_know_own_recordings(tmp_path, capsys):
    write_clips(tmp_path, "s1/happy/1.wav", "s1/sad/1.wav", "s2/happy/1.wav")
    assert main(["list", "--data_dir", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "folder: 3 clips\n  labels: happy 2, sad 1\n  speakers: 2 named\n  happy has 2 clips: record 20" in out
    assert main(["audit", "--data_dir", str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith("folder: 3 clips of 2 speakers")
    write_clips(tmp_path, "OAF_angry/OAF_back_angry.wav")
    assert main(["list", "--data_dir", str(tmp_path)]) == 0
    assert f"folder: not there. Recordings of your own go into {tmp_path / 'folder'}." in capsys.readouterr().out
