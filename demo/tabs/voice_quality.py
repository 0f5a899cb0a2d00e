"""The voice-quality panel: measures of a clip, each with its place among reference speakers."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import gradio as gr
import numpy as np

from demo import cards, messages
from demo.api import VoiceMeasure, endpoint, typed
from demo.components import AT_ONCE
from demo.loading import NoModel
from ser_model.audio import AudioError, load_audio
from ser_model.inference.results import EmotionResult
from ser_model.inference.voice_reference import GROUPS, SAMPLING_RATE, UNITS, VoiceReference, measure_voice

MOST_SECONDS = 60.0  # measured of one clip; Praat takes a hundredth of the time it lasts
STRIP_WIDTH, STRIP_HEIGHT = 240, 44

Measures = dict[str, float | None]


@dataclass(frozen=True)
class Measured:
    """Measures of a clip, and whether it is longer than what was measured of it."""

    values: Measures
    cut: bool


@dataclass(frozen=True)
class DecodedClip:
    """A clip as it was predicted: kept so that the picture and the measures need not decode it again.

    Attributes:
        path: Its file.
        wave: `(num_samples,)`, as long as the tab Clip takes at the most.
        sampling_rate: In Hz.
        result: Its prediction.
    """

    path: str
    wave: np.ndarray
    sampling_rate: int
    result: EmotionResult


@lru_cache(maxsize=1)
def reference() -> VoiceReference:
    """The reference that ships."""
    return VoiceReference.load()


def measures_of(path: str) -> Measured:
    """Measures of a recording's first minute; None where one cannot be taken.

    Raises:
        AudioError: The recording cannot be used.
        NoModel: Too much else is under way.
    """
    return _limited(lambda: load_audio(path, SAMPLING_RATE))


def _limited(wave_of: Callable[[], np.ndarray]) -> Measured:
    from demo.serving import limited  # brings torch, which the page's process has only once a model is there

    return limited(lambda: measures_of_wave(wave_of()))


def measures_of_wave(wave: np.ndarray) -> Measured:
    """The same for a recording `(num_samples,)` at `SAMPLING_RATE`, whatever else is under way."""
    most = int(MOST_SECONDS * SAMPLING_RATE)
    found = measure_voice(wave[:most], SAMPLING_RATE)
    values = {name: float(value) if math.isfinite(value) else None for name, value in found.items()}
    return Measured(values, len(wave) > most)


def build(audio: gr.Audio, decoded: gr.State, predicted: list[gr.events.Dependency]) -> None:
    """Adds the panel to the page under construction.

    Args:
        audio: Where the clip is.
        decoded: The `DecodedClip` last predicted.
        predicted: The events after which it is measured, so that the prediction need not wait.
    """
    measures = gr.State(None)
    with gr.Column(elem_classes="ser-voice", elem_id="ser-voice-part"):
        with gr.Row(equal_height=True, elem_classes="ser-voice-head"):
            cards.html(cards.heading("Voice quality", messages.VOICE_LEAD), "ser-voice-title")
            group = gr.Radio(
                list(GROUPS), value="all", label="Compared with", elem_id="ser-voice-group", min_width=220,
            )  # fmt: skip
        panel = cards.html(cards.note([messages.VOICE_WAITING]), "ser-voice")
    for event in predicted:
        event.then(_measured, [audio, decoded, group], [measures, panel], **AT_ONCE)
    group.change(lambda known, group: panel_of(known, group), [measures, group], panel, **AT_ONCE)
    endpoint("voice_quality", lambda audio: as_answer(measures_of(audio).values), audio,
             typed(list[VoiceMeasure], "measures"), _DESCRIPTION)  # fmt: skip


_DESCRIPTION = (
    "Measures the voice in one recording (its first minute). Returns a list of {measure, title, unit, value, "
    "percentiles: {women, men, all}}: how many of 100 reference clips lie below the value; null where a measure "
    "cannot be taken."
)


def _measured(path: str | None, decoded: DecodedClip | None, group: str) -> tuple[Measured | None, str]:
    measures = None
    with contextlib.suppress(AudioError, NoModel):  # shown in the place of the emotion
        if decoded and decoded.path == path and decoded.sampling_rate == SAMPLING_RATE:
            measures = _limited(lambda: decoded.wave)
        elif path:
            measures = measures_of(path)
    return measures, panel_of(measures, group)


def as_answer(measures: Measures) -> list[dict]:
    """Measures as `/voice_quality` gives them, in the units of the reference."""
    entries = []
    for name, value in measures.items():
        places = None
        if value is not None:
            places = {group: reference().percentile(name, group, value) for group in GROUPS}
        entries.append({"measure": name, "title": messages.VOICE[name].title, "unit": UNITS[name], "value": value,
                        "percentiles": places})  # fmt: skip
    return entries


def panel_of(measured: Measured | None, group: str) -> str:
    """One card a measure: value, distribution of the reference with the value in it, and what it means."""
    if measured is None:
        return cards.note([messages.VOICE_WAITING])
    shown = [_card(name, value, group) for name, value in measured.values.items()]
    first_minute = messages.FIRST_MINUTE if measured.cut else ""
    shown.append(cards.note([first_minute, messages.voice_reference(reference().content)]))
    return cards.measures(shown)


def _card(name: str, value: float | None, group: str) -> str:
    text = messages.VOICE[name]
    if value is None:
        return cards.measure_card(text.title, messages.NO_VALUE, "", messages.NOT_MEASURED, text.meaning)
    percentile = reference().percentile(name, group, value) or 0.0
    place = messages.among(percentile, group)
    return cards.measure_card(text.title, text.shown(value), strip_svg(name, group, value), place, text.meaning)


def strip_svg(name: str, group: str, value: float) -> str:
    """How the reference is spread, its middle half darker, its median a line, and a marker at the value."""
    known = reference().values(name, group)
    low, high = float(known[0]), float(known[-1])
    places = np.linspace(low, high, 49)
    heights = 2 + (STRIP_HEIGHT - 16) * reference().density(name, group, places)
    quarter, median, three_quarters = np.interp([25, 50, 75], reference().percentiles, known)

    def across(where: float) -> float:
        return 6 + (STRIP_WIDTH - 12) * min(max((where - low) / (high - low), 0.0), 1.0)

    def outline(chosen: np.ndarray) -> str:
        top = " ".join(f"L{across(place):.1f} {STRIP_HEIGHT - 6 - height:.1f}"
                       for place, height in zip(places[chosen], heights[chosen], strict=True))  # fmt: skip
        ends = across(places[chosen][0]), across(places[chosen][-1])
        return f"M{ends[0]:.1f} {STRIP_HEIGHT - 6} {top} L{ends[1]:.1f} {STRIP_HEIGHT - 6}Z"

    middle = (places >= quarter) & (places <= three_quarters)
    return cards.render(
        "strip",
        width=STRIP_WIDTH,
        height=STRIP_HEIGHT,
        distribution=outline(np.ones(len(places), dtype=bool)),
        middle=outline(middle),
        median=f"{across(median):.1f}",
        value=f"{across(value):.1f}",
    )
