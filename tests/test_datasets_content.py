"""Clips that would spoil training or testing go, and are named."""

import shutil
import subprocess

import numpy as np
import pytest
import soundfile
from corpora_fixtures import write_clip, write_clips

from datasets_scripts import CorpusError, load_with_left_out


def loaded(tmp_path, corpora=("crema_d",), data=None):
    table, left_out = load_with_left_out(list(corpora), data or tmp_path / "data", cache_dir=tmp_path / "cache")
    names = sorted(path.rsplit("/", 1)[1] for path in table["audio"])
    return names, {entry["file"].rsplit("/", 1)[1]: entry["reason"] for entry in left_out}


def test_identical_recordings_keep_one_copy_where_labels_agree_and_none_where_they_differ(tmp_path):
    data = tmp_path / "data"
    first = write_clip(data / "1001_DFA_ANG_XX.wav", seed=1)
    samples, rate = soundfile.read(first)
    soundfile.write(data / "1001_IEO_ANG_XX.flac", samples, rate, subtype="PCM_16")  # the same by content
    other = write_clip(data / "1001_DFA_HAP_XX.wav", seed=2)
    shutil.copy(other, data / "1001_DFA_NEU_XX.wav")
    write_clip(data / "1001_DFA_SAD_XX.wav", seed=3)
    names, left_out = loaded(tmp_path)
    assert names == ["1001_DFA_ANG_XX.wav", "1001_DFA_SAD_XX.wav"]
    assert left_out == {
        "1001_IEO_ANG_XX.flac": "identical to 1001_DFA_ANG_XX.wav",
        "1001_DFA_HAP_XX.wav": "identical to 1001_DFA_NEU_XX.wav, which has another label",
        "1001_DFA_NEU_XX.wav": "identical to 1001_DFA_HAP_XX.wav, which has another label",
    }


def test_three_copies_with_one_other_label_all_go(tmp_path):
    data = tmp_path / "data"
    write_clips(data, "1001_DFA_ANG_XX.wav", "1001_DFA_SAD_XX.wav")
    for name in ("1001_IEO_ANG_XX.wav", "1001_DFA_FEA_XX.wav"):
        shutil.copy(data / "1001_DFA_ANG_XX.wav", data / name)
    names, left_out = loaded(tmp_path)
    assert names == ["1001_DFA_SAD_XX.wav"]
    assert len(left_out) == 3


def test_identical_recordings_are_found_across_corpora(tmp_path):
    data = tmp_path / "data"
    write_clips(data, "1001_DFA_ANG_XX.wav", "1001_DFA_SAD_XX.wav", "OAF_back_sad.wav")
    shutil.copy(data / "1001_DFA_ANG_XX.wav", data / "OAF_back_angry.wav")
    shutil.copy(data / "1001_DFA_SAD_XX.wav", data / "OAF_back_fear.wav")
    names, left_out = loaded(tmp_path, ("crema_d", "tess"))
    assert names == ["1001_DFA_ANG_XX.wav", "OAF_back_sad.wav"]
    assert sorted(left_out) == ["1001_DFA_SAD_XX.wav", "OAF_back_angry.wav", "OAF_back_fear.wav"]


def test_a_corpus_without_any_usable_clip_is_named(tmp_path):
    write_clips(tmp_path / "data", "OAF_back_sad.wav", "OAF_back_angry.wav")
    (tmp_path / "data" / "1001_DFA_ANG_XX.wav").write_text("version https://git-lfs.github.com/spec/v1")
    for corpora in (["crema_d"], ["tess", "crema_d"]):
        with pytest.raises(CorpusError, match=r"No clip of crema_d can be used; the first: 1001_DFA_ANG_XX\.wav: "):
            loaded(tmp_path, corpora)


def test_what_the_machine_lacked_is_not_remembered_of_a_clip(tmp_path, monkeypatch, ffmpeg):
    data = tmp_path / "data"
    wav, other = write_clips(data, "happy/1.wav", "sad/2.wav")
    coded = wav.with_suffix(".m4a")
    subprocess.run([ffmpeg, "-v", "error", "-i", wav, coded], check=True)
    wav.unlink()
    with monkeypatch.context() as without:
        without.setenv("PATH", str(tmp_path))
        names, left_out = loaded(tmp_path, ["folder"])
    assert names == [other.name] and "ffmpeg" in left_out[coded.name]
    for _ in range(2):
        assert loaded(tmp_path, ["folder"]) == ([coded.name, other.name], {})


def test_silent_empty_cut_and_misnamed_files_go_and_are_named(tmp_path):
    data = tmp_path / "data"
    good, cut = write_clips(data, "1001_DFA_ANG_XX.wav", "1001_DFA_SAD_XX.wav")
    cut.write_bytes(cut.read_bytes()[:-2000])
    (data / "1001_DFA_HAP_XX.wav").write_bytes(b"")
    soundfile.write(data / "1001_DFA_NEU_XX.wav", np.zeros(8000), 16000)
    soundfile.write(data / "1001_DFA_FEA_XX.wav", np.zeros(0), 16000)
    write_clip(data / "1040_ITH_SAD_X.wav", seed=5)
    names, left_out = loaded(tmp_path)
    assert names == [good.name]
    assert "silent" in left_out["1001_DFA_NEU_XX.wav"]
    assert "empty" in left_out["1001_DFA_HAP_XX.wav"]
    assert "empty" in left_out["1001_DFA_FEA_XX.wav"]
    assert "cut off" in left_out["1001_DFA_SAD_XX.wav"]
    assert "its name" in left_out["1040_ITH_SAD_X.wav"]
