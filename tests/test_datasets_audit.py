"""`list` and `audit`: what is there, and which files are not as they should be."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import soundfile
import soxr
from corpora_fixtures import REPOSITORY, write_clip, write_clips

from datasets_scripts.__main__ import main
from datasets_scripts.audit import audit, measure


def kinds(findings) -> dict[str, str]:
    return {finding.file.rsplit("/", 1)[1]: finding.kind for finding in findings}


@pytest.fixture
def spoiled(tmp_path):
    """A corpus of ten files, two of them without fault and without twin."""
    names = ["1001_DFA_ANG_XX", "1001_DFA_SAD_XX", "1001_IEO_SAD_XX", "1001_DFA_HAP_XX", "1001_DFA_FEA_XX"]
    write_clips(tmp_path, *(f"{name}.wav" for name in names))
    shutil.copy(tmp_path / "1001_DFA_ANG_XX.wav", tmp_path / "1001_IEO_ANG_XX.wav")
    shutil.copy(tmp_path / "1001_DFA_SAD_XX.wav", tmp_path / "1001_TIE_DIS_XX.wav")
    soundfile.write(tmp_path / "1001_DFA_NEU_XX.wav", np.zeros(8000), 16000)
    write_clip(tmp_path / "1001_IWW_HAP_XX.wav", seed=20, rate=22050)
    write_clip(tmp_path / "1001_IOM_HAP_XX.wav", seed=21, gain=3.0)
    cut = write_clip(tmp_path / "1001_IWL_HAP_XX.wav", seed=22)
    cut.write_bytes(cut.read_bytes()[:3000])
    (tmp_path / "1001_TAI_HAP_XX.wav").write_bytes(b"")
    write_clip(tmp_path / "1040_ITH_SAD_X.wav", seed=23)
    return tmp_path


def test_audit_names_just_the_offending_files(spoiled):
    _, findings = audit(["crema_d"], spoiled)
    assert kinds(findings) == {
        "1001_IEO_ANG_XX.wav": "identical",
        "1001_TIE_DIS_XX.wav": "conflicting labels",
        "1001_DFA_NEU_XX.wav": "unusable",
        "1001_IWL_HAP_XX.wav": "unusable",
        "1001_TAI_HAP_XX.wav": "unusable",
        "1001_IWW_HAP_XX.wav": "sampling rate",
        "1001_IOM_HAP_XX.wav": "clipped",
        "1040_ITH_SAD_X.wav": "misnamed",
    }
    details = {finding.file.rsplit("/", 1)[1]: finding.detail for finding in findings}
    assert "byte for byte" in details["1001_IEO_ANG_XX.wav"]
    assert "labelled disgust here and sad there" in details["1001_TIE_DIS_XX.wav"]
    assert "silent" in details["1001_DFA_NEU_XX.wav"]
    assert "cut off" in details["1001_IWL_HAP_XX.wav"]
    assert "22,050 Hz where the corpus has 16,000 Hz" in details["1001_IWW_HAP_XX.wav"]


def test_the_same_samples_in_another_format_are_identical(tmp_path):
    first = write_clip(tmp_path / "1001_DFA_ANG_XX.wav", seed=1)
    samples, rate = soundfile.read(first, dtype="int16")
    soundfile.write(tmp_path / "1001_IEO_ANG_XX.flac", samples, rate)
    _, (finding,) = audit(["crema_d"], tmp_path)
    assert finding.kind == "identical"
    assert "sample for sample" in finding.detail


def test_bandwidth_shows_what_was_cut_off_above(tmp_path):
    noise = np.random.default_rng(0).normal(size=11025) * 0.1
    soundfile.write(tmp_path / "wide.wav", soxr.resample(noise, 11025, 44100, quality="VHQ"), 44100, subtype="FLOAT")
    soundfile.write(tmp_path / "full.wav", np.random.default_rng(0).normal(size=44100) * 0.1, 44100)
    assert 5000 < measure(tmp_path / "wide.wav").bandwidth < 6500
    assert measure(tmp_path / "full.wav").bandwidth > 21_000


def test_one_loud_sample_is_no_clipping(tmp_path):
    samples = 0.3 * np.sin(np.arange(8000) / 10)
    samples[[100, 4000]] = 1.0
    soundfile.write(tmp_path / "a.wav", samples, 16000)
    assert measure(tmp_path / "a.wav").clipped == 1
    samples[100:105] = -1.0
    soundfile.write(tmp_path / "b.wav", samples, 16000)
    assert measure(tmp_path / "b.wav").clipped == 5


def test_audit_command_prints_a_line_a_file_and_writes_json(spoiled, tmp_path, capsys):
    report = tmp_path / "audit.json"
    assert main(["audit", "--data_dir", str(spoiled), "--json", str(report)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("crema_d: 12 clips of 1 speakers")
    assert "  misnamed: 1040_ITH_SAD_X.wav: its name has X" in out
    assert len(out.splitlines()) == 9
    held = json.loads(report.read_text())
    assert len(held["findings"]) == 8
    assert held["corpora"]["crema_d"]["sampling_rates"] == {"16000": 8, "22050": 1}


def test_what_was_found_is_printed_where_it_cannot_be_written(tmp_path, capsys):
    write_clips(tmp_path, "OAF_back_sad.wav")
    missing = tmp_path / "missing" / "found.json"
    assert main(["audit", "--data_dir", str(tmp_path), "--json", str(missing)]) == 1
    out, err = capsys.readouterr()
    assert out.startswith("tess: 1 clips") and f"datasets_scripts: {missing} cannot be written: No such file" in err


def test_audit_of_many_clipped_clips_counts_them_and_names_the_worst(tmp_path, capsys):
    names = [f"ALL/DC_a{number:02d}.wav" for number in range(1, 16)]
    write_clips(tmp_path, *names, gain=3.0)
    assert main(["audit", "--data_dir", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "clipped: 15 clips, the worst 3 of them below" in out
    assert sum(name in out for name in names) == 3


def test_audit_finds_nothing_to_object_to_in_a_clean_corpus(tmp_path, capsys):
    write_clips(tmp_path, "OAF_back_angry.wav", "YAF_back_sad.wav")
    assert main(["audit", "--data_dir", str(tmp_path)]) == 0
    assert "nothing to object to" in capsys.readouterr().out


def test_list_says_what_is_there_and_what_is_missing(tmp_path, capsys):
    write_clips(tmp_path, "ALL/DC_a01.wav", "ALL/KL_n30.wav", "copy/DC_a01.wav", "ALL/XX_a01.wav")
    assert main(["list", "--data_dir", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "savee: incomplete, 2 of 480 clips" in out
    assert "neutral 1/120, happy 0/60" in out
    assert "0 of 4 complete; savee_DC 1/120, savee_JE 0/120" in out
    assert "1 further copies" in out
    assert "XX_a01.wav: its name gives speaker XX" in out
    assert "ravdess: not there. Get it with: python -m datasets_scripts download ravdess" in out


def test_list_of_a_whole_corpus_is_short(tmp_path, capsys):
    letters = {"n": 30, "h": 15, "sa": 15, "a": 15, "f": 15, "d": 15, "su": 15}
    for speaker in ("DC", "JE", "JK", "KL"):
        for letter, count in letters.items():
            for number in range(1, count + 1):
                path = tmp_path / "AudioData" / speaker / f"{letter}{number:02d}.wav"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()  # names are enough to list
    assert main(["list", "--data_dir", str(tmp_path), "--corpora", "savee"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "savee: complete, 480 of 480 clips"
    assert lines[2] == "  speakers: 4 of 4 complete"
    assert len(lines) == 3


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["list", "--data_dir", "nowhere"], "There is no folder nowhere"),
        (["audit", "--data_dir", "."], "None of ravdess, crema_d, tess, savee lies below"),
        (["audit", "--data_dir", ".", "--corpora", "emodb"], "There is no corpus called emodb"),
    ],
)
def test_errors_are_one_sentence_and_status_1(tmp_path, monkeypatch, capsys, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 1
    held = capsys.readouterr()
    assert held.err.startswith(f"datasets_scripts: {sentence}")
    assert (held.out, len(held.err.splitlines())) == ("", 1)


def test_help_imports_nothing_heavy():
    code = "import sys; from datasets_scripts.__main__ import _parser; _parser(); print('datasets' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True)
    assert done.stdout.strip() == "False"
