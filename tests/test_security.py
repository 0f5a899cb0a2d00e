"""What a stranger may ask of the page: requests as an attacker sends them, to the app as it is started."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from app_helpers import answer_of, running_app, tone_file
from conftest import ROOT, voiced_tone

from demo.uploads import NOT_UPLOADED

ENDPOINTS = ("predict", "timeline", "part", "voice_quality", "compare", "batch", "voice_profile")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("app")


@pytest.fixture(scope="module")
def app(folder) -> Iterator[httpx.Client]:
    with running_app(folder) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


@pytest.fixture
def secret(tmp_path) -> Path:
    """A recording of the server that nobody uploaded."""
    return tone_file(tmp_path / "secret.wav", 1.0)


def named(path: str | Path) -> dict:
    return {"path": str(path), "meta": {"_type": "gradio.FileData"}}


def requests_naming(path: str | Path) -> Iterator[tuple[str, dict]]:
    """Every way in which a request can name a file."""
    for name in ENDPOINTS:
        data = [[named(path)]] if name in ("batch", "voice_profile") else [named(path)]
        yield f"/gradio_api/run/{name}", {"data": data}
        yield f"/gradio_api/call/{name}", {"data": data}
        yield f"/gradio_api/api/{name}", {"data": data}
    for number in range(40):  # the page's own events, by their numbers
        yield "/gradio_api/queue/join", {"data": [named(path)], "fn_index": number, "session_hash": "stranger"}


def upload(app: httpx.Client, path: Path) -> str:
    with path.open("rb") as file:
        return app.post("/gradio_api/upload", files={"files": file}).raise_for_status().json()[0]


def test_an_uploaded_clip_is_analysed(app, secret):
    assert answer_of(app, "predict", [named(upload(app, secret))])[3]["duration"] == pytest.approx(1.0)


def test_the_last_inputs_may_be_left_out(app, secret):
    """As by whoever wrote a request before an endpoint had them."""
    clip = named(upload(app, secret))
    for name, data in (("timeline", [clip]), ("batch", [[clip]]), ("compare", [clip]), ("predict", [clip, None])):
        assert answer_of(app, name, data), name


def test_no_request_passes_by_the_queue_and_what_the_page_calls_needs_none(app, secret):
    clip = named(upload(app, secret))
    for name in ENDPOINTS:
        data = [[clip]] if name in ("batch", "voice_profile") else [clip]
        status = app.post(f"/gradio_api/run/{name}", json={"data": data}).status_code
        assert status == (200 if name == "part" else 404), name


def test_no_upload_is_held_in_memory_and_no_deep_link_kept(app, folder):
    before = {path for path in (folder / "temporary").rglob("*") if path.is_file()}
    refused = app.post("/gradio_api/upload", data={"field": "x"}, files={"files": ("a.wav", b"x")})
    assert refused.status_code == 400 and "Too many fields" in refused.text
    assert app.get("/gradio_api/deep_link", params={"session_hash": "x"}).status_code == 404
    assert {path for path in (folder / "temporary").rglob("*") if path.is_file()} <= before


def test_no_request_names_a_file_of_the_server(app, secret, tmp_path, folder):
    pipe = tmp_path / "pipe.wav"
    os.mkfifo(pipe)
    uploaded = upload(app, secret)
    inside, link = (Path(uploaded).parent / name for name in ("pipe.wav", "link.wav"))
    os.mkfifo(inside)
    link.symlink_to(secret)
    strangers = (
        secret, pipe, inside, link, "/dev/zero", "/etc/hostname", ROOT / "app.py", "app.log",
        f"{Path(uploaded).parent}/../../../secret.wav", f"{app.base_url}/health", "http://127.0.0.1/x.wav",
    )  # fmt: skip
    start = time.monotonic()
    for path in strangers:
        for address, body in requests_naming(path):
            answer = app.post(address, json=body)
            assert answer.status_code == 403 and answer.json()["detail"] == NOT_UPLOADED, (address, path)
    assert time.monotonic() - start < 60
    assert app.get("/health").json()["status"] == "ok"
    copies = [path for path in (folder / "temporary").rglob("secret.wav") if path != Path(uploaded)]
    assert not [path for path in copies if "link" in path.name]


def test_no_request_fetches_a_file_of_the_server(app, secret):
    for path in (secret, "/etc/hostname", ROOT / "app.py", ROOT / "README.md", "/proc/self/environ"):
        assert app.get(f"/gradio_api/file={path}").status_code in (403, 404), path
    for path in ("../page.js", "%2e%2e/page.js", "..%2fpage.js", "//etc/hostname", "wavesurfer/../../page.js", ""):
        assert app.get(f"/vendor/{path}").status_code == 404, path
    assert app.get("/vendor/wavesurfer/LICENSE").text.startswith("BSD 3-Clause")


def test_broken_requests_are_refused_in_a_sentence(app):
    answer = app.post("/gradio_api/run/predict", content=b"\x00{", headers={"Content-Type": "application/json"})
    assert answer.status_code == 400 and "not JSON" in answer.json()["detail"]
    deep = b"[" * 100_000 + b"]" * 100_000
    assert app.post("/gradio_api/run/predict", content=deep).status_code == 400
    large = app.post("/gradio_api/run/predict", content=b"[" + b" " * 11_000_000 + b"]")
    assert large.status_code == 413


def test_no_address_takes_a_large_request(app, folder):
    """Forms too, which would be gathered in memory, and their files on the disk, as at gradio's login."""
    before = {path for path in (folder / "temporary").rglob("*") if path.is_file()}
    posted = ("/login", "/login/", "/nowhere", "/act", "/live/one/voice", "/gradio_api/component_server")
    large = {"username": "x" * 11_000_000}, {"username": ("a.wav", bytes(11_000_000))}
    for method, address in (*(("POST", each) for each in posted), ("PUT", "/login"), ("DELETE", "/act")):
        for form in ({"data": large[0]}, {"files": large[1]}):
            answer = app.request(method, address, params={"rate": 16_000}, **form)
            assert answer.status_code == 413, (method, address, answer.text)
        assert app.request(method, address, data={"username": "x", "password": "x"}).status_code >= 400, address
    assert {path for path in (folder / "temporary").rglob("*") if path.is_file()} <= before


def test_few_requests_wait_in_the_queue(app, tmp_path):
    clip, waiting = named(upload(app, tone_file(tmp_path / "long.wav", 60.0))), []
    while (answer := app.post("/gradio_api/call/timeline", json={"data": [clip]})).is_success and len(waiting) < 500:
        waiting.append(answer.json()["event_id"])
    assert answer.status_code == 503 and "Queue is full" in answer.json()["detail"] and len(waiting) >= 64
    for event in waiting:
        app.post("/gradio_api/cancel", json={"event_id": event, "session_hash": "stranger", "fn_index": 0})
    assert app.get("/health").json()["status"] == "ok"
    assert app.post("/gradio_api/call/timeline", json={"data": [clip]}).is_success


def test_live_audio_comes_from_this_page_and_in_small_parts(app):
    pcm = (3000 * voiced_tone(1.0)).astype("<i2").tobytes()
    ours = {"Origin": str(app.base_url).rstrip("/")}
    assert app.post("/live/one?rate=16000", content=pcm, headers=ours).json()["seconds"] == 1.0
    foreign = app.post("/live/one?rate=16000", content=pcm, headers={"Origin": "https://elsewhere.example"})
    assert foreign.status_code == 403
    assert app.post("/live/one?rate=8000", content=pcm).status_code == 409  # does not begin anew
    assert app.post("/live/one?rate=16000", content=pcm).json()["seconds"] == 2.0
    assert app.post("/live/one?rate=16000", content=bytes(2 * 16_000 * 6)).status_code == 413
    assert app.post("/live/one?rate=1", content=pcm).status_code == 400
    more = [app.post(f"/live/{number}?rate=16000", content=pcm).status_code for number in range(6)]
    assert more.count(503) >= 2 and app.post("/live/one?rate=16000", content=pcm).json()["seconds"] == 3.0
