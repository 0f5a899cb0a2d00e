"""The tabs Recording and Live without a browser."""

import contextlib
import copy
import json
import re
import threading
import time
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
import soundfile
from conftest import voiced_tone
from demo_helpers import LABELS, RATE, phrases, recording, results, tiny_recognizer
from fastapi import FastAPI
from fastapi.testclient import TestClient
from not_speech import NOT_SPEECH

from demo import live_session, messages, server, timeline_plot
from demo.loading import NoModel
from demo.tabs import live
from demo.tabs import recording as tab
from demo.timeline_plot import Column
from ser_model.audio import AudioError
from ser_model.inference.timeline import Window, assemble, predict_timeline

SVG = "{http://www.w3.org/2000/svg}"


def column(start: float, end: float, *shares: float) -> Column:
    return Column(start, end, dict(zip(LABELS, shares, strict=True)))


def heights(svg: str, label: str) -> list[tuple[float, float]]:
    """Bottom and top of each box of an emotion, as shares of the picture."""
    path = next(path for path in ElementTree.fromstring(svg).iter(f"{SVG}path") if path.get("data-label") == label)
    boxes = re.findall(r"M[\d.]+ ([\d.]+)V([\d.]+)", path.get("d"))
    return [tuple(1 - float(edge) / timeline_plot.HEIGHT for edge in box) for box in boxes]


def test_shares_are_stacked_in_one_order():
    svg = timeline_plot.stacked_svg([column(0, 1, 0.5, 0.3, 0.2), column(3, 4, 0.1, 0.2, 0.7)], 0, 4)
    assert heights(svg, "calm") == [pytest.approx((0, 0.5), abs=0.01), pytest.approx((0, 0.1), abs=0.01)]
    assert heights(svg, "sad") == [pytest.approx((0.5, 0.8), abs=0.01), pytest.approx((0.1, 0.3), abs=0.01)]
    assert heights(svg, "angry")[1] == pytest.approx((0.3, 1), abs=0.01)


def test_the_strip_names_the_most_probable_where_there_is_room():
    columns = [column(0, 10, 0.8, 0.1, 0.1), column(10, 20, 0.7, 0.2, 0.1), column(20, 20.2, 0.1, 0.8, 0.1)]
    assert timeline_plot.runs_of(columns) == [(0, 20, "calm"), (20, 20.2, "sad")]
    texts = [text.text for text in ElementTree.fromstring(timeline_plot.stacked_svg(columns, 0, 40)).iter(f"{SVG}text")]
    assert texts[0] == "calm" and "sad" not in texts
    assert texts[1:] == ["0:00", "0:05", "0:10", "0:15", "0:20", "0:25", "0:30", "0:35", "0:40"]


def test_only_the_time_asked_for_is_drawn():
    columns = [column(0, 1, 1, 0, 0), column(9.5, 10.5, 1, 0, 0)]
    assert len(heights(timeline_plot.stacked_svg(columns, 10, 20), "calm")) == 1
    assert "<path" not in timeline_plot.stacked_svg([], 0, 10)


def test_an_hour_is_drawn_with_few_columns():
    windows = [Window(start, start + 1.5, start, start + 3) for start in np.arange(0, 3600, 1.5).tolist()]
    hour = assemble(3600.0, LABELS, windows, [results(LABELS, *2400 * [[0.2, 0.3, 0.5]])])
    columns = timeline_plot.columns_of(hour)
    assert len(columns) < 1.2 * timeline_plot.MOST_COLUMNS and columns[-1].end == 3600
    assert len("".join(timeline_plot.drawn(columns, 0, 3600))) < 200_000
    assert [timeline_plot.clock(second) for second in (5, 65, 3725)] == ["0:05", "1:05", "1:02:05"]


def test_columns_of_a_long_timeline_are_means(monkeypatch):
    found = predict_timeline(tiny_recognizer(), phrases(20.0))
    monkeypatch.setattr(timeline_plot, "MOST_COLUMNS", 3)
    few = timeline_plot.columns_of(found)
    assert len(few) <= 4 < len(found.windows)
    assert (few[0].start, few[-1].end) == (found.windows[0].start, found.windows[-1].end)
    for one in few:
        assert sum(one.probabilities.values()) == pytest.approx(1, abs=1e-5)


@pytest.fixture(scope="module")
def talk(tmp_path_factory):
    return str(recording(tmp_path_factory.mktemp("talk") / "my talk.wav", 2.0, 30.0))


def test_a_recording_tells_how_far_it_is_and_ends_with_the_result(talk):
    steps = list(tab.analyse_or_message(tiny_recognizer, talk))
    told = [re.search(r'aria-valuetext="([^"]+)"', status)[1] for status, _ in steps[:-1]]
    assert told[:2] == ["Reading the recording …", "Looking for speech …"]
    assert told[-2:] == ["Analysed 0:34 of 0:35", "Drawing …"] and len(told) > 4
    status, bench = steps[-1]
    found = tab.timeline_data(tiny_recognizer(), talk)
    assert re.search("3[23] s of speech in 35 s", status)
    assert bench.count('class="ser-play"') == len(found["segments"]) and f'data-path="{talk}"' in bench
    assert bench.count("<svg") == 2 and 'data-stem="my talk"' in bench
    assert json.loads(re.search("<template>(.*?)</template>", bench)[1])["timeline"] == found


def test_a_recording_without_speech_or_sense_is_told(tmp_path):
    def last(path):
        return list(tab.analyse_or_message(tiny_recognizer, path))[-1]

    assert messages.NOTHING_CHOSEN in last(None)[0]
    bad = tmp_path / "bad.wav"
    bad.write_text("words")
    assert "not audio" in last(str(bad))[0]
    hum = recording(tmp_path / "hum.wav")
    assert messages.NO_SPEECH in last(str(hum))[0]


def pcm(wave: np.ndarray) -> np.ndarray:
    return (32767 * wave).astype("<i2")


def live_states(wave: np.ndarray, rate: int = RATE, step: float = 0.4) -> list[live_session.LiveSession]:
    """Copies of a session after each `step` seconds of sound."""
    session, recognizer, states = live_session.LiveSession(rate, RATE), tiny_recognizer(), []
    for chunk in np.array_split(pcm(wave), round(len(wave) / rate / step)):
        session.predict(recognizer, chunk)
        states.append(copy.copy(session))
    return states


def test_live_predicts_from_one_and_a_half_seconds_of_speech_on():
    states = live_states(phrases(4.0, pause=2.0, rate=48_000), 48_000)
    labels = [state.now.label if state.now else None for state in states]
    assert labels[:8] == [None] * 8 and labels[-2:] == [None] * 2  # 1.2 s of speech, and 2 s of silence
    assert all(label in LABELS for label in labels[9:14])
    assert messages.OPENING in live.shown(states[6])["emotion"] and live.shown(states[6])["label"] == messages.OPENING
    assert messages.SILENCE in live.shown(states[2])["emotion"]
    assert states[-1].seconds == pytest.approx(8.0)
    assert states[-1].columns[0].start == pytest.approx(2.0, abs=0.2)  # the whole utterance is in the picture
    assert states[-1].columns[-1].end == pytest.approx(6.4, abs=0.5)


def test_an_utterance_keeps_its_label_and_time_in_the_silence_after_it():
    states = live_states(phrases(3.0, 2.0, pause=1.5))
    silent = [state for state in states if state.last and not state.speaking]
    first, second = silent[0].last, silent[-1].last
    assert (first.start, first.end) == pytest.approx((1.5, 4.5), abs=0.25)
    assert (second.start, second.end) == pytest.approx((6.0, 8.0), abs=0.25)
    shown = live.shown(silent[-1])
    assert second.predicted.label in shown["emotion"] and shown["label"] == messages.SILENCE
    assert messages.utterance(second.start, second.end) in shown["emotion"]


def test_an_utterance_may_begin_with_the_microphone():
    states = live_states(phrases(8.0, pause=1.5)[int(1.5 * RATE) :])  # longer than what is kept of the samples
    assert states[-1].columns[0].start == states[-1].last.start == 0.0


def test_a_short_utterance_is_predicted_when_it_ends():
    states = live_states(phrases(0.5, pause=1.5))
    assert all(state.now is None for state in states)
    assert states[-1].last.predicted.label in LABELS and len(states[-1].columns) == 1
    assert "Only 0." in live.shown(states[-1])["emotion"]


@pytest.mark.parametrize("name", NOT_SPEECH)
def test_live_and_recording_give_noise_no_emotion(name, tmp_path):
    assert all(not state.speaking and state.last is None for state in live_states(NOT_SPEECH[name]))
    soundfile.write(tmp_path / "noise.wav", NOT_SPEECH[name], RATE)
    with contextlib.suppress(AudioError):  # "The recording is silent."
        found = tab.timeline_data(tiny_recognizer(), str(tmp_path / "noise.wav"))
        assert found["segments"] == found["windows"] == [] and found["speech"] == {"seconds": 0, "share": 0}


def test_a_live_session_does_not_grow(monkeypatch):
    fixed = results(LABELS, [0.2, 0.3, 0.5])
    monkeypatch.setattr(live_session, "predict_windows", lambda recognizer, wave, windows, voice: iter([fixed]))
    session, recognizer = live_session.LiveSession(RATE, RATE), tiny_recognizer()
    chunk = pcm(phrases(1.6, pause=0.2))
    for _ in range(150):  # five minutes
        session.predict(recognizer, chunk)
    assert session.seconds > 290
    assert len(session.wave) == live_session.KEPT_SECONDS * RATE
    assert len(session.columns) <= live_session.SHOWN_SECONDS / live_session.STEP_SECONDS + 1
    found = live.shown(session)
    assert len(found["picture"]) < 60_000
    assert found["label"] == "angry" and "angry" in found["emotion"]


def test_level_is_that_of_the_latest_sound():
    session = live_session.LiveSession(RATE, RATE)
    session.predict(tiny_recognizer(), np.full(RATE // 4, 3277, dtype="<i2"))
    assert session.level == pytest.approx(-20, abs=0.5)
    assert "silence" in live.shown(session)["emotion"]


def test_sessions_are_separate_few_and_forgotten(monkeypatch):
    sessions = live.LiveSessions(tiny_recognizer)
    quiet = pcm(np.zeros(1600))
    sessions.predict("someone", "one", RATE, quiet)
    sessions.predict("someone", "other", RATE, pcm(voiced_tone(2.0)))
    sessions.predict("else", "one", RATE, pcm(voiced_tone(2.0)))  # another visitor's, though of the same name
    assert sessions.predict("someone", "one", RATE, quiet)["seconds"] == pytest.approx(0.2)
    with pytest.raises(live.Refused, match="start another one"):
        sessions.predict("someone", "one", 2 * RATE, quiet)
    for number in range(2, live.MOST_OF_ONE_VISITOR):
        sessions.predict("someone", str(number), RATE, quiet)
    with pytest.raises(live.Refused, match="Too many"):
        sessions.predict("someone", "one too many", RATE, quiet)
    for number in range(live.MOST_SESSIONS - len(sessions)):
        sessions.predict(f"visitor {number}", "one", RATE, quiet)
    with pytest.raises(live.Refused, match="Too many"):
        sessions.predict("late", "one", RATE, quiet)
    monkeypatch.setattr(live, "IDLE_SECONDS", -1.0)
    sessions.predict("late", "one", RATE, quiet)
    assert len(sessions) == 1


def test_a_session_is_forgotten_though_nobody_else_comes(monkeypatch):
    sessions, runs, done = live.LiveSessions(tiny_recognizer), [], threading.Event()
    sessions.predict("someone", "one", RATE, pcm(np.zeros(1600)))
    monkeypatch.setattr(live, "IDLE_SECONDS", -1.0)

    def task():
        runs.append(1)
        if len(runs) == 1:
            raise OSError("once")
        sessions.forget_idle()
        done.set()

    with server.repeated(0.01, task):
        assert done.wait(60)
    ended = len(runs)
    time.sleep(0.1)
    assert len(runs) == ended >= 2 and len(sessions) == 0


def test_a_session_that_waits_for_a_prediction_is_not_idle(monkeypatch):
    def slow(*_):
        monkeypatch.setattr(live, "IDLE_SECONDS", -1.0)
        sessions.forget_idle()
        monkeypatch.undo()

    sessions = live.LiveSessions(tiny_recognizer)
    sessions.predict("someone", "one", RATE, pcm(np.zeros(1600)))
    monkeypatch.setattr(live_session.LiveSession, "_look", slow)
    sessions.predict("someone", "one", RATE, pcm(np.zeros(16_000)))
    assert sessions.predict("someone", "one", RATE, pcm(np.zeros(1600)))["seconds"] == pytest.approx(1.2)


def live_client(load) -> TestClient:
    app = FastAPI()
    app.include_router(live.routes(live.LiveSessions(load)))
    return TestClient(app)


def test_the_live_address_answers_and_refuses():
    client = live_client(tiny_recognizer)
    found = client.post("/live/me?rate=16000", content=pcm(voiced_tone(1.0)).tobytes()).json()
    assert set(found) == {"emotion", "picture", "label", "level", "seconds"} and found["seconds"] == 1.0
    assert client.post("/live/me?rate=16000", content=b"odd").status_code == 400
    assert client.post("/live/me?rate=10", content=b"").status_code == 400
    assert client.post("/live/me?rate=16000", content=bytes(2 * 16_000 * live.MOST_SECONDS + 2)).status_code == 413


def test_live_without_a_model_says_so():
    def broken():
        raise NoModel("No model could be loaded from there.")

    refused = live_client(broken).post("/live/me?rate=16000", content=b"")
    assert refused.status_code == 503 and "No model could be loaded" in refused.json()["detail"]


def test_two_people_live_at_once():
    client = live_client(tiny_recognizer)
    seconds: dict[str, float] = {}

    def speak(name: str, times: int) -> None:
        for _ in range(times):
            answer = client.post(f"/live/{name}?rate=16000", content=pcm(voiced_tone(0.5)).tobytes()).json()
        seconds[name] = answer["seconds"]

    speakers = [threading.Thread(target=speak, args=pair) for pair in (("one", 3), ("other", 5))]
    for speaker in speakers:
        speaker.start()
    for speaker in speakers:
        speaker.join(60)
    assert seconds == {"one": 1.5, "other": 2.5}
