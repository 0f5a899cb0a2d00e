"""What the workbench draws, and what it asks of the server, without a browser."""

import base64
import copy
import html
import io
import json
import math
import re

import matplotlib.image
import numpy as np
import parselmouth
import pytest
import soundfile
from conftest import voiced_tone
from demo_helpers import LABELS, RATE, phrases, recording, results, tiny_recognizer
from parselmouth.praat import call

from demo import plots, workbench, workbench_endpoints
from demo.tabs.clip import decode_and_predict
from demo.tabs.clip_workbench import timeline_of, workbench_or_message
from ser_model.audio import AudioError
from ser_model.inference.results import Attention
from ser_model.inference.timeline import Segment, Timeline, Window, assemble, predict_timeline
from ser_model.inference.timeline_formats import FORMATS, as_data, to_csv
from ser_model.inference.timeline_reading import LONGEST_LABEL, MOST_SEGMENTS, TimelineError, from_data

WINDOWS = [Window(0.5, 2.0, 0.0, 3.0), Window(2.0, 4.0, 1.5, 4.5), Window(6.0, 7.0, 5.5, 7.5)]
TIMELINE = assemble(8.0, LABELS, WINDOWS, [results(LABELS, [0.8, 0.1, 0.1], [0.1, 0.2, 0.7], [0.2, 0.5, 0.3])])
DATA = as_data(TIMELINE)


def unpacked(text: str, kind: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype=kind)


def held(markup: str) -> dict:
    return json.loads(re.search("<template>(.*?)</template>", markup)[1])


def test_pitch_lies_where_the_voice_is():
    wave = np.concatenate([np.zeros(RATE, dtype=np.float32), voiced_tone(2.0, pitch=140.0), np.zeros(RATE, np.float32)])
    hertz = workbench.pitch(wave, RATE, 400)
    assert not hertz[:90].any() and not hertz[310:].any()
    assert np.median(hertz[110:290]) == pytest.approx(140, abs=3) and (hertz[110:290] > 0).all()
    assert not workbench.pitch(voiced_tone(0.02), RATE, 2).any()


def test_attention_is_drawn_at_its_time_and_not_between_windows():
    attention = Attention(np.array([1.0, 1.04, 5.0]), np.array([0.2, 0.6, 0.2]))
    drawn = workbench.over_time(attention, 8.0, 800)
    assert drawn.argmax() in range(104, 108) and drawn.max() == 255
    assert drawn[100:108].min() > 0 and not drawn[110:499].any() and drawn[500] == pytest.approx(85)


def test_attention_of_a_recording_is_that_of_its_windows():
    wave = phrases(2.0, 6.0)
    found = predict_timeline(tiny_recognizer(), wave)
    times, weights = found.attention
    assert weights.sum() == pytest.approx(1) and (np.diff(times) > 0).all()
    for time in times:
        assert any(window.start <= time < window.end for window in found.windows)


def test_peaks_and_spectrogram_show_where_it_is_loud():
    wave = np.concatenate([np.zeros(RATE, dtype=np.float32), voiced_tone(1.0)])
    drawn = workbench.lanes(TIMELINE, wave, RATE)
    up, down = (unpacked(side, "u1") for side in drawn["peaks"])
    assert len(up) == len(down) == 1000 and not up[:499].any() and max(up.max(), down.max()) == 255
    (picture,) = drawn["spectrogram"]["pictures"]
    seen = matplotlib.image.imread(io.BytesIO(base64.b64decode(picture.split(",")[1])), format="webp")
    assert seen.shape[1] == drawn["spectrogram"]["columns"] == 201 and len(unpacked(drawn["pitch"], "<u2")) == 200
    assert seen[..., :3].mean(axis=(0, 2))[120:190].min() > 3 * seen[..., :3].mean(axis=(0, 2))[:90].max()


@pytest.mark.parametrize("rate", [8_000, 48_000])
def test_models_of_other_sampling_rates_have_a_spectrogram(rate):
    wave = voiced_tone(1.0, rate)
    assert workbench.spectrogram(wave, rate)["columns"] == 101
    assert plots.log_mel_for_show(wave, rate).shape == (101, 64)


def test_the_longest_recording_is_drawn_with_bounded_data(monkeypatch):
    monkeypatch.setattr(workbench, "MOST_PEAKS", 300)
    monkeypatch.setattr(workbench, "MOST_STEPS", 150)
    monkeypatch.setattr(workbench, "TILE", 64)
    drawn = workbench.lanes(TIMELINE, phrases(5.0), RATE)
    assert len(unpacked(drawn["peaks"][0], "u1")) == 300 and len(unpacked(drawn["pitch"], "<u2")) == 150
    assert len(drawn["spectrogram"]["pictures"]) == math.ceil(drawn["spectrogram"]["columns"] / 64) == 3


def test_labels_and_names_never_become_markup(tmp_path):
    evil = '</template><img src=x onerror="alert(1)">${alert(2)}'
    timeline = Timeline(1.0, [evil], [], np.zeros((0, 1)), [Segment(0.0, 1.0, evil, 0.5)])
    markup = workbench.workbench(timeline, voiced_tone(1.0), RATE, f"/tmp/{evil}.wav")
    assert "<img" not in markup and markup.count("</template>") == 1
    assert held(markup)["timeline"]["segments"][0]["emotion"] == evil
    assert html.unescape(re.search('data-path="([^"]*)"', markup)[1]) == f"/tmp/{evil}.wav"


def test_a_clip_is_one_segment_and_noise_none(tmp_path):
    file = recording(tmp_path / "a clip.wav", 2.0, pause=0.2)
    data = held(workbench_or_message(tiny_recognizer, decode_and_predict, str(file)))
    expected = tiny_recognizer()(file)
    (segment,) = data["timeline"]["segments"]
    assert segment == {"start": 0, "end": 2.4, "emotion": expected.label, "unsure": False,
                       "probability": pytest.approx(expected.probabilities[expected.label], abs=1e-4)}  # fmt: skip
    assert data["attention"] and data["voice"] is None
    soundfile.write(tmp_path / "hiss.wav", 0.1 * np.random.default_rng(0).standard_normal(2 * RATE), RATE)
    assert timeline_of(tiny_recognizer()(tmp_path / "hiss.wav")).segments == []
    assert "Record or upload" in workbench_or_message(tiny_recognizer, decode_and_predict, None)


def test_a_timeline_comes_back_as_it_went():
    again = from_data(json.loads(json.dumps(DATA)))
    assert as_data(again) == DATA
    for write in FORMATS.values():
        assert write(again) == write(TIMELINE)


def test_a_corrected_label_has_no_probability_in_any_format(tmp_path):
    data = copy.deepcopy(DATA)
    data["segments"][1] |= {"emotion": '<b>"amused"</b>', "probability": None}
    again = from_data(data)
    assert to_csv(again).splitlines()[2] == '2.000,4.000,"<b>""amused""</b>",,False'
    path = tmp_path / "corrected.TextGrid"
    path.write_text(workbench_endpoints.timeline_file(data, "textgrid"), encoding="utf-8")
    grid = parselmouth.read(str(path))
    told = [[call(grid, "Get label of interval", tier, number) for number in range(1, 7)] for tier in (1, 2)]
    assert told[0] == ["", "calm", '<b>"amused"</b>', "", "sad", ""]
    assert told[1] == ["", "0.80", "", "", "0.50", ""]


def changed(path: str, value: object) -> dict:
    data = copy.deepcopy(DATA)
    *keys, last = path.split(".")
    place = data
    for key in keys:
        place = place[int(key) if key.isdigit() else key]
    place[int(last) if last.isdigit() else last] = value
    return data


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("duration", 1e9), ("duration", math.nan), ("duration", "8"), ("duration", True), ("duration", None),
        ("labels", "calm"), ("labels", []), ("labels", ["x"] * 100), ("labels.0", 3),
        ("labels.0", "missing in the windows"),
        ("segments", None), ("segments", {}), ("segments", [DATA["segments"][0]] * (MOST_SEGMENTS + 1)),
        ("segments.0", []), ("segments.0", {}), ("segments.0.emotion", ""), ("segments.0.emotion", "  "),
        ("segments.0.emotion", "x" * (LONGEST_LABEL + 1)), ("segments.0.emotion", "two\nlines"),
        ("segments.0.emotion", "\x00"), ("segments.0.emotion", {"path": "/etc/passwd"}), ("segments.0.emotion", None),
        ("segments.0.start", -1), ("segments.0.start", math.inf), ("segments.0.end", 0.5), ("segments.0.end", 0.1),
        ("segments.0.end", 3.0), ("segments.2.end", 8.1), ("segments.0.probability", 1.5),
        ("segments.0.probability", "0.5"), ("windows.0.end", 9), ("windows.1.probabilities", []),
        ("windows.1.probabilities", {"calm": 10**400}), ("windows", 3),
    ],
)  # fmt: skip
def test_what_is_no_timeline_is_refused_in_a_sentence(path, value):
    with pytest.raises(TimelineError, match=r"^[A-Z].*\.$"):
        workbench_endpoints.timeline_file(changed(path, value), "csv")


@pytest.mark.parametrize(("data", "kind"), [(None, "csv"), ([], "csv"), ("x", "csv"), (DATA, "exe"), (DATA, ["csv"])])
def test_neither_other_data_nor_other_formats_are_written(data, kind):
    with pytest.raises(TimelineError):
        workbench_endpoints.timeline_file(data, kind)


def test_a_part_is_predicted_as_if_it_were_all(tmp_path):
    wave = phrases(2.0, 3.0)
    soundfile.write(tmp_path / "talk.wav", wave, RATE, subtype="FLOAT")
    recognizer = tiny_recognizer()
    emotion, bars, data = workbench_endpoints.predict_part(recognizer, str(tmp_path / "talk.wav"), 3.9, 6.5)
    alone = recognizer(wave[round(3.9 * RATE) : round(6.5 * RATE)], RATE)
    assert data["probabilities"] == pytest.approx(alone.probabilities, abs=1e-5) and alone.label in emotion
    assert bars.count('role="meter"') == len(LABELS)
    assert data["attention"]["times"][0] == pytest.approx(3.9) and data["attention"]["times"][-1] < 6.5
    silence = workbench_endpoints.predict_part(recognizer, str(tmp_path / "talk.wav"), 0.0, 0.9)
    assert silence[2]["label"] is None and silence[1] == "" and "No speech" in silence[0]
    whole = workbench_endpoints.predict_part(recognizer, str(tmp_path / "talk.wav"))[2]
    assert whole["duration"] == pytest.approx(8.0)


@pytest.mark.parametrize(
    ("start", "end"),
    [(-1, 2), (1, 9), (2, 1), (1, 1.01), (math.nan, 2), (0, math.inf), ("0", 2), ([], {}), (10**400, 2)],
)
def test_a_part_outside_the_recording_is_refused(tmp_path, start, end):
    file = recording(tmp_path / "talk.wav", 2.0)
    with pytest.raises(AudioError, match="within the recording"):
        workbench_endpoints.predict_part(tiny_recognizer(), str(file), start, end)
