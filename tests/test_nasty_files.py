"""One file never takes the others with it, whatever it is."""

import json
import time
from collections import Counter
from pathlib import Path

import httpx
import numpy as np
import psutil
import pytest
from app_helpers import answer_of
from conftest import voiced_tone
from nasty_files import encoded, write_nasty_files, write_special_files

from datasets_scripts.__main__ import main as datasets_main
from datasets_scripts.prepare import prepare
from ser_model.__main__ import main
from ser_model.audio import AudioError, load_audio, printable, walk_audio

pytest_plugins = ("app_fixtures",)
GOOD = {"good.wav", "whole-pcm.wav", "whole-gsm.wav", "whole-x.flac", "whole-x.ogg", "whole-x.mp3", "whole-w64.wav"}
NAMELESS = "x/" * 3_000


@pytest.fixture(scope="module")
def nasty(tmp_path_factory) -> list[Path]:
    files = write_nasty_files(tmp_path_factory.mktemp("nasty"))
    assert len(files) >= 200
    return files


def test_each_is_audio_or_one_sentence(nasty):
    outcomes = {}
    for path in nasty:
        start = time.monotonic()
        try:
            wave = load_audio(path, 16_000)
            assert wave.dtype == np.float32 and wave.ndim == 1 and np.isfinite(wave).all() and len(wave) >= 1_600
            outcomes[path.name] = ""
        except AudioError as error:
            assert str(error).isprintable() and str(error).endswith(".")
            outcomes[path.name] = str(error)
        assert time.monotonic() - start < 20, path
    assert {name for name in GOOD if outcomes[name]} == set()
    assert not [child for child in psutil.Process().children(recursive=True) if "ffmpeg" in child.name()]
    words = {
        "pointer.wav": "git lfs pull", "annex.wav": "git annex get", "gone.wav": "git annex get",
        "empty.wav": "empty", "pipe.wav": "no regular file", "hls.wav": "playlist", "itself.wav": "playlist",
        "concat.wav": "playlist", "address.wav": "playlist", "shout.wav": "playlist", "sdp.wav": "not audio",
        "page.wav": "web page", "zip.wav": "zip archive", "odd-nan.wav": "not numbers", "odd-silent.wav": "silent",
        "odd-constant.wav": "silent", "odd-short.wav": "too short", "odd-none.wav": "empty",
        "odd-huge.wav": "full scale",
    }  # fmt: skip
    assert {name: said for name, said in outcomes.items() if words.get(name, "") not in said} == {}
    for name in ("odd-cancelling.wav", "odd-many.wav", "odd-offset.wav", "line\nbreak.wav", "caf\udce9.wav", "-v.wav"):
        assert outcomes[name] == ""


def has_no_speech(row):
    return (row["remark"] or "").startswith("Nothing in the recording sounds like speech")


def test_predict_answers_a_row_for_each(nasty, capsys):
    paths = [*map(str, nasty), "data:audio/wav;base64,UklGRg", "http://127.0.0.1:9/a.wav"]
    assert main(["predict", "--format", "json", *paths]) == 1
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) == len(paths)
    assert all((row["label"] is None) == bool(row["error"] or has_no_speech(row)) for row in rows)
    assert all(row["label"] for row in rows if Path(row["file"]).name in GOOD)


def test_the_api_answers_a_row_for_each(nasty, app_url, app_folder):
    files = [path for path in nasty if path.is_file() and printable(path.name) == path.name]
    assert len(files) >= 180
    log = app_folder / "app.log"
    before = len(log.read_text())
    with httpx.Client(base_url=app_url, timeout=300) as app:
        data = []
        for path in files:  # under a plain name, as a browser sends it
            sent = {"files": (f"{len(data)}.wav", path.read_bytes())}
            uploaded = app.post("/gradio_api/upload", files=sent).raise_for_status().json()[0]
            data.append({"path": uploaded, "meta": {"_type": "gradio.FileData"}})
        (rows,) = answer_of(app, "batch", [data])
        assert len(rows) == len(files) and all(
            (row["label"] is None) == bool(row["error"] or has_no_speech(row)) for row in rows
        )
        assert {bool(row["label"]) for row in rows} == {True, False}
        assert app.get("/health").json()["status"] == "ok"
    assert "Traceback" not in log.read_text()[before:]


@pytest.fixture
def corpus(tmp_path) -> Path:
    """A corpus of two labels: 60 good clips under one of them, everything special under the other."""
    data = tmp_path / "data"
    (data / "calm").mkdir(parents=True)
    for index in range(5):
        clip = encoded("pcm.wav", voiced_tone(0.3, seed=index, pitch=100 + 9 * index))
        (data / "calm" / f"{index}.wav").write_bytes(clip)
        (data / "calm" / f"._{index}.wav").write_bytes(b"\0\5\26\7")
    (data / "__MACOSX" / "calm").mkdir(parents=True)
    (data / "__MACOSX" / "calm" / "0.wav").write_bytes(b"\0\5\26\7")
    write_special_files(data / "tense")
    (data / "calm" / "notes.txt").write_text("none")
    return data


def test_prepare_keeps_the_good_clips_and_names_the_others(corpus, tmp_path):
    given = list(walk_audio(corpus))
    count = prepare(["folder"], corpus, tmp_path / "out", tmp_path / "cache")
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    left_out = card.split("## Left out")[1].strip().splitlines()
    assert count + len(left_out) == len(given)
    assert any("git lfs pull" in line for line in left_out)
    assert any("caf\\udce9.wav: its name is not in UTF-8" in line for line in left_out)
    assert not any(line.startswith(f"- {index}.wav") for index in range(5) for line in left_out)


def test_audit_answers_a_row_for_each(corpus, tmp_path, capsys):
    report = tmp_path / "audit.json"
    assert datasets_main(["audit", "--data_dir", str(corpus), "--corpora", "folder", "--json", str(report)]) == 0
    out = capsys.readouterr().out
    assert "passed over, by ending: 5 hidden, 1 .txt" in out
    out.encode("utf-8")
    named = {Path(finding["file"]).name for finding in json.loads(report.read_text("utf-8"))["findings"]}
    assert {"pointer.wav", "gone.wav", "pipe.wav", "hls.wav", "caf\\udce9.wav", "odd-nan.wav"} <= named
    assert not named & {f"{index}.wav" for index in range(5)}


def test_the_walker_passes_over_leftovers_and_counts_what_it_passes_over(corpus):
    (corpus / "calm" / "again").symlink_to(corpus, target_is_directory=True)
    counts = Counter()
    found = list(walk_audio(corpus / "calm", passed_over=counts))
    assert [path.name for path in found if path.parent == corpus / "calm"] == [f"{index}.wav" for index in range(5)]
    assert (counts["hidden"], counts[".txt"]) == (5, 1)
    assert not any("__MACOSX" in path.parts for path in found)
    assert len({path.parent.resolve() for path in found}) == 2


@pytest.mark.parametrize(
    ("name", "shown"), [("a\nb.wav", "a\\nb.wav"), ("caf\udce9", "caf\\udce9"), ("ünï 🎤", "ünï 🎤")]
)
def test_names_are_printable(name, shown):
    assert printable(name) == shown


def test_a_name_too_long_is_shortened_in_its_sentence():
    with pytest.raises(AudioError, match="File name too long") as caught:
        load_audio(NAMELESS, 16_000)
    assert len(str(caught.value)) < 300
