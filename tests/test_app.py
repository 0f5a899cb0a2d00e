"""`python app.py` as its users meet it: a process, a port and an API."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from contextlib import ExitStack

import httpx
import numpy as np
import pytest
import soundfile
from app_helpers import PATIENCE, app_process, running_app, shipped_checkpoint, tone_file, wait_for, wait_until
from conftest import ROOT
from demo_helpers import recording
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from not_speech import NOT_SPEECH

from ser_model.audio import AudioError, load_audio

pytest_plugins = ("app_fixtures",)


@pytest.fixture(scope="module")
def client(app_url) -> Client:
    return Client(app_url, verbose=False)


def test_health_names_the_model(app_url):
    answer = httpx.get(f"{app_url}/health").json()
    assert answer["status"] == "ok"
    assert answer["model"] == shipped_checkpoint().name


def test_predict_answers_with_typed_data(client, tmp_path):
    clip = tone_file(tmp_path / "tone.wav")
    client.predict(handle_file(clip), api_name="/predict")  # the first may wait for the model
    start = time.monotonic()
    emotion, bars, picture, data = client.predict(handle_file(clip), api_name="/predict")
    print(f"a 3-second clip is answered in {time.monotonic() - start:.2f} s")
    assert set(data) == {"label", "probabilities", "duration", "speech", "unsure", "remark", "attention"}
    assert data["probabilities"][data["label"]] == max(data["probabilities"].values())
    assert sum(data["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    assert data["duration"] == pytest.approx(3.0)
    times, weights = data["attention"]["times"], data["attention"]["weights"]
    assert len(times) == len(weights) and times == sorted(times) and times[0] >= 0 and times[-1] <= 3.0
    assert sum(weights) == pytest.approx(1, abs=1e-3)
    assert data["label"] in emotion and bars.count('role="meter"') == len(data["probabilities"])
    assert "<svg" in picture


def test_noise_gets_no_emotion(client, tmp_path):
    soundfile.write(tmp_path / "noise.wav", NOT_SPEECH["white noise"], 16_000)
    emotion, bars, _, data = client.predict(handle_file(tmp_path / "noise.wav"), api_name="/predict")
    assert data["label"] is None and data["speech"]["seconds"] == 0 and "No speech found" in emotion and bars == ""
    (row,) = client.predict([handle_file(tmp_path / "noise.wav")], api_name="/batch")
    entries = client.predict(handle_file(tmp_path / "noise.wav"), api_name="/compare")
    assert all(answer["label"] is None and answer["error"] is None and answer["remark"] for answer in (row, *entries))


def test_endpoints_with_one_required_input_are_offered(client):
    endpoints = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert sorted(endpoints) == [
        "/batch", "/compare", "/part", "/predict", "/timeline", "/timeline_file", "/voice_profile", "/voice_quality"
    ]  # fmt: skip
    for endpoint in endpoints.values():
        assert sum(not given["parameter_has_default"] for given in endpoint["parameters"]) == 1


def test_timeline_answers_with_segments(client, tmp_path):
    answer = client.predict(handle_file(recording(tmp_path / "talk.wav", 2.0, 5.0)), api_name="/timeline")
    assert set(answer) == {"duration", "speech", "labels", "segments", "windows"}
    assert answer["duration"] == pytest.approx(10.0)
    for segment in answer["segments"]:
        assert set(segment) == {"start", "end", "emotion", "probability", "unsure"}
        assert 0 <= segment["start"] < segment["end"] <= 10 and segment["emotion"] in answer["labels"]
    assert answer["segments"][0]["start"] == pytest.approx(0.9, abs=0.15)


def test_batch_answers_with_one_row_a_file(client, tmp_path):
    bad = tmp_path / "bad.wav"
    bad.write_text("These are words, not sound.")
    files = [handle_file(tone_file(tmp_path / "good.wav", 1.0)), handle_file(bad)]
    good, refused = client.predict(files, api_name="/batch")
    assert (good["file"], refused["file"]) == ("good.wav", "bad.wav")
    assert good["label"] in good["probabilities"] and good["duration"] == pytest.approx(1.0) and good["error"] is None
    assert refused["label"] is None and "not audio" in refused["error"]


def test_compare_answers_once_a_checkpoint(client, tmp_path):
    clip = handle_file(tone_file(tmp_path / "tone.wav", 1.0))
    first, second, *_ = client.predict(clip, api_name="/compare")
    assert first["model"] == shipped_checkpoint().name
    assert first["label"] in first["probabilities"] and first["error"] is second["error"] is None
    both = client.predict(clip, ["second", "nobody/nothing"], api_name="/compare")
    assert both[0]["probabilities"] == first["probabilities"]
    assert both[1]["label"] is None and "No model could be loaded" in both[1]["error"]


def test_voice_quality_answers_with_units_and_percentiles(client, tmp_path):
    measures = client.predict(handle_file(tone_file(tmp_path / "tone.wav")), api_name="/voice_quality")
    assert {"f0_mean", "jitter_local", "shimmer_local", "hnr", "loudness", "speaking_part"} <= {
        entry["measure"] for entry in measures
    }
    pitch = measures[0]
    assert pitch["measure"] == "f0_mean" and pitch["unit"] == "Hz" and pitch["value"] == pytest.approx(177, abs=5)
    assert set(pitch["percentiles"]) == {"women", "men", "all"}


def test_a_voice_profile_is_made_and_used(client, tmp_path):
    files = [handle_file(tone_file(tmp_path / f"{seconds}.wav", seconds)) for seconds in (1.0, 2.0, 3.0)]
    profile = client.predict(files, api_name="/voice_profile")
    assert set(profile) == {"checkpoint", "num_frames", "mean", "std"} and 70 * 2 <= profile["num_frames"] <= 75 * 2
    plain = client.predict(files[0], api_name="/predict")[3]["probabilities"]
    as_object, as_text = (
        client.predict(files[0], voice, api_name="/predict")[3]["probabilities"]
        for voice in (profile, json.dumps(profile))
    )
    assert as_object == as_text and max(abs(as_object[label] - share) for label, share in plain.items()) > 1e-4
    for voice, said in (
        (profile | {"checkpoint": "0" * 64}, "made with another model"),
        ({"mean": [[1.0]]}, "This is no voice profile."),
        ("[" * 100_000, "This is no voice profile."),
    ):
        with pytest.raises(AppError, match=said):
            client.predict(files[0], voice, api_name="/predict")
    with pytest.raises(AppError, match="These are 12 clips"):
        client.predict(files * 4, api_name="/voice_profile")


def test_one_speaker_changes_timeline_and_batch(client, tmp_path):
    talk = handle_file(recording(tmp_path / "talk.wav", 2.0, 5.0))
    apart, own = (client.predict(talk, one, api_name="/timeline")["windows"] for one in (False, True))
    assert [window["start"] for window in apart] == [window["start"] for window in own] and apart != own
    files = [handle_file(tone_file(tmp_path / f"{seconds}.wav", seconds)) for seconds in (1.0, 2.0)]
    apart, own = (client.predict(files, one, api_name="/batch") for one in (False, True))
    assert [row["error"] for row in own] == [None, None] and apart[0]["probabilities"] != own[0]["probabilities"]


@pytest.mark.parametrize("name", ["/timeline", "/compare", "/voice_quality"])
def test_every_endpoint_refuses_in_words(client, tmp_path, name):
    silent = tmp_path / "silent.wav"
    soundfile.write(silent, np.zeros(16_000), 16_000)
    with pytest.raises(AppError, match="The recording is silent"):
        client.predict(handle_file(silent), api_name=name)


@pytest.mark.parametrize("content", [b"These are words, not sound.", b"", b"RIFF\x00\x01\x00\x00WAVEfmt "])
def test_bad_audio_is_refused_in_the_words_of_the_audio_door(client, tmp_path, content):
    path = tmp_path / "bad.wav"
    path.write_bytes(content)
    with pytest.raises(AudioError) as refused:
        load_audio(path, 16_000)
    with pytest.raises(AppError) as told:
        client.predict(handle_file(path), api_name="/predict")
    assert str(told.value) == str(refused.value)


def test_nothing_chosen_is_said(client):
    with pytest.raises(AppError, match="Record or upload a clip first"):
        client.predict(None, api_name="/predict")


def test_two_people_at_once_get_their_own_answers(app_url, tmp_path):
    durations: dict[float, list[float]] = {1.0: [], 2.5: []}

    def visit(seconds: float) -> None:
        own = Client(app_url, verbose=False)
        clip = tone_file(tmp_path / f"{seconds}.wav", seconds)
        for _ in range(3):
            durations[seconds].append(own.predict(handle_file(clip), api_name="/predict")[3]["duration"])

    visitors = [threading.Thread(target=visit, args=(seconds,)) for seconds in durations]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join(PATIENCE)
    assert durations == {1.0: [1.0] * 3, 2.5: [2.5] * 3}


@pytest.mark.parametrize("stopped_by", [signal.SIGINT, signal.SIGTERM])
def test_the_server_stops_though_a_page_is_open_and_leaves_no_clip(tmp_path, stopped_by):
    with ExitStack() as open_page, running_app(tmp_path, stopped_by) as url:
        stream = open_page.enter_context(httpx.stream("GET", f"{url}/gradio_api/heartbeat/visitor", timeout=PATIENCE))
        beats = stream.iter_lines()  # kept, since the stream closes with its iterator
        assert "ALIVE" in next(beats)
        Client(url, verbose=False).predict(handle_file(tone_file(tmp_path / "mine.wav")), api_name="/predict")
        assert list((tmp_path / "temporary").rglob("mine.wav"))
        httpx.post(f"{url}/live/one?rate=48000", content=bytes(9600), timeout=PATIENCE).raise_for_status()
        head = b'--x\r\nContent-Disposition: form-data; name="files"; filename="late.wav"\r\n\r\n'
        late = open_page.enter_context(socket.create_connection(("127.0.0.1", int(url.rsplit(":")[-1]))))
        late.sendall(b"POST /gradio_api/upload HTTP/1.1\r\nHost: page\r\nContent-Length: 9999\r\n"
                     b"Content-Type: multipart/form-data; boundary=x\r\n\r\n" + head)  # fmt: skip
        wait_until(lambda: list((tmp_path / "temporary").rglob("tmp*/tmp*")))
    assert not [path for path in (tmp_path / "temporary").rglob("*") if path.is_file()]
    log = (tmp_path / "app.log").read_text()
    assert "Traceback" not in log and "leaked" not in log  # as resamplers of live audio are where they outlive Python


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"MODEL_ID": "./nowhere"}, "There is no checkpoint folder at ./nowhere"),
        ({"MODEL_ID": "x" * 300}, "There is no checkpoint folder at xxx"),
        ({"COMPARE_IDS": "nonesuch"}, "There is no checkpoint folder at nonesuch: set COMPARE_IDS to"),
        ({"GRADIO_SERVER_PORT": "taken"}, "cannot be used (Address already in use): set GRADIO_SERVER_PORT to"),
        ({"GRADIO_SERVER_PORT": "abc"}, "GRADIO_SERVER_PORT has to be a number from 1 to 65535, not 'abc'."),
        ({"GRADIO_SERVER_NAME": "192.0.2.1"}, "192.0.2.1 is no address of this machine (Cannot assign requested"),
        (
            {"GRADIO_TEMP_DIR": os.devnull},
            "cannot be written (Not a directory): set GRADIO_TEMP_DIR to another",
        ),
    ],
)
def test_a_start_that_cannot_succeed_ends_with_one_sentence(tmp_path, environment, said):
    with socket.create_server(("127.0.0.1", 0)) as other:
        if environment.get("GRADIO_SERVER_PORT") == "taken":
            environment = {"GRADIO_SERVER_PORT": str(other.getsockname()[1])}
        assert app_process(tmp_path, **{"MODEL_ID": str(ROOT)} | environment).wait(PATIENCE) == 1
    lines = (tmp_path / "app.log").read_text().strip().splitlines()
    assert len(lines) == 1 and said in lines[0]


def test_the_page_is_served_over_ipv6_too(tmp_path):
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6) as probe:
            port = probe.getsockname()[1]
    except OSError as error:
        pytest.skip(f"This machine has no IPv6: {error}.")
    process = app_process(tmp_path, MODEL_ID=str(ROOT), GRADIO_SERVER_NAME="::1", GRADIO_SERVER_PORT=str(port))
    try:
        wait_for(f"http://[::1]:{port}/health", process, tmp_path / "app.log")
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE)


def test_address_follows_the_environment(monkeypatch):
    from app import address

    for name in ("GRADIO_SERVER_NAME", "GRADIO_SERVER_PORT", "SPACE_ID"):
        monkeypatch.delenv(name, raising=False)
    assert address() == ("127.0.0.1", 7860)
    monkeypatch.setenv("SPACE_ID", "someone/a-space")
    assert address() == ("0.0.0.0", 7860)
    monkeypatch.setenv("GRADIO_SERVER_NAME", "192.0.2.1")
    monkeypatch.setenv("GRADIO_SERVER_PORT", "8000")
    assert address() == ("192.0.2.1", 8000)
    for port in ("0", "-1", "65536", "9" * 5000, "\uff18\uff10", "80 81"):
        monkeypatch.setenv("GRADIO_SERVER_PORT", port)
        with pytest.raises(SystemExit, match="a number from 1 to 65535"):
            address()
