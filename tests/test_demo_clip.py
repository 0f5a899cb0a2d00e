"""The tab Clip without a browser and without a trained model."""

import json
import re

import gradio as gr
import numpy as np
import pytest
import soundfile
from conftest import spoken
from demo_helpers import tiny_recognizer
from not_speech import NOT_SPEECH

from demo import messages
from demo.loading import NoModel, RecognizerLoader, missing_model
from demo.models import Models
from demo.page import appearance, build_page
from demo.tabs import clip, voice_quality
from ser_model.audio import AudioError
from ser_model.inference.results import Attention, EmotionResult


class FixedRecognizer:
    """Stands for a recognizer: always predicts the same."""

    sampling_rate = 16_000
    report = None

    def __call__(self, wave, sampling_rate, voice=None):
        assert sampling_rate == self.sampling_rate and wave.dtype == np.float32
        times = np.arange(0, len(wave) / sampling_rate, 0.5)
        attention = Attention(times, np.full(len(times), 1 / len(times), dtype=np.float32))
        return EmotionResult("sad", {"calm": 0.25, "sad": 0.75}, attention, len(wave) / sampling_rate)


def broken():
    raise NoModel("No model could be loaded from there.")


@pytest.fixture
def clip_path(tmp_path):
    path = tmp_path / "clip.wav"
    soundfile.write(path, spoken(2.0), 16_000)
    return path


def test_predict_gives_card_bars_picture_and_data(clip_path):
    emotion, bars, picture, data = clip.predict(FixedRecognizer(), str(clip_path))
    assert "sad" in emotion and "75 %" in emotion
    assert bars.count('role="meter"') == 2
    assert picture.count("<svg") == 2 and 'role="img"' in picture
    assert data["label"] == "sad" and data["probabilities"] == {"calm": 0.25, "sad": 0.75}
    assert data["duration"] == pytest.approx(2.0)
    assert data["attention"]["times"] == [0.0, 0.5, 1.0, 1.5]
    assert json.loads(json.dumps(data)) == data


@pytest.mark.parametrize("name", sorted(set(NOT_SPEECH) - {"silence"}))  # which is refused
def test_noise_gets_no_emotion_on_the_page_nor_from_the_api(tmp_path, name):
    path = tmp_path / "noise.wav"
    soundfile.write(path, NOT_SPEECH[name], 16_000)
    emotion, bars, picture, data = clip.predict(tiny_recognizer(), str(path))
    assert "No speech found" in emotion and "%" not in emotion and bars == ""
    assert picture.count("<svg") == 2 and "attention" not in picture
    assert data["label"] is None and data["speech"] == {"seconds": 0.0, "share": 0.0} and data["remark"]
    shown = clip.predict_or_message(tiny_recognizer, str(path))
    assert (shown[0], shown[1]) == (emotion, bars) and shown[3] == data


def test_an_unsure_prediction_names_two_emotions_and_why(clip_path):
    recognizer = tiny_recognizer()
    recognizer.model.config.unsure_below = 1.0
    emotion, bars, _, data = clip.predict(recognizer, str(clip_path))
    first, second, _ = sorted(data["probabilities"], key=lambda label: -data["probabilities"][label])
    assert f"Unsure: {first} or {second}" in emotion and "three of four" in emotion and "Close second" not in emotion
    assert data["unsure"] is True and data["label"] == first and bars.count('role="meter"') == 3


def test_predict_takes_any_rate_and_channels(tmp_path):
    path = tmp_path / "stereo.wav"
    soundfile.write(path, np.random.default_rng(0).uniform(-0.2, 0.2, (44_100, 2)), 44_100)
    assert clip.predict(FixedRecognizer(), str(path))[3]["duration"] == pytest.approx(1.0, abs=1e-3)


def test_a_clip_of_more_than_a_minute_is_measured_in_its_first_and_offered_to_recording(clip_path):
    soundfile.write(clip_path, np.tile(spoken(2.0), 31), 16_000)
    emotion, *_, decoded = clip.predict_or_message(FixedRecognizer, str(clip_path))
    assert "data-long" in emotion and messages.LONG in emotion
    assert messages.FIRST_MINUTE in voice_quality._measured(str(clip_path), decoded, "all")[1]


def test_predict_refuses_what_is_too_long_for_the_page(tmp_path):
    path = tmp_path / "long.wav"
    soundfile.write(path, np.full(int(1000 * (clip.MAX_SECONDS + 1)), 0.1, dtype=np.float32), 1000)
    with pytest.raises(AudioError, match="at most 600 s"):
        clip.predict(FixedRecognizer(), str(path))
    assert "data-long" in clip.predict_or_message(FixedRecognizer, str(path))[0]


def test_people_get_a_sentence(tmp_path):
    path = tmp_path / "messages.wav"
    path.write_text("These are words, not sound.")
    with pytest.raises(AudioError) as refused:
        clip.predict(FixedRecognizer(), str(path))
    emotion, *rest = clip.predict_or_message(FixedRecognizer, str(path))
    assert str(refused.value) in emotion and 'role="alert"' in emotion
    assert rest == ["", "", None, None] and clip.picture_of(rest[-1]) == ""


def test_the_answer_comes_before_the_picture(clip_path):
    emotion, bars, room, data, decoded = clip.predict_or_message(FixedRecognizer, str(clip_path))
    assert "sad" in emotion and "sad" in bars and data["label"] == "sad"
    drawn = re.findall(r'<svg [^>]*viewBox="0 0 ([\d.]+) ([\d.]+)"', clip.picture_of(decoded))
    kept_free = re.findall(r"aspect-ratio: ([\d.]+) / ([\d.]+)", room)
    assert "<svg" not in room and len(drawn) == len(kept_free) == 2
    for (width, height), (free_width, free_height) in zip(drawn, kept_free, strict=True):
        assert float(width) / float(height) == pytest.approx(float(free_width) / float(free_height), abs=1e-3)


def test_a_clip_is_decoded_once(clip_path):
    *_, decoded = clip.predict_or_message(FixedRecognizer, str(clip_path))
    measures, panel = voice_quality._measured(str(clip_path), decoded, "all")
    clip_path.unlink()  # from here on only the decoded clip is left
    assert "<svg" in clip.picture_of(decoded)
    assert voice_quality._measured(str(clip_path), decoded, "all") == (measures, panel) and measures
    assert messages.FIRST_MINUTE not in panel
    assert voice_quality._measured("another.wav", decoded, "all")[0] is None


def test_nothing_chosen_and_no_model_are_said():
    assert messages.NOTHING_CHOSEN in clip.predict_or_message(broken, None)[0]
    assert "No model could be loaded" in clip.predict_or_message(broken, "clip.wav")[0]
    assert "No model could be loaded" in clip.trust_note(broken)


def test_what_is_unknown_is_admitted_and_the_limits_are_said(clip_path):
    assert messages.UNKNOWN in clip.predict(FixedRecognizer(), str(clip_path))[0]
    assert messages.NOT_FEELINGS in clip.trust_note(FixedRecognizer)


def test_a_result_without_attention_has_null_for_it():
    data = clip.as_data(EmotionResult("sad", {"sad": 1.0}, None, 1.0))
    assert data["attention"] is None


ENDPOINTS = [
    "/predict", "/voice_profile", "/voice_quality", "/timeline", "/timeline_file", "/part", "/batch", "/compare",
]  # fmt: skip


def test_every_button_of_the_page_was_named():
    blocks = build_page(Models(RecognizerLoader("someone/a-model"))).blocks.values()
    names = [block.value for block in blocks if isinstance(block, gr.Button)]
    assert "Predict the emotion" in names and "Run" not in names  # gradio's name of one that an update made by mistake


def test_page_is_built_without_a_model_and_each_endpoint_needs_one_input():
    offered = build_page(Models(RecognizerLoader("someone/a-model"))).get_api_info()["named_endpoints"]
    assert sorted(offered) == sorted(ENDPOINTS)
    for name, endpoint in offered.items():
        needed = [given for given in endpoint["parameters"] if not given["parameter_has_default"]]
        assert len(needed) == 1, name
        assert endpoint["description"]


def test_answers_are_typed():
    offered = build_page(Models(RecognizerLoader("someone/a-model"))).get_api_info()["named_endpoints"]
    answers = {name: offered[name]["returns"][-1]["python_type"]["type"] for name in ENDPOINTS}
    assert "label: str" in answers["/predict"] and "duration: float" in answers["/predict"]
    assert "segments" in answers["/timeline"] and "emotion: str" in answers["/timeline"]
    assert answers["/batch"].lower().startswith("list") and "error" in answers["/batch"]
    assert answers["/compare"].lower().startswith("list") and "model: str" in answers["/compare"]
    assert "num_frames: int" in answers["/voice_profile"] and "mean" in answers["/voice_profile"]
    assert "percentiles" in answers["/voice_quality"] and "unit: str" in answers["/voice_quality"]


def test_look_comes_from_this_folder_alone():
    look = appearance()
    assert "autoGainControl: false" in look["head"]
    assert len(look["head"]) < 150_000  # a page that is quickly there; the vendored library comes by itself
    sheets = "".join(path.read_text() for path in look["css_paths"])
    assert "://" not in sheets + look["head"]
    assert not any("http" in sheet for sheet in look["theme"]._stylesheets)


def test_missing_model_is_told_before_the_server_starts(tmp_path):
    assert missing_model(str(tmp_path), "MODEL_ID") is None
    assert missing_model("someone/a-model", "MODEL_ID") is None
    for name in (str(tmp_path / "nowhere"), "./nowhere/at-all", "nowhere"):
        assert name in missing_model(name, "MODEL_ID")


def test_warm_up_draws_a_clip_of_its_own():
    clip.warm_up()
