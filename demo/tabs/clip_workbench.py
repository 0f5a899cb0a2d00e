"""The workbench on the tab Clip: opened when it is asked for, since most visitors want the emotion alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from demo import cards, messages, voices
from demo.cancelling import LastWords
from demo.components import AT_ONCE
from demo.loading import NoModel
from demo.voices import VisitorVoice
from demo.workbench import workbench
from ser_model.audio import AudioError
from ser_model.inference.results import EmotionResult
from ser_model.inference.timeline import Segment, Timeline, Window

if TYPE_CHECKING:
    from ser_model.inference.recognizer import EmotionRecognizer

    from .voice_quality import DecodedClip

Predict = Callable[..., "DecodedClip"]  # recognizer, path, voice


def build(
    load: Callable[[], EmotionRecognizer],
    predict: Predict,
    audio: gr.Audio,
    voice: VisitorVoice,
    use: gr.Checkbox,
    present: LastWords,
) -> None:
    """Adds a button and the workbench to the page under construction.

    Args:
        load: Returns the recognizer.
        predict: Reads a recording and predicts its emotion.
        audio: Where the clip is; another one closes the workbench.
        voice: The visitor's voice profile.
        use: Whether it is used.
        present: The path of the clip that each session has, said when it changes or `use` does.
    """
    button = gr.Button("Open the clip in the workbench", size="lg", elem_id="ser-clip-bench-open")
    cards.html(cards.note([messages.WORKBENCH]), "ser-clip-bench-note")
    bench = cards.html("", "ser-clip-bench")

    def opened(request: gr.Request, path: str | None, kept: Any, use: bool) -> str:
        shown = workbench_or_message(load, predict, path, kept if use else None)
        return shown if present.since(request) is None else ""

    button.click(opened, [audio, voice.kept, use], bench, **AT_ONCE | {"show_progress": "minimal"})
    gr.on([audio.change, use.input], None, None, bench, js="() => ''", **AT_ONCE)


def workbench_or_message(
    load: Callable[[], EmotionRecognizer], predict: Predict, path: str | None, kept: Any = None
) -> str:
    """The workbench of one clip, or a sentence that says why there is none."""
    if path is None:
        return cards.message_card(messages.NOTHING_CHOSEN)
    try:
        recognizer = load()
        voice, _ = voices.usable(kept, recognizer)
        clip = predict(recognizer, path, voice)
        return workbench(timeline_of(clip.result), clip.wave, clip.sampling_rate, path, voice=voice)
    except (AudioError, NoModel) as error:
        return cards.message_card(str(error))


def timeline_of(result: EmotionResult) -> Timeline:
    """A clip's prediction as a timeline of one segment, the whole clip; of none where nobody speaks."""
    duration, labels = result.duration, list(result.probabilities)
    if result.label is None:
        return Timeline(duration, labels, [], np.zeros((0, len(labels))), [])
    whole = Segment(0.0, duration, result.label, result.probabilities[result.label], result.unsure)
    shares = np.array([list(result.probabilities.values())])
    return Timeline(duration, labels, [Window(0.0, duration, 0.0, duration)], shares, [whole], result.attention)
