"""Parquet with the audio inside, whole or not at all."""

import subprocess
import sys

import pytest
from corpora_fixtures import REPOSITORY, write_clips

from datasets_scripts import CorpusError, load_corpora, shards
from datasets_scripts.__main__ import main
from datasets_scripts.prepare import prepare

OPEN = """
import sys
from datasets import load_dataset
table = load_dataset(sys.argv[1], cache_dir=sys.argv[2])["train"]
first = table[0]
print(len(table), table.features["emotion"].int2str(first["emotion"]), first["audio"]["path"], first["statement"])
open(sys.argv[3], "wb").write(first["audio"]["bytes"])
"""


def test_load_dataset_opens_it_on_its_own_without_the_recordings(tmp_path):
    first, *_ = write_clips(tmp_path / "data", "1001_DFA_ANG_XX.wav", "OAF_back_ps.wav", "1040_ITH_SAD_X.wav")
    given = first.read_bytes()
    out = tmp_path / "out"
    assert prepare(["crema_d", "tess"], tmp_path / "data", out, tmp_path / "cache") == 2
    (tmp_path / "data").rename(tmp_path / "gone")

    held = tmp_path / "held.wav"
    command = [sys.executable, "-c", OPEN, str(out), str(tmp_path / "opened"), str(held)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.strip() == "2 angry 1001_DFA_ANG_XX.wav Don't forget a jacket", done.stderr
    assert held.read_bytes() == given

    card = (out / "README.md").read_text()
    assert "odbl" in card and "cc-by-nc-nd-4.0" in card
    assert "1040_ITH_SAD_X.wav: its name has X" in card
    assert str(tmp_path) not in card


def test_large_corpora_are_written_in_several_files(tmp_path, monkeypatch):
    write_clips(tmp_path / "data", *(f"OAF_{word}_sad.wav" for word in ("back", "bar", "base", "bath", "bean")))
    monkeypatch.setattr("datasets_scripts.prepare.SHARD_BYTES", 20_000)
    assert prepare(["tess"], tmp_path / "data", tmp_path / "out", tmp_path / "cache") == 5
    assert [path.name for path in sorted((tmp_path / "out" / "data").iterdir())] == [
        f"train-0000{index}-of-00003.parquet" for index in range(3)
    ]
    assert len(load_corpora(["tess"], tmp_path / "out")) == 5
    second = tmp_path / "out" / "data" / "train-00001-of-00003.parquet"
    content = second.read_bytes()
    second.write_bytes(content[:-100])
    with pytest.raises(CorpusError, match=f"{second} is damaged or was cut off: "):
        load_corpora(["tess"], tmp_path / "out")
    second.rename(second.with_name("train-00003-of-00004.parquet")).write_bytes(content)
    with pytest.raises(CorpusError, match=f"is not whole: {second.name} is missing"):
        load_corpora(["tess"], tmp_path / "out")


def test_files_larger_than_a_shard_are_read_one_by_one_and_few_are_kept(tmp_path, monkeypatch):
    clips = write_clips(tmp_path / "data", *(f"OAF_{word}_sad.wav" for word in ("back", "bar", "base", "bath")))
    size = clips[0].stat().st_size
    monkeypatch.setattr("datasets_scripts.prepare.SHARD_BYTES", 2 * size // 3)
    monkeypatch.setattr("datasets_scripts.prepare.GROUP_BYTES", size // 2)
    assert prepare(["tess"], tmp_path / "data", tmp_path / "out", tmp_path / "cache") == 4
    monkeypatch.setattr(shards, "BYTES_KEPT", int(2.5 * size))
    for audio in [*load_corpora(["tess"], tmp_path / "out")["audio"]] * 2:
        assert len(shards.recording(audio)) == size
        assert sum(part.nbytes for part in shards._kept.values()) <= 2.5 * size


def test_what_is_there_is_never_written_over(tmp_path, capsys):
    write_clips(tmp_path / "data", "OAF_back_sad.wav")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("keep")
    arguments = ["prepare", "--data_dir", str(tmp_path / "data"), "--corpora", "tess"]
    assert main([*arguments, "--output_dir", str(tmp_path / "out")]) == 1
    assert "is there already and not empty" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_a_failure_in_the_middle_leaves_nothing(tmp_path, monkeypatch):
    write_clips(tmp_path / "data", "OAF_back_sad.wav")

    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("datasets_scripts.prepare._card", full_disk)
    with pytest.raises(CorpusError, match=r"cannot be written: .*No space left"):
        prepare(["tess"], tmp_path / "data", tmp_path / "out", tmp_path / "cache")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", "data"]


def test_the_command_is_described():
    command = [sys.executable, "-m", "datasets_scripts", "prepare", "--help"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0
    assert "--output_dir" in done.stdout
