"""The tab Clip: one recording in, one emotion out, with where the network listened."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from ser_model.audio import AudioError, load_audio

from . import cards, words
from .loading import NoModel

if TYPE_CHECKING:
    from ser_model.recognizer import EmotionRecognizer, EmotionResult

MAX_SECONDS = 600.0  # what a picture and a visitor's patience bear

Shown = tuple[str, str, str, dict[str, Any] | None]


def build(page: gr.Blocks, load: Callable[[], EmotionRecognizer]) -> None:
    """Adds the tab to the page under construction.

    Args:
        page: The page.
        load: Returns the recognizer; may take its time on the first call.
    """
    with gr.Row(equal_height=False, elem_classes="ser-columns"):
        with gr.Column(min_width=300):
            audio = gr.Audio(
                label="Your clip",
                sources=["upload", "microphone"],
                type="filepath",
                format=None,
                buttons=[],
                elem_id="ser-audio",
            )
            button = gr.Button("Hear the emotion", variant="primary", size="lg", elem_id="ser-hear")
            trust = cards.html(cards.note(["The model is being loaded …"]), "ser-trust")
        with gr.Column(min_width=300):
            emotion = cards.html(cards.waiting_card(), "ser-emotion")
            bars = cards.html("", "ser-bars")
    picture = cards.html("", "ser-picture")
    with gr.Accordion("As data", open=False):
        data = gr.JSON(show_label=False, open=False, max_height=360, elem_id="ser-data")

    shown = [emotion, bars, picture, data]
    gr.on(
        [button.click, audio.upload, audio.stop_recording],
        lambda path: _hear_or_say_why(load, path),
        audio,
        shown,
        api_visibility="private",
        trigger_mode="always_last",
        show_progress="minimal",
        show_progress_on=emotion,
    )
    audio.clear(lambda: (cards.waiting_card(), "", "", None), None, shown, api_visibility="private", queue=False)
    page.load(lambda: trust_note(load), None, trust, api_visibility="private", show_progress="hidden")
    # Beside the page's own event, since a program wants an error where a person wants a sentence.
    gr.on([], lambda audio: _hear_or_raise(load, audio), audio, shown, api_name="predict", api_description=_DESCRIPTION)


_DESCRIPTION = (
    "Hears the emotion in one recording. Returns what the page shows (HTML of the emotion, of the bars and of the "
    "picture) and, last, {label, probabilities, attention: {times, weights}, duration}; times in seconds."
)


def hear(recognizer: EmotionRecognizer, path: str) -> Shown:
    """Emotion card, bars, picture and data of one recording.

    Raises:
        AudioError: The recording cannot be used; the text says why.
    """
    rate = recognizer.sampling_rate
    wave = load_audio(path, rate, max_seconds=MAX_SECONDS)
    result = recognizer(wave, sampling_rate=rate)
    remarks = [
        words.second_guess(result.probabilities),
        words.when_it_says(recognizer.report, result.label),
        words.level(wave, result.duration),
    ]
    return (
        cards.emotion_card(result.label, result.probabilities[result.label], remarks),
        cards.bar_list(result.probabilities),
        draw(result, wave, rate),
        as_data(result),
    )


def trust_note(load: Callable[[], EmotionRecognizer]) -> str:
    """How often the model is right, or why there is none, and what its answer must not be taken for."""
    try:
        right = words.how_often_right(load().report)
    except NoModel as error:
        right = str(error)
    return cards.note([right, words.NOT_FEELINGS])


def draw(result: EmotionResult, wave: np.ndarray, sampling_rate: int) -> str:
    """The picture under the result, for desk and phone."""
    from . import plots

    wide, narrow = (
        plots.themed_svg(plots.clip_figure(result, wave, sampling_rate, size)) for size in (plots.WIDE, plots.NARROW)
    )
    description = "Sound wave and spectrogram of the clip"
    if result.attention is not None:
        loudest = float(result.attention.times[int(np.argmax(result.attention.weights))])
        description += f", with where the network listened laid over them: most closely at {loudest:.1f} seconds"
    return cards.picture(wide, narrow, f"{description}.")


def as_data(result: EmotionResult) -> dict[str, Any]:
    """A result as JSON: `label`, `probabilities`, `attention` (`times` in seconds, `weights`) and `duration`."""
    attention = None
    if result.attention is not None:
        attention = {
            "times": [round(float(time), 4) for time in result.attention.times],
            "weights": [round(float(weight), 7) for weight in result.attention.weights],
        }
    return {
        "label": result.label,
        "probabilities": {label: float(share) for label, share in result.probabilities.items()},
        "attention": attention,
        "duration": float(result.duration),
    }


def warm_up(recognizer: EmotionRecognizer) -> None:
    """Hears and draws a made-up clip, so that the first real one does not pay for imports."""
    rate = recognizer.sampling_rate
    times = np.arange(3 * rate) / rate
    wave = (0.3 * np.sin(2 * np.pi * 200 * times) * np.sin(np.pi * times) ** 2).astype(np.float32)
    draw(recognizer(wave, sampling_rate=rate), wave, rate)


def _hear_or_raise(load: Callable[[], EmotionRecognizer], path: str | None) -> Shown:
    if path is None:  # said at once, even while the model is being loaded
        raise gr.Error(words.NOTHING_CHOSEN, print_exception=False)
    try:
        return hear(load(), path)
    except (AudioError, NoModel) as error:
        raise gr.Error(str(error), print_exception=False) from error


def _hear_or_say_why(load: Callable[[], EmotionRecognizer], path: str | None) -> Shown:
    try:
        return _hear_or_raise(load, path)
    except gr.Error as error:
        return cards.message_card(error.message), "", "", None
