"""What all corpora share: the zip as it comes, the cache, clear sentences."""

import os
import zipfile

import pytest
import soundfile
from corpora_fixtures import RAVDESS_ZIP, ravdess_names, write_clip, write_clips

from datasets_scripts import CorpusError, find_corpus, load_corpora


def zip_of(folder, target):
    with zipfile.ZipFile(target, "w") as zipped:
        for path in sorted(folder.rglob("*.wav")):
            zipped.write(path, path.relative_to(folder))
    return target


def test_the_official_zip_is_read_as_it_comes(tmp_path):
    names = ravdess_names(actors=2)
    write_clips(tmp_path / "clips", *names)
    (tmp_path / "data").mkdir()
    zip_of(tmp_path / "clips", tmp_path / "data" / RAVDESS_ZIP)
    for _ in range(2):  # unpacked, then found unpacked
        table = load_corpora(["ravdess"], tmp_path / "data", cache_dir=tmp_path / "cache")
        assert sorted(os.path.basename(path) for path in table["audio"]) == sorted(
            os.path.basename(name) for name in names
        )
    assert os.listdir(tmp_path / "data") == [RAVDESS_ZIP]


def test_a_clip_beside_the_zip_counts_once(tmp_path):
    write_clips(tmp_path / "data", *ravdess_names(actors=1))
    zip_of(tmp_path / "data", tmp_path / "data" / RAVDESS_ZIP)
    scan = find_corpus("ravdess").scan(tmp_path / "data", tmp_path / "cache")
    assert (len(scan.clips), len(scan.copies)) == (8, 8)


def test_a_half_written_zip_gives_a_sentence_and_leaves_nothing(tmp_path):
    write_clips(tmp_path / "clips", *ravdess_names(actors=2))
    (tmp_path / "data").mkdir()
    whole = zip_of(tmp_path / "clips", tmp_path / "whole.zip").read_bytes()
    (tmp_path / "data" / RAVDESS_ZIP).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CorpusError, match=r"damaged or was cut off.*download it again"):
        load_corpora(["ravdess"], tmp_path / "data", cache_dir=tmp_path / "cache")
    assert list((tmp_path / "cache").rglob("*.wav")) == []

    (tmp_path / "data" / RAVDESS_ZIP).write_bytes(whole)
    assert len(load_corpora(["ravdess"], tmp_path / "data", cache_dir=tmp_path / "cache")) == 16


def test_a_zip_damaged_inside_gives_a_sentence_and_leaves_nothing(tmp_path):
    write_clips(tmp_path / "clips", *ravdess_names(actors=2))
    (tmp_path / "data").mkdir()
    content = bytearray(zip_of(tmp_path / "clips", tmp_path / "whole.zip").read_bytes())
    content[len(content) // 2] ^= 0xFF
    (tmp_path / "data" / RAVDESS_ZIP).write_bytes(content)
    with pytest.raises(CorpusError, match="damaged"):
        find_corpus("ravdess").scan(tmp_path / "data", tmp_path / "cache")
    assert list((tmp_path / "cache").rglob("*.wav")) == []


def test_the_cache_notices_added_removed_and_changed_files(tmp_path):
    data, cache = tmp_path / "data", tmp_path / "cache"
    first, second = write_clips(data, "03-01-03-01-01-01-01.wav", "03-01-04-01-01-01-01.wav")

    def table():
        return load_corpora(["ravdess"], data, cache_dir=cache).to_pandas().set_index("audio")

    before = table()
    assert list(before.index) == [str(first), str(second)]
    added = write_clip(data / "03-01-05-01-01-01-01.wav", seed=3)
    assert list(table().index) == [str(first), str(second), str(added)]
    second.unlink()
    assert list(table().index) == [str(first), str(added)]
    write_clip(first, seed=9)  # same length, so that only the time of writing tells
    assert soundfile.info(first).frames == 4800
    assert table().loc[str(first), "content"] != before.loc[str(first), "content"]


def test_the_cache_serves_a_folder_however_it_is_named(tmp_path, monkeypatch):
    write_clips(tmp_path / "data", "03-01-03-01-01-01-01.wav", "03-01-04-01-01-01-01.wav")
    monkeypatch.chdir(tmp_path)
    named = ["data", tmp_path / "data", tmp_path / "data" / ".." / "data"]
    tables = [load_corpora(["ravdess"], folder, cache_dir=tmp_path / "cache") for folder in named]
    assert len({table._fingerprint for table in tables}) == 1  # what features in the cache are found by


def test_a_folder_without_the_corpus_says_what_was_looked_for_and_how_to_get_it(tmp_path):
    write_clips(tmp_path, "something/else.wav")
    with pytest.raises(CorpusError) as caught:
        load_corpora(["ravdess"], tmp_path, cache_dir=tmp_path / "cache")
    sentence = str(caught.value)
    assert "03-01-06-01-02-01-12.wav" in sentence
    assert "python -m datasets_scripts download ravdess" in sentence
    assert str(tmp_path) in sentence


def test_a_missing_folder_gives_a_sentence(tmp_path):
    with pytest.raises(CorpusError, match=r"no folder .*nowhere to look for savee in"):
        load_corpora(["savee"], tmp_path / "nowhere")


def test_hidden_files_and_links_to_a_folder_above_do_no_harm(tmp_path):
    write_clips(
        tmp_path, "a/03-01-03-01-01-01-01.wav", "a/._03-01-04-01-01-01-01.wav", ".trash/03-01-05-01-01-01-01.wav"
    )
    (tmp_path / "a" / "loop").symlink_to(tmp_path, target_is_directory=True)
    scan = find_corpus("ravdess").scan(tmp_path)
    assert [clip.path.name for clip in scan.clips] == ["03-01-03-01-01-01-01.wav"]
    assert scan.copies == []
