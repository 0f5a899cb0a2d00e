"""Tables of labels as spreadsheets and people write them."""

import pytest
from corpora_fixtures import write_clips

from datasets_scripts import CorpusError, load_corpora
from datasets_scripts.splits import make_split

LINES = ["path,label,speaker", "wav/1.wav,müde,Ann", "wav/2.wav,froh,Bob"]


def load(folder):
    table = load_corpora(["folder"], folder, cache_dir=folder / ".cache")
    names = table.features["emotion"].names
    return {row["audio"].rsplit("/", 1)[1]: names[row["emotion"]] for row in table}


@pytest.fixture
def folder(tmp_path):
    write_clips(tmp_path, "wav/1.wav", "wav/2.wav")
    return tmp_path


def write(path, lines, encoding="utf-8", newline="\n"):
    path.write_bytes((newline.join(lines) + newline).encode(encoding))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_encodings_and_delimiters(folder, encoding, delimiter):
    write(folder / "labels.csv", [line.replace(",", delimiter) for line in LINES], encoding, "\r\n")
    assert load(folder) == {"1.wav": "müde", "2.wav": "froh"}


@pytest.mark.parametrize("name", ["train.csv", "train.tsv", "Labels.CSV"])
def test_a_table_of_another_name_beside_the_recordings_is_taken_and_said(folder, caplog, name):
    write(folder / name, LINES)
    assert load(folder) == {"1.wav": "müde", "2.wav": "froh"}
    assert f"The labels are those of {folder / name}" in caplog.text


def test_several_tables_of_other_names_are_named(folder):
    write(folder / "train.csv", LINES)
    write(folder / "test.csv", LINES)
    with pytest.raises(CorpusError, match=r"several tables \(test.csv, train.csv\): call the one .* labels.csv"):
        load(folder)


def test_a_table_without_the_columns_is_not_passed_over(folder):
    write(folder / "train.csv", ["id,mood", "1,x"])
    with pytest.raises(CorpusError, match="needs the columns path and label; it has id, mood"):
        load(folder)


def test_folders_win_over_a_table_of_another_name_and_it_is_said(tmp_path, caplog):
    write_clips(tmp_path, "no/1.wav", "yes/2.wav")
    write(tmp_path / "predictions.csv", ["file,label", "no/1.wav,other"])
    assert load(tmp_path) == {"1.wav": "no", "2.wav": "yes"}
    assert "predictions.csv is not used" in caplog.text


@pytest.mark.parametrize(
    "names",
    [
        ("wav\\1.wav", ".\\wav\\2.wav"),
        ("C:\\data\\wav\\1.wav", "D:\\Other Data\\2.wav"),
        ("/home/ann/wav/1.wav", "./wav/2.wav"),
        ("wav/1", "2"),
        ("1.wav", "2.WAV"),
        ("Wav/1.WAV", " wav/2.wav "),
    ],
)
def test_paths_of_other_machines_and_names_without_folder_or_ending(folder, names):
    write(folder / "labels.csv", ["filename,emotion", f"{names[0]},no", "", f"{names[1]},yes"])
    assert load(folder) == {"1.wav": "no", "2.wav": "yes"}


@pytest.mark.parametrize("other", ["gone/1.wav,sad,Cid", "/home/ann/gone/1.wav,sad,Cid"])
def test_a_file_that_is_missing_is_no_other_of_its_name(folder, other, caplog):
    write(folder / "labels.csv", [LINES[0], other, *LINES[1:]])
    table = load_corpora(["folder"], folder, cache_dir=folder / ".cache")
    assert table["speaker"][:] == ["folder_Ann", "folder_Bob"]
    assert "gone/1.wav left out: labels.csv names it, but it is not there" in caplog.text


def test_a_name_that_may_be_two_files_is_named_with_its_line(folder):
    write_clips(folder, "more/2.flac")
    write(folder / "labels.csv", ["path,label", "1,no", "2,yes"])
    with pytest.raises(CorpusError, match=r"Line 3 of .*labels.csv names 2, which may be more/2.flac or wav/2.wav"):
        load(folder)


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (["path,label", "wav/1.wav,tired, and sad", "wav/2.wav,no"], "Line 2 of .* has 3 cells where the header has 2"),
        (["path,label", "a.wav,no", "b.wav,yes"], "No line of .* can be used; the first: .*a.wav.*it is not there"),
        (["path,label", ",no", ",yes"], "No line of .* can be used; the first: .*line 2 names no file"),
        ([], "needs the columns path and label; it has none"),
    ],
)
def test_the_first_offending_line_is_named(folder, lines, sentence):
    write(folder / "labels.csv", lines)
    with pytest.raises(CorpusError, match=sentence):
        load(folder)


def test_text_in_no_encoding_is_named_with_its_line(folder):
    (folder / "labels.csv").write_bytes(b"path,label\nwav/1.wav,no\nwav/2.wav,\x81\x8d\n")
    with pytest.raises(CorpusError, match=r"Line 3 of .* is neither UTF-8 nor UTF-16 nor cp1252"):
        load(folder)


def test_one_label_alone_is_refused_before_any_split(folder):
    table = load_corpora(["folder"], folder, cache_dir=folder / ".cache")
    with pytest.raises(CorpusError, match=r"one label only \(wav\); two or more are needed: .* labels.csv"):
        make_split(table, "random")
