"""Downloads from a local server: whole, cut off half way, wrong, killed."""

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from corpora_fixtures import RAVDESS_ZIP, REPOSITORY

from datasets_scripts import CorpusError, find_corpus
from datasets_scripts.__main__ import main
from datasets_scripts.download import DataverseFiles, fetch


def small_zip() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as zipped:
        zipped.writestr("Actor_01/03-01-03-01-01-01-01.wav", np.random.default_rng(0).bytes(300_000))
    return held.getvalue()


ZIP = small_zip()
ZIP_HASH = f"md5:{hashlib.md5(ZIP).hexdigest()}"
CLIPS = {f"OAF_{word}_sad.wav": word.encode() * 100 for word in ("back", "bar", "base")}


class Handler(BaseHTTPRequestHandler):
    """Answers by path; remembers what was asked for."""

    asked: list[str]
    release: threading.Event

    def do_GET(self):
        self.asked.append(self.path)
        if self.path.startswith("/api/datasets/"):
            return self._send(json.dumps(self._dataset()).encode())
        if self.path.startswith("/api/access/datafile/"):
            return self._send(list(CLIPS.values())[int(self.path.rsplit("/", 1)[1])])
        if self.path == "/whole.zip":
            return self._send(ZIP)
        if self.path == "/wrong.zip":
            return self._send(b"not what you asked for")
        if self.path in ("/cut.zip", "/slow.zip"):
            return self._half()
        return self.send_error(404)

    def _send(self, content: bytes):
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _half(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(ZIP)))
        self.end_headers()
        self.wfile.write(ZIP[: len(ZIP) // 2])
        self.wfile.flush()
        if self.path == "/slow.zip":
            self.release.wait(60)

    @staticmethod
    def _dataset():
        files = [
            {"dataFile": {"filename": name, "id": index, "md5": hashlib.md5(content).hexdigest()}}
            for index, (name, content) in enumerate(CLIPS.items())
        ]
        return {"data": {"latestVersion": {"files": files}}}

    def log_message(self, *_):
        """Quiet."""


@pytest.fixture
def server():
    handler = type("Fresh", (Handler,), {"asked": [], "release": threading.Event()})
    running = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    running.daemon_threads = True
    threading.Thread(target=running.serve_forever, daemon=True).start()
    running.url = f"http://127.0.0.1:{running.server_address[1]}"
    running.asked = handler.asked
    yield running
    handler.release.set()
    running.shutdown()
    running.server_close()


def test_a_whole_file_arrives_and_is_not_fetched_again(server, tmp_path):
    target = tmp_path / "data" / RAVDESS_ZIP
    assert fetch(f"{server.url}/whole.zip", ZIP_HASH, target) is True
    assert target.read_bytes() == ZIP
    assert fetch(f"{server.url}/whole.zip", ZIP_HASH, target) is False
    assert server.asked == ["/whole.zip"]
    assert os.listdir(target.parent) == [RAVDESS_ZIP]


def test_a_damaged_file_that_is_there_is_fetched_again(server, tmp_path):
    target = tmp_path / RAVDESS_ZIP
    target.write_bytes(ZIP[:1000])
    assert fetch(f"{server.url}/whole.zip", ZIP_HASH, target) is True
    assert target.read_bytes() == ZIP


@pytest.mark.parametrize(
    ("path", "reason"),
    [("/cut.zip", "broke off"), ("/wrong.zip", "another checksum"), ("/nowhere.zip", "answers 404")],
)
def test_a_bad_download_leaves_nothing_and_says_why(server, tmp_path, path, reason):
    with pytest.raises(CorpusError, match=reason):
        fetch(server.url + path, ZIP_HASH, tmp_path / RAVDESS_ZIP)
    assert os.listdir(tmp_path) == []


def test_a_bad_download_spares_the_file_that_is_there(server, tmp_path):
    target = tmp_path / RAVDESS_ZIP
    target.write_bytes(b"older")
    with pytest.raises(CorpusError):
        fetch(f"{server.url}/cut.zip", ZIP_HASH, target)
    assert target.read_bytes() == b"older"


def test_no_server_gives_a_sentence(tmp_path):
    with pytest.raises(CorpusError, match="connection to the server fails"):
        fetch("http://127.0.0.1:9/x.zip", ZIP_HASH, tmp_path / "x.zip")
    assert os.listdir(tmp_path) == []


def test_a_killed_download_is_never_taken_for_whole(server, tmp_path):
    target = tmp_path / RAVDESS_ZIP
    code = (
        "import sys; from pathlib import Path; from datasets_scripts.download import fetch;"
        "fetch(sys.argv[1], sys.argv[2], Path(sys.argv[3]))"
    )
    command = [sys.executable, "-c", code, f"{server.url}/slow.zip", ZIP_HASH, str(target)]
    process = subprocess.Popen(command, cwd=REPOSITORY)
    try:
        deadline = time.monotonic() + 60
        while not any(path.stat().st_size for path in tmp_path.iterdir()):
            assert process.poll() is None, "the download ended by itself"
            assert time.monotonic() < deadline, "the download never began"
            time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not target.exists()
    assert find_corpus("ravdess").scan(tmp_path, tmp_path / "cache").clips == []

    assert fetch(f"{server.url}/whole.zip", ZIP_HASH, target) is True
    assert os.listdir(tmp_path) == [RAVDESS_ZIP]


@pytest.mark.parametrize("path", ["/cut.zip", "/wrong.zip"])
def test_the_command_ends_with_one_sentence_and_status_1(server, tmp_path, path):
    command = [sys.executable, "-m", "datasets_scripts", "download", "ravdess"]
    command += ["--data_dir", str(tmp_path), "--url", server.url + path]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("datasets_scripts: ")
    assert os.listdir(tmp_path) == []


def test_a_folder_that_cannot_be_is_told(tmp_path, capsys):
    (tmp_path / "file").write_text("mine")
    assert main(["download", "ravdess", "--data_dir", str(tmp_path / "file")]) == 1
    assert capsys.readouterr().err == f"datasets_scripts: {tmp_path / 'file'} cannot be written: File exists.\n"


def test_a_command_that_is_asked_to_end_leaves_nothing(server, tmp_path):
    command = [sys.executable, "-m", "datasets_scripts", "download", "ravdess"]
    command += ["--data_dir", str(tmp_path), "--url", f"{server.url}/slow.zip"]
    process = subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not any(path.stat().st_size for path in tmp_path.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.terminate()  # as services and job schedulers do
    _, said = process.communicate()
    assert process.returncode == 130 and said.endswith("datasets_scripts: stopped; nothing half-written is left.\n")
    assert os.listdir(tmp_path) == []


def test_the_command_takes_ravdess_only_as_published(server, tmp_path, capsys):
    url = f"{server.url}/whole.zip"  # a good zip, but not the published one
    assert main(["download", "ravdess", "--data_dir", str(tmp_path), "--url", url]) == 1
    assert "is not Audio_Speech_Actors_01-24.zip as published" in capsys.readouterr().err


def test_a_dataverse_set_comes_file_by_file_and_goes_on_where_it_stopped(server, tmp_path):
    source, url = DataverseFiles("10.5683/SP2/E8H2MF", folder="tess"), f"{server.url}/dataset.xhtml"
    assert "all 3 files, 3 of them fetched now" in source.download(tmp_path, url)
    assert {path.name: path.read_bytes() for path in (tmp_path / "tess").iterdir()} == CLIPS
    (tmp_path / "tess" / "OAF_bar_sad.wav").write_bytes(b"half")
    server.asked.clear()
    assert "1 of them fetched now" in source.download(tmp_path, url)
    assert [path for path in server.asked if "datafile" in path] == ["/api/access/datafile/1"]
    assert (tmp_path / "tess" / "OAF_bar_sad.wav").read_bytes() == CLIPS["OAF_bar_sad.wav"]


def test_a_server_that_is_no_dataverse_gives_a_sentence(server, tmp_path, capsys):
    url = "http://127.0.0.1:9/"
    assert main(["download", "tess", "--data_dir", str(tmp_path), "--url", url]) == 1
    assert capsys.readouterr().err.startswith("datasets_scripts: The list of files of doi:10.5683/SP2/E8H2MF cannot")


@pytest.mark.parametrize(("corpus", "step"), [("crema_d", "git clone"), ("savee", "kahlan.eps.surrey.ac.uk")])
def test_a_corpus_without_doi_prints_the_steps(tmp_path, capsys, corpus, step):
    assert main(["download", corpus, "--data_dir", str(tmp_path)]) == 1
    assert step in capsys.readouterr().err
