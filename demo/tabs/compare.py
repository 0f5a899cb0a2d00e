"""The tab Compare: one clip through two or more checkpoints, side by side."""

from __future__ import annotations

from typing import Any

import gradio as gr
import numpy as np

from demo import cards, messages, voices
from demo.api import Comparison, endpoint, typed
from demo.components import AT_ONCE, audio_input
from demo.loading import NoModel
from demo.models import Models
from demo.voices import VisitorVoice
from ser_model.audio import AudioError, load_audio
from ser_model.inference.results import RESULT

MOST_MODELS = 4


def build(offered: Models, voice: VisitorVoice) -> None:
    """Adds the tab's content to the page under construction.

    Args:
        offered: The checkpoints to choose from.
        voice: The visitor's voice profile.
    """

    def compared(audio: str, models: list[str] | None = None) -> list[dict[str, Any]]:
        return compare(offered, audio, models or offered.titles)

    with gr.Row(equal_height=False, elem_classes="ser-columns"):
        with gr.Column(min_width=300):
            audio = audio_input("Your clip", "ser-compare-audio")
        with gr.Column(min_width=300):
            chosen = gr.Dropdown(
                offered.titles,
                value=offered.titles[:MOST_MODELS],
                multiselect=True,
                max_choices=MOST_MODELS,
                allow_custom_value=True,
                label="Models",
                info=messages.COMPARE_INFO,
                elem_id="ser-models",
            )
            use = voice.box("ser-compare-voice")
            button = gr.Button("Compare", variant="primary", size="lg", elem_id="ser-compare")
    shown = cards.html(cards.note([messages.COMPARE_NOTE]), "ser-compared")
    gr.on(
        [button.click, audio.upload, audio.stop_recording],
        lambda path, titles, kept, use: compare_or_message(offered, path, titles, kept if use else None),
        [audio, chosen, voice.kept, use],
        shown,
        trigger_mode="always_last",
        api_visibility="private",
        show_progress="minimal",
    )
    audio.clear(lambda: cards.note([messages.COMPARE_NOTE]), None, shown, **AT_ONCE)
    endpoint("compare", compared, [audio, chosen], typed(list[Comparison], "answers"), _DESCRIPTION)


_DESCRIPTION = (
    "Predicts one recording with several checkpoints: those offered, or ids on the Hub of this project's models and "
    "other audio classifiers of transformers. "
    "Returns one entry a checkpoint: {model, label, probabilities, duration, speech, unsure, remark, error}, label "
    "null where error or remark says why."
)


def compare(models: Models, path: str, titles: list[str], kept: Any = None) -> list[dict[str, Any]]:
    """One entry a model; the entry of a model that cannot be loaded has the reason.

    Args:
        models: The checkpoints on offer.
        path: The recording.
        titles: Which of them to predict with.
        kept: The visitor's voice profile, for the checkpoint that it was made with.

    Raises:
        AudioError: The recording cannot be used.
    """
    entries: list[dict[str, Any]] = []
    waves: dict[int, np.ndarray] = {}  # sampling rate in Hz -> the recording
    for title in titles[:MOST_MODELS]:
        entry: dict[str, Any] = {"model": title, **dict.fromkeys(RESULT), "error": None}
        try:
            recognizer = models.find(title)()
        except NoModel as error:
            entries.append(entry | {"error": str(error)})
        else:
            rate = recognizer.sampling_rate
            if rate not in waves:
                waves[rate] = load_audio(path, rate)
            voice, _ = voices.usable(kept, recognizer)
            entries.append(entry | recognizer(waves[rate], rate, voice).as_data())
    return entries


def compare_or_message(models: Models, path: str | None, titles: list[str], kept: Any = None) -> str:
    """The predictions side by side, or a sentence that says why there are none."""
    if path is None:
        return cards.message_card(messages.NOTHING_CHOSEN)
    if not titles:
        return cards.message_card(messages.NO_MODELS)
    try:
        entries = compare(models, path, titles, kept)
    except AudioError as error:
        return cards.message_card(str(error))
    return cards.side_by_side([(entry["model"], _column(models, entry, kept)) for entry in entries]) + cards.note(
        [messages.agreement(entries)]
    )


def _column(models: Models, entry: dict[str, Any], kept: Any) -> str:
    if entry["error"]:
        return cards.message_card(entry["error"])
    if entry["label"] is None:
        return cards.emotion_card(entry, [])
    recognizer = models.find(entry["model"])()
    report, (voice, remark) = recognizer.report, voices.usable(kept, recognizer)
    return (
        cards.emotion_card(entry, [*messages.of_prediction(report, entry), remark if voice else ""])
        + cards.bar_list(entry["probabilities"])
        + cards.note([messages.accuracy_note(report), messages.calibration_note(report)])
    )
