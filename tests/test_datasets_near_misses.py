"""Files that are almost a corpus's are said, in `list` and where a corpus is not found."""

import shutil
import zipfile

import pytest
from corpora_fixtures import write_clips

from datasets_scripts import CorpusError, load_corpora
from datasets_scripts.__main__ import main

NEAR = {
    "ravdess": [
        ("Actor_12/03-01-06-01-02-01-12_16k.wav", "rename to 03-01-06-01-02-01-12.wav"),
        ("Actor_12/03-01-06-01-02-01-12 (1).wav", "rename to 03-01-06-01-02-01-12.wav"),
        ("Actor_12/03-01-06-01-02-01-12_16000_mono.wav", "rename to 03-01-06-01-02-01-12.wav"),
        ("Actor_12/03_01_06_01_02_01_12.wav", "rename to Actor_12/03-01-06-01-02-01-12.wav"),
        ("Actor_12/03-01-06-01-02-01-12.mp3", "convert to .flac or .wav"),
    ],
    "crema_d": [
        ("audiowav/1001_dfa_ang_xx.wav", "rename to audiowav/1001_DFA_ANG_XX.wav"),
        ("1001_DFA_ANG_XX - Copy.wav", "rename to 1001_DFA_ANG_XX.wav"),
        ("1001-DFA-ANG-XX.wav", "rename to 1001_DFA_ANG_XX.wav"),
        ("1001_DFA_ANG_XX.ogg", "convert to .flac or .wav"),
    ],
    "tess": [
        ("oaf_angry/oaf_back_angry.wav", "rename to oaf_angry/OAF_BACK_ANGRY.wav"),
        ("OAF_angry/OAF_back_angry_16k.wav", "rename to OAF_back_angry.wav"),
    ],
    "savee": [
        ("ALL/dc_a01.wav", "rename to ALL/DC_a01.wav"),
        ("AudioData/dc/a01.wav", "rename to DC/a01.wav"),
        ("ALL/DC_a01 (2).wav", "rename to DC_a01.wav"),
    ],
}
CASES = [(corpus, name, advice) for corpus, cases in NEAR.items() for name, advice in cases]


@pytest.mark.parametrize(("corpus", "name", "advice"), CASES)
def test_a_near_miss_is_said_where_the_corpus_is_not_found(tmp_path, capsys, corpus, name, advice):
    (written,) = write_clips(tmp_path, "made.wav")
    target = tmp_path / name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(written, target)
    with pytest.raises(CorpusError) as caught:
        load_corpora([corpus], tmp_path, cache_dir=tmp_path / ".cache")
    assert f"Not taken: {name}: {corpus} " in str(caught.value)
    assert advice in str(caught.value)
    assert main(["list", "--data_dir", str(tmp_path), "--corpora", corpus]) == 0
    assert advice in capsys.readouterr().out
    assert main(["audit", "--data_dir", str(tmp_path)]) == 1
    assert advice in capsys.readouterr().err


def test_a_zip_of_another_name_is_said_with_what_is_inside(tmp_path, capsys):
    write_clips(tmp_path, "clips/1001_DFA_ANG_XX.wav", "clips/1001_DFA_SAD_XX.wav")
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as zipped:
        for path in sorted((tmp_path / "clips").iterdir()):
            zipped.write(path, f"AudioWAV/{path.name}")
    (tmp_path / "broken.zip").write_bytes(b"PK\3\4")
    shutil.rmtree(tmp_path / "clips")
    with pytest.raises(CorpusError, match=r"archive.zip: crema_d is not read from this zip, unpack its 2 clips"):
        load_corpora(["crema_d"], tmp_path, cache_dir=tmp_path / ".cache")


def test_list_counts_kinds_of_near_misses_beside_the_clips_and_what_is_passed_over(tmp_path, capsys):
    write_clips(tmp_path, "ALL/DC_a01.wav", "ALL/DC_a02_16k.wav", "ALL/DC_a03_16k.wav", "ALL/._DC_a04.wav")
    (tmp_path / "README.md").write_text("Notes.")
    (tmp_path / "ALL" / "noise").write_bytes(b"")
    assert main(["list", "--data_dir", str(tmp_path), "--corpora", "savee"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert (
        "  not taken: ALL/DC_a02_16k.wav and 1 more: savee has no such addition to its names, rename to"
        in "\n".join(lines)
    )
    assert lines[-1] == "passed over, by ending: 1 .md, 1 hidden, 1 without ending"


def test_a_whole_corpus_has_no_near_misses(tmp_path, capsys):
    clips = ["ALL/DC_a01.wav", "AudioWAV/1001_DFA_ANG_XX.wav", "OAF_back_ps.wav", "03-01-06-01-02-01-12.wav"]
    write_clips(tmp_path, *clips, "03-02-06-01-02-01-12.wav", "other.wav")
    assert main(["list", "--data_dir", str(tmp_path)]) == 0
    assert "not taken" not in capsys.readouterr().out
