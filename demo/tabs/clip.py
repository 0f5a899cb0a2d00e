"""The tab Clip: one recording in, one emotion out, with attention over time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from demo import cards, messages, voices
from demo.answer_buttons import answer_buttons, wire_saving
from demo.api import Prediction, endpoint, typed
from demo.cancelling import LastWords
from demo.components import AT_ONCE, audio_input, keep_clip
from demo.example_shelf import ExampleShelf
from demo.examples import Example
from demo.loading import NoModel
from demo.voices import VisitorVoice
from ser_model.audio import AudioError, TooLongError, load_audio
from ser_model.inference.results import Attention, EmotionResult
from ser_model.inference.voice_profile import VoiceProfile

from . import clip_workbench, voice_quality
from .voice_quality import DecodedClip

if TYPE_CHECKING:
    from ser_model.inference.recognizer import EmotionRecognizer

LONG_SECONDS = 20.0  # from which a clip is offered to the tab Recording, which shows how its emotion changes
MAX_SECONDS = 600.0  # of a clip; longer recordings belong in the tab Recording
KEPT_SECONDS = 300  # for which a decoded clip stays in memory; gradio makes it an hour where the page is closed before

Shown = tuple[str, str, str, dict[str, Any] | None]


def build(page: gr.Blocks, load: Callable[[], EmotionRecognizer], examples: list[Example], voice: VisitorVoice) -> None:
    """Adds the tab's content to the page under construction.

    Args:
        page: The page.
        load: Returns the recognizer; may take its time on the first call.
        examples: Clips to try.
        voice: The visitor's voice profile.
    """
    with gr.Row(equal_height=False, elem_classes="ser-columns"):
        with gr.Column(min_width=300):
            shelf = ExampleShelf(examples)
            audio = audio_input("Your clip", "ser-audio")
            button = gr.Button("Predict the emotion", variant="primary", size="lg", elem_id="ser-predict")
            use = voice.box("ser-clip-voice")
        with gr.Column(min_width=300):
            emotion = cards.html(cards.waiting_card(), "ser-emotion")
            shelf.place_for_truth()
            bars = cards.html("", "ser-bars")
            save = answer_buttons()
            trust = cards.html(cards.note(["Loading the model …"]), "ser-trust")
    picture = cards.html("", "ser-picture")
    present = LastWords()
    clip_workbench.build(load, decode_and_predict, audio, voice, use, present)
    decoded = gr.State(None, time_to_live=KEPT_SECONDS)
    data = gr.JSON(show_label=False, open=False, max_height=360, elem_id="ser-data", render=False)
    answered = [emotion, bars, picture, data, decoded]

    def changed(request: gr.Request, path: str | None) -> None:
        present.say(request, path)

    def predicted(request: gr.Request, path: str | None, kept: Any, use: bool) -> tuple[Any, ...]:
        shown = predict_or_message(load, path, kept if use else None)
        is_present = present.since(request) in (None, (path,))
        return shown if is_present else (gr.skip(),) * len(answered)

    def again(request: gr.Request, path: str | None, kept: Any, use: bool) -> tuple[Any, ...]:
        return predicted(request, path, kept, use) if path else _only(cards.waiting_card())

    shown_on = {"outputs": answered, **AT_ONCE, "show_progress": "minimal", "show_progress_on": emotion}
    given = [audio, voice.kept, use]
    # However the clip changes: uploaded, recorded, trimmed, cleared, an example, or back after a reload.
    changes = [audio.change, use.input]
    gr.on(changes, changed, audio, None, **AT_ONCE)
    events = [button.click(predicted, given, **shown_on), gr.on(changes, again, given, **shown_on)]
    shelf.put_into(audio)
    shelf.tell_after(events[1], data, decoded)
    drawn = [event.then(picture_of, decoded, picture, **AT_ONCE) for event in events]
    keep_clip(page, audio, "clip")
    wire_saving(save, audio, data)
    voice_quality.build(audio, decoded, drawn)
    with gr.Accordion("As data", open=False):
        data.render()
    loaded = page.load(lambda: trust_note(load), None, trust, **AT_ONCE)
    loaded.then(None, js="() => { document.body.classList.add('ser-model-loaded'); }", **AT_ONCE)
    shown = [emotion, bars, picture, typed(Prediction, "data")]
    profile = typed(VoiceProfile | str | None, "voice")
    endpoint("predict", lambda audio, voice=None: predict(load(), audio, voices.given(voice)), [audio, profile], shown,
             _DESCRIPTION)  # fmt: skip


_DESCRIPTION = (
    "Predicts the emotion of one recording. Returns what the page shows (HTML of the emotion, of the bars and of the "
    "picture) and, last, {label, probabilities, duration, speech: {seconds, share}, unsure, remark, attention: {times, "
    "weights}}; times in seconds, label null where no speech was found. "
    "voice: a profile that /voice_profile gave, as an object or as JSON text."
)


def predict(recognizer: EmotionRecognizer, path: str, voice: VoiceProfile | None = None) -> Shown:
    """Emotion card, bars, picture and data of one recording.

    Raises:
        AudioError: The recording cannot be used; the text says why.
        VoiceProfileError: The voice profile was made with another model.
    """
    clip = decode_and_predict(recognizer, path, voice)
    return (
        *_emotion_and_bars(recognizer, clip, messages.VOICE_USED if voice else ""),
        picture_of(clip),
        as_data(clip.result),
    )


def decode_and_predict(recognizer: EmotionRecognizer, path: str, voice: VoiceProfile | None) -> DecodedClip:
    """Reads a recording and predicts its emotion.

    Raises:
        AudioError: The recording cannot be used; the text says why.
        VoiceProfileError: The voice profile was made with another model.
    """
    rate = recognizer.sampling_rate
    wave = load_audio(path, rate, max_seconds=MAX_SECONDS)
    return DecodedClip(path, wave, rate, recognizer(wave, sampling_rate=rate, voice=voice))


def _emotion_and_bars(recognizer: EmotionRecognizer, clip: DecodedClip, of_voice: str) -> tuple[str, str]:
    result = clip.result
    predicted = result.as_data()
    hint = messages.level_hint(clip.wave)
    how = [messages.level(clip.wave, result.duration), *messages.how_measured(recognizer.report, predicted)]
    is_long = result.duration > LONG_SECONDS
    if result.label is None:
        return cards.emotion_card(predicted, [hint], how=how, is_long=is_long), ""
    remarks = [*messages.of_prediction(recognizer.report, predicted), of_voice, hint, messages.LONG if is_long else ""]
    return cards.emotion_card(predicted, remarks, how=how, is_long=is_long), cards.bar_list(result.probabilities)


def trust_note(load: Callable[[], EmotionRecognizer]) -> str:
    """The limits of the model, once it is loaded, or why there is none."""
    try:
        load()
        problem = ""
    except NoModel as error:
        problem = str(error)
    return cards.note([problem, messages.NOT_FEELINGS])


def draw(result: EmotionResult, wave: np.ndarray, sampling_rate: int) -> str:
    """The picture under the result, for desk and phone; without attention where there is no emotion."""
    from demo import plots

    figures = [plots.clip_figure(result, wave, sampling_rate, size) for size in (plots.WIDE, plots.NARROW)]
    drawn = [(plots.themed_svg(figure), plots.time_axis(figure)) for figure in figures]  # in this order
    description, caption = "Waveform and spectrogram of the clip", messages.WAVE_ONLY
    if result.attention is not None and result.label is not None:
        peak = float(result.attention.times[int(np.argmax(result.attention.weights))])
        description += f", with attention over time, which is greatest at {peak:.1f} seconds"
        caption = messages.ATTENTION
    return cards.clip_picture(drawn, f"{description}.", caption)


def _picture_space() -> str:
    from demo import plots

    return cards.picture_space((plots.WIDE, plots.NARROW), messages.DRAWING)


def as_data(result: EmotionResult) -> dict[str, Any]:
    """A result as JSON: `EmotionResult.as_data` and `attention` (`times` in seconds, `weights`)."""
    attention = None
    if result.attention is not None:
        attention = {
            "times": [round(float(time), 4) for time in result.attention.times],
            "weights": [round(float(weight), 7) for weight in result.attention.weights],
        }
    return result.as_data() | {"attention": attention}


def warm_up() -> None:
    """Draws a synthetic clip, so that the first real one need not wait for imports."""
    rate = 16_000
    wave = np.sin(np.linspace(0, 1000, 3 * rate)).astype(np.float32)
    attention = Attention(np.linspace(0, 3, 100), np.full(100, 0.01))
    draw(EmotionResult("neutral", {"neutral": 1.0}, attention, 3.0), wave, rate)


def predict_or_message(load: Callable[[], EmotionRecognizer], path: str | None, kept: Any = None) -> tuple[Any, ...]:
    """Emotion card, bars, room for the picture, data, and what `picture_of` draws; or a message in their place.

    Args:
        load: Returns the recognizer.
        path: The recording.
        kept: The visitor's voice profile as it came from the browser.
    """
    if path is None:
        return _only(cards.message_card(messages.NOTHING_CHOSEN))
    try:
        recognizer = load()
        voice, of_voice = voices.usable(kept, recognizer)
        clip = decode_and_predict(recognizer, path, voice)
    except NoModel as error:
        return _only(cards.message_card(str(error)))
    except AudioError as error:
        return _only(cards.message_card(str(error), is_long=isinstance(error, TooLongError)))
    return *_emotion_and_bars(recognizer, clip, of_voice), _picture_space(), as_data(clip.result), clip


def picture_of(clip: DecodedClip | None) -> str:
    """The picture of the clip last predicted: a step of its own, since it takes longer than the prediction."""
    return draw(clip.result, clip.wave, clip.sampling_rate) if clip else ""


def _only(card: str) -> tuple[Any, ...]:
    """A card where the emotion would be, and nothing else."""
    return card, "", "", None, None
