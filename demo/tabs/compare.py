"""The tab Compare: one clip through two or more checkpoints, side by side."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from demo import cards, messages, voices
from demo.api import Comparison, endpoint, typed
from demo.components import audio_input, job_buttons, long_job
from demo.loading import NoModel
from demo.models import Models
from demo.voices import VisitorVoice
from ser_model.audio import AudioError, load_audio
from ser_model.inference.results import RESULT

from .clip import MAX_SECONDS

if TYPE_CHECKING:
    from ser_model.inference.recognizer import EmotionRecognizer

MOST_MODELS = 4
AWAITED = cards.render("awaited")

Entry = tuple[dict[str, Any], "EmotionRecognizer | None"]  # of the answer of /compare, and the model that predicted


def build(offered: Models, voice: VisitorVoice) -> None:
    """Adds the tab's content to the page under construction.

    Args:
        offered: The checkpoints to choose from.
        voice: The visitor's voice profile.
    """

    def compared(audio: str, models: list[str] | str | None = None) -> list[dict[str, Any]]:
        return compare(offered, audio, titles_of(models) or offered.titles)

    def answers(path: str | None, titles: list[str], kept: Any, use: bool) -> Iterator[tuple[str]]:
        for markup in compare_or_message(offered, path, titles, kept if use else None):
            yield (markup,)

    with gr.Row(equal_height=False, elem_classes="ser-columns"):
        with gr.Column(min_width=300):
            audio = audio_input("Your clip", "ser-compare-audio", editable=False)
        with gr.Column(min_width=300):
            chosen = gr.Dropdown(
                [(offered.caption(title), title) for title in offered.titles],
                value=offered.titles[:MOST_MODELS],
                multiselect=True,
                max_choices=MOST_MODELS,
                allow_custom_value=True,
                label="Models",
                info=messages.COMPARE_INFO,
                elem_id="ser-models",
            )
            use = voice.box("ser-compare-voice")
            buttons = job_buttons("Compare", "ser-compare")
    shown = cards.html(cards.note([messages.COMPARE_NOTE]), "ser-compared")
    started = [buttons[0].click, audio.upload, audio.stop_recording]
    long_job(started, answers, audio, chosen, [shown], buttons, messages.COMPARE_NOTE, [voice.kept, use])
    endpoint("compare", compared, [audio, chosen], typed(list[Comparison], "answers"), _DESCRIPTION)


_DESCRIPTION = (
    "Predicts one recording with several checkpoints: those offered, or ids on the Hub of this project's models and "
    "other audio classifiers of transformers. "
    "Returns one entry a checkpoint: {model, label, probabilities, duration, speech, unsure, remark, error}, label "
    "null where error or remark says why."
)


def titles_of(models: Any) -> list[str]:
    """The names of models that a program gives, in a list or one alone.

    Raises:
        NoModel: They are no names.
    """
    titles = [models] if isinstance(models, str) else models or []
    if not isinstance(titles, list) or not all(isinstance(title, str) for title in titles):
        raise NoModel("Models are given by their names, or as ids on the Hub such as user/model.")
    return titles


class Recording:
    """A recording that several models predict: decoded once for each sampling rate.

    Args:
        path: The file.
    """

    def __init__(self, path: str):
        self._path = path
        self._waves: dict[int, np.ndarray] = {}
        self._lock = threading.Lock()

    def at(self, rate: int) -> np.ndarray:
        """Its samples `(num_samples,)` at `rate` Hz.

        Raises:
            AudioError: It cannot be used.
        """
        with self._lock:
            if rate not in self._waves:
                self._waves[rate] = load_audio(self._path, rate, max_seconds=MAX_SECONDS)
            return self._waves[rate]


def entry_of(models: Models, title: str, recording: Recording, kept: Any = None) -> Entry:
    """One model's prediction and the model, or why there is none and None.

    Args:
        models: The checkpoints on offer.
        title: Which of them predicts, or a Hub id.
        recording: What it predicts.
        kept: The visitor's voice profile, for the checkpoint that it was made with.

    Raises:
        AudioError: The recording cannot be used.
    """
    entry: dict[str, Any] = {"model": title, **dict.fromkeys(RESULT), "error": None}
    try:
        recognizer = models.find(title)()
        voice, _ = voices.usable(kept, recognizer)
        rate = recognizer.sampling_rate
        return entry | recognizer(recording.at(rate), rate, voice).as_data(), recognizer
    except NoModel as error:  # nor is there one where the prediction takes too long
        return entry | {"error": str(error)}, None


def as_they_come(models: Models, path: str, titles: list[str], kept: Any = None) -> Iterator[Entry]:
    """The entry of each model as soon as it is there: one that cannot be reached holds up no other.

    Raises:
        AudioError: The recording cannot be used.
    """
    recording = Recording(path)
    workers = ThreadPoolExecutor(MOST_MODELS)
    try:
        jobs = [workers.submit(entry_of, models, title, recording, kept) for title in titles[:MOST_MODELS]]
        for job in as_completed(jobs):
            yield job.result()
    finally:
        workers.shutdown(wait=False, cancel_futures=True)


def compare(models: Models, path: str, titles: list[str]) -> list[dict[str, Any]]:
    """One entry a model, in the order of `titles`; the entry of a model that cannot be loaded has the reason.

    Raises:
        AudioError: The recording cannot be used.
    """
    entries = (entry for entry, _ in as_they_come(models, path, titles))
    return sorted(entries, key=lambda entry: titles.index(entry["model"]))


def compare_or_message(models: Models, path: str | None, titles: list[str], kept: Any = None) -> Iterator[str]:
    """The predictions side by side, more with each, or a sentence that says why there are none."""
    if path is None:
        yield cards.message_card(messages.NOTHING_CHOSEN)
        return
    if not titles:
        yield cards.message_card(messages.NO_MODELS)
        return
    chosen = list(dict.fromkeys(titles))[:MOST_MODELS]
    entries: dict[str, dict[str, Any]] = {}
    columns = dict.fromkeys(chosen, AWAITED)
    yield _side_by_side(models, columns)
    try:
        for entry, recognizer in as_they_come(models, path, chosen, kept):
            entries[entry["model"]] = entry
            columns[entry["model"]] = _column(entry, recognizer, kept)
            agreement = messages.agreement(list(entries.values())) if len(entries) == len(chosen) else ""
            yield _side_by_side(models, columns, agreement)
    except AudioError as error:
        yield cards.message_card(str(error))


def _side_by_side(models: Models, columns: dict[str, str], agreement: str = "") -> str:
    named = [(models.name(title), column) for title, column in columns.items()]
    return cards.side_by_side(named) + cards.note([agreement])


def _column(entry: dict[str, Any], recognizer: EmotionRecognizer | None, kept: Any) -> str:
    if recognizer is None:
        return cards.message_card(entry["error"])
    if entry["label"] is None:
        return cards.emotion_card(entry, [])
    report, (voice, remark) = recognizer.report, voices.usable(kept, recognizer)
    remarks = [*messages.of_prediction(report, entry), remark if voice else ""]
    return (
        cards.note([messages.model_summary(report)])
        + cards.emotion_card(entry, remarks, how=messages.how_measured(report, entry))
        + cards.bar_list(entry["probabilities"])
    )
