"""Voice profiles on the page, without a browser: made, used, refused, and not kept."""

import asyncio
import json
import shutil

import gradio as gr
import numpy as np
import pytest
import soundfile
from conftest import spoken, voiced_tone
from demo_helpers import RATE, phrases, recording, tiny_recognizer
from fastapi import FastAPI
from fastapi.testclient import TestClient
from gradio.state_holder import SessionState
from hub_helpers import small_checkpoint
from starlette.requests import Request

from demo import messages, voices
from demo.loading import RecognizerLoader
from demo.models import Models
from demo.page import build_page
from demo.serving import ServedRecognizer
from demo.tabs import batch, clip, compare, live, my_voice
from demo.tabs import recording as recording_tab
from ser_model.audio import AudioError
from ser_model.inference.voice_profile import VoiceProfile, VoiceProfileError


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return small_checkpoint(tmp_path_factory.mktemp("checkpoint") / "encoder", "ser_speech_encoder")


@pytest.fixture(scope="module")
def recognizer(checkpoint):
    return ServedRecognizer.from_pretrained(checkpoint)


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    for number in range(3):
        soundfile.write(folder / f"{number}.wav", spoken(1.0 + number, RATE, number), RATE)
    return [str(path) for path in sorted(folder.iterdir())]


@pytest.fixture(scope="module")
def profile(recognizer, clips):
    return VoiceProfile.from_clips(recognizer, clips)


@pytest.fixture
def kept(profile):
    """A profile as it comes back from a browser."""
    return json.loads(json.dumps(vars(profile)))


def test_a_profile_is_made_for_the_browser(recognizer, clips, profile, kept):
    made, status = my_voice.make_or_message(lambda: recognizer, clips)
    assert made == kept and "from 6 s of audio" in status
    status, forget, *boxes = my_voice.shown_of(lambda: recognizer, kept, 2)
    assert "from 6 s of audio" in status and forget.interactive and [box.visible for box in boxes] == [True] * 2
    status, forget, box = my_voice.shown_of(lambda: recognizer, None, 1)
    assert messages.NO_VOICE in status and not forget.interactive and not box.visible


def test_too_few_or_bad_clips_are_told_and_leave_what_is_kept(recognizer, clips, tmp_path):
    (tmp_path / "words.wav").write_text("These are words, not sound.")
    soundfile.write(tmp_path / "long.wav", np.tile(voiced_tone(1.0), 31), RATE)
    for files, said in (
        (None, messages.FEW_CLIPS),
        (clips[:2], messages.FEW_CLIPS),
        ([*clips[:2], str(tmp_path / "words.wav")], "Clip 3: This file is not audio"),
        ([str(tmp_path / "long.wav"), *clips], "Clip 1: "),
        (clips * 4, "These are 12 clips; a voice profile is made from at most 10."),
    ):
        made, status = my_voice.make_or_message(lambda: recognizer, files)
        assert said in status and 'role="alert"' in status and made == gr.skip()


def test_the_clip_is_predicted_with_the_profile_and_says_so(recognizer, clips, kept, profile):
    expected = recognizer(clips[0], voice=profile)
    card, _, _, data, decoded = clip.predict_or_message(lambda: recognizer, clips[0], kept)
    assert messages.VOICE_USED in card and decoded.result.probabilities == pytest.approx(
        expected.probabilities, abs=1e-6
    )
    assert data["label"] == expected.label
    card, _, _, data, _ = clip.predict_or_message(lambda: recognizer, clips[0])
    assert "voice profile" not in card and data["probabilities"] == pytest.approx(
        recognizer(clips[0]).probabilities, abs=1e-6
    )


@pytest.mark.parametrize("spoilt", [{"checkpoint": "0" * 64}, {"mean": "much"}, {"mean": [[1.0]], "std": [[1.0]]}])
def test_a_profile_that_does_not_fit_is_not_used_and_the_page_goes_on(recognizer, clips, kept, spoilt):
    kept |= spoilt
    card, _, _, data, _ = clip.predict_or_message(lambda: recognizer, clips[0], kept)
    assert messages.VOICE_NOT_USED in card and data["probabilities"] == pytest.approx(
        recognizer(clips[0]).probabilities, abs=1e-6
    )
    status, forget, box = my_voice.shown_of(lambda: recognizer, kept, 1)
    assert messages.VOICE_FOREIGN in status and forget.interactive and not box.visible
    with pytest.raises(VoiceProfileError):
        clip.predict(recognizer, clips[0], voices.given(kept))
    assert voices.usable(["other", "content"], recognizer) == (None, messages.VOICE_NOT_USED)


def test_a_model_without_encoder_says_that_it_takes_no_profiles(clips, kept):
    status, *hidden = my_voice.refusal_of(tiny_recognizer, 3)
    assert "takes no voice profiles" in status and [update["visible"] for update in hidden] == [False] * 3
    assert "takes no voice profiles" in my_voice.shown_of(tiny_recognizer, kept, 1)[0]
    assert "takes no voice profiles" in my_voice.make_or_message(tiny_recognizer, clips)[1]
    assert messages.VOICE_NOT_USED in clip.predict_or_message(tiny_recognizer, clips[0], kept)[0]
    for predict in (batch.predict_or_message, recording_tab.analyse_or_message):
        given = clips if predict is batch.predict_or_message else clips[0]
        assert "takes no voice profiles" in list(predict(tiny_recognizer, given, one_speaker=True))[-1][0]


def test_a_batch_and_a_recording_of_one_speaker(recognizer, clips, profile, tmp_path):
    *steps, (status, table) = batch.predict_or_message(lambda: recognizer, clips, one_speaker=True)
    assert messages.OWN_PROFILE in status and table and "Voice profile: 3 of 3 files" in steps[3][0]
    talk = str(recording(tmp_path / "talk.wav", 2.0, 4.0))
    *steps, (status, bench) = recording_tab.analyse_or_message(lambda: recognizer, talk, one_speaker=True)
    assert messages.OWN_PROFILE in status and "<svg" in bench and '"num_frames"' in bench  # for parts of it
    own = recording_tab.timeline_data(recognizer, talk, one_speaker=True)
    assert (
        own["windows"][0]["probabilities"]
        != recording_tab.timeline_data(recognizer, talk)["windows"][0]["probabilities"]
    )


def test_compare_uses_the_profile_with_its_own_checkpoint_alone(checkpoint, tmp_path, clips, kept, profile, recognizer):
    other = small_checkpoint(tmp_path / "other", "ser_cnn_bilstm")
    models = Models(RecognizerLoader(str(checkpoint)), [str(other)])
    entries = {entry["model"]: entry for entry, _ in compare.as_they_come(models, clips[0], models.titles, kept)}
    own, foreign = (entries[title] for title in models.titles)
    assert own["probabilities"] == pytest.approx(recognizer(clips[0], voice=profile).probabilities, abs=1e-6)
    assert foreign["probabilities"] == compare.compare(models, clips[0], models.titles)[1]["probabilities"]
    *_, shown = compare.compare_or_message(models, clips[0], models.titles, kept)
    assert shown.count(messages.VOICE_USED) == 1


def test_a_live_session_takes_a_profile_and_gives_it_up(recognizer, kept):
    app = FastAPI()
    app.include_router(live.routes(live.LiveSessions(lambda: recognizer)))
    client = TestClient(app)
    pcm = (32767 * phrases(2.0, pause=0.3)).astype("<i2").tobytes()

    def speak(name):
        return client.post(f"/live/{name}?rate=16000", content=pcm[: 2 * 2 * RATE]).json()["emotion"]

    assert messages.VOICE_USED not in speak("me")
    assert client.post("/live/me/voice?rate=16000", content=json.dumps(kept)).status_code == 200
    assert messages.VOICE_USED in speak("me") and messages.VOICE_USED not in speak("other")
    assert client.post("/live/me/voice?rate=16000", content=b"").status_code == 200
    assert messages.VOICE_USED not in speak("me")
    for spoilt in ({"checkpoint": "0" * 64}, {"mean": "much"}):
        assert client.post("/live/me/voice?rate=16000", content=json.dumps(kept | spoilt)).status_code == 200
        assert messages.VOICE_NOT_USED in speak("me")
    for content in (b"{", b"\xff", b"[" * 100_000):
        refused = client.post("/live/me/voice?rate=16000", content=content)
        assert refused.status_code == 400 and "voice profile" in refused.json()["detail"]
    assert client.post("/live/me/voice?rate=16000", content=bytes(3_000_000)).status_code == 413
    foreign = client.post("/live/me/voice?rate=16000", content=b"", headers={"Origin": "https://elsewhere.example"})
    assert foreign.status_code == 403


def test_the_server_keeps_no_profile(checkpoint, clips, kept, tmp_path, monkeypatch):
    """Neither one that a browser sends, nor one that it is given."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    page = build_page(Models(RecognizerLoader(str(checkpoint))))
    uploaded = [{"path": shutil.copy(path, tmp_path), "meta": {"_type": "gradio.FileData"}} for path in clips]
    given = {"browserstate": kept, "file": uploaded, "audio": uploaded[0], "checkbox": True}
    request = gr.Request(Request({"type": "http", "state": {"arrived": 1.0}}))
    events = [
        fn
        for fn in page.fns.values()
        if fn.fn and "browserstate" in [block.get_block_name() for block in (*fn.inputs, *fn.outputs)]
    ]
    assert len(events) >= 6
    for fn in events:
        state = SessionState(page)
        inputs = [given.get(block.get_block_name()) for block in fn.inputs]
        answer = asyncio.run(page.process_api(block_fn=fn, inputs=inputs, state=state, request=request))
        assert kept["checkpoint"] not in json.dumps(list(state.components), default=str)
        made = [block.get_block_name() for block in fn.outputs].index("browserstate") if uploaded in inputs else None
        assert made is None or answer["data"][made] == kept


def functions_of(page: gr.Blocks) -> dict:
    return {fn.fn.__name__: fn for fn in page.fns.values() if fn.fn}


def asked(arrived: float) -> gr.Request:
    return gr.Request(Request({"type": "http", "state": {"arrived": arrived}}), session_hash="someone")


def test_what_is_kept_may_be_forgotten_where_the_model_takes_no_profiles(checkpoint):
    page = build_page(Models(RecognizerLoader(str(checkpoint))))
    (forget,) = (block for block in page.blocks.values() if getattr(block, "value", None) == "Forget")
    (told,) = (fn for fn in page.fns.values() if forget in fn.outputs)  # what is kept
    (refused,) = (
        fn
        for fn in page.fns.values()
        if told.outputs[0] in fn.outputs and [event for _, event in fn.targets] == ["load"]
    )
    shown = forget
    while shown is not None:
        assert shown not in refused.outputs
        shown = shown.parent


def test_a_profile_under_way_is_not_kept_once_it_is_forgotten(checkpoint, clips, kept):
    functions = functions_of(build_page(Models(RecognizerLoader(str(checkpoint)))))
    functions["forgotten"].fn(asked(2.0))
    assert functions["made"].fn(asked(1.0), clips) == (gr.skip(), gr.skip())
    assert functions["made"].fn(asked(3.0), clips)[0] == kept


def test_the_answer_for_an_earlier_clip_is_not_shown(checkpoint, clips):
    functions = functions_of(build_page(Models(RecognizerLoader(str(checkpoint)))))
    functions["changed"].fn(asked(2.0), clips[1])
    for name, nothing in (("predicted", (gr.skip(),) * 5), ("again", (gr.skip(),) * 5), ("opened", "")):
        assert functions[name].fn(asked(1.0), clips[0], None, False) == nothing
        assert functions[name].fn(asked(3.0), clips[1], None, False) != nothing
    assert functions["again"].fn(asked(1.0), clips[1], None, True)[0] != gr.skip()  # asked for as the clip came


def test_programs_may_leave_out_the_profile_and_send_it_as_text(kept, profile):
    assert voices.given(None) is voices.given("") is None
    assert voices.given(json.dumps(kept)) == voices.given(kept) == profile
    for other in ("{", "null", 3, [kept], {"path": "x"}):
        with pytest.raises(VoiceProfileError, match="no voice profile"):
            voices.given(other)
    with pytest.raises(AudioError, match="at most 10"):
        my_voice.profile_of(tiny_recognizer(), ["x.wav"] * 11)
