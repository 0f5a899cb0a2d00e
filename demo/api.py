"""What the page gives to programs: named endpoints with one required input and a typed answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import gradio as gr
from gradio.components.api_component import Api
from pydantic import TypeAdapter

from ser_model.audio import AudioError
from ser_model.inference.timeline_reading import TimelineError
from ser_model.inference.voice_profile import VoiceProfileError

from . import messages
from .loading import NoModel

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


@dataclass
class AttentionData:
    """Attention over time: `times` in seconds, and `weights` that sum to 1."""

    times: list[float]
    weights: list[float]


@dataclass
class SpeechData:
    """The speech that was found in a recording: its `seconds`, and their `share` of the recording."""

    seconds: float
    share: float


@dataclass
class Prediction:
    """Answer of `/predict`: `label` is None where no speech was found; `duration` in seconds.

    `unsure`: the label is too often wrong at this confidence. `remark`: why not to rely on it, or why there is none.
    """

    label: str | None
    probabilities: dict[str, float]
    duration: float
    speech: SpeechData
    unsure: bool
    remark: str
    attention: AttentionData | None


@dataclass
class SegmentData:
    """A stretch of one emotion; times in seconds.

    `probability` is None where a person gave the label. `unsure`: the label is too often wrong at this probability.
    """

    start: float
    end: float
    emotion: str
    probability: float | None
    unsure: bool


@dataclass
class WindowData:
    """One analysis window; times in seconds."""

    start: float
    end: float
    probabilities: dict[str, float]


@dataclass
class TimelineData:
    """Answer of `/timeline`; `duration` in seconds."""

    duration: float
    speech: SpeechData
    labels: list[str]
    segments: list[SegmentData]
    windows: list[WindowData]


@dataclass
class FileRow:
    """One file's row in the answer of `/batch`: the prediction, as in `Prediction`, or `error`."""

    file: str
    label: str | None
    probabilities: dict[str, float] | None
    duration: float | None
    speech: SpeechData | None
    unsure: bool | None
    remark: str | None
    error: str | None


@dataclass
class Comparison:
    """One checkpoint's entry in the answer of `/compare`: its prediction, as in `Prediction`, or `error`."""

    model: str
    label: str | None
    probabilities: dict[str, float] | None
    duration: float | None
    speech: SpeechData | None
    unsure: bool | None
    remark: str | None
    error: str | None


@dataclass
class VoiceMeasure:
    """One entry in the answer of `/voice_quality`.

    `value` is None where it cannot be taken; `percentiles` says, for women, men and all, how many of 100
    reference clips lie below it.
    """

    measure: str
    title: str
    unit: str
    value: float | None
    percentiles: dict[str, float] | None


def typed(kind: Any, label: str) -> Api:
    """An input or output of a type; what it is made of is told to whoever asks the API."""
    return Api(None, TypeAdapter(kind).json_schema(), label)


def in_words(function: Callable[Given, Answer]) -> Callable[Given, Answer]:
    """Lets errors that are meant for people through to them as they are written."""

    @wraps(function)
    def told(*args: Given.args, **kwargs: Given.kwargs) -> Answer:
        if not args or args[0] is None or args[0] == []:  # said at once, even while the model is being loaded
            raise gr.Error(messages.NOTHING_CHOSEN, print_exception=False)
        try:
            return function(*args, **kwargs)
        except (AudioError, NoModel, TimelineError, VoiceProfileError) as error:
            raise gr.Error(str(error), print_exception=False) from error

    return told


class Page(gr.Blocks):
    """A page that keeps no voice profile, and whose endpoints may be called without their last, optional inputs."""

    def validate_inputs(self, block_fn: Any, inputs: list[Any]) -> None:
        """Fills in what a program left out."""
        inputs += [None] * (len(block_fn.inputs) - len(inputs))

    async def process_api(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """As in gradio, which keeps the last value of every component of a visitor's page: here not of profiles, nor
        of HTML, since a workbench is large and may hold a profile.
        """
        try:
            return await super().process_api(*args, **kwargs)
        finally:
            state = kwargs.get("state")
            for component in state.components if state else ():
                if component["type"] in ("api", "browserstate", "html"):
                    component["props"].pop("value", None)


def endpoint(name: str, function: Callable, inputs: Any, outputs: Any, description: str, queue: bool = True) -> None:
    """Adds `/name`, beside the page's own events, since a program wants an error where a person wants a sentence.

    Args:
        name: Of the endpoint.
        function: What answers.
        inputs, outputs: Components, or what `typed` gives.
        description: For those who ask the API.
        queue: Whether requests wait in gradio's queue, two being answered at a time. The page's scripts can call an
            endpoint only where they do not; `function` has to keep limits of its own then.
    """
    gr.on(
        [], in_words(function), inputs, outputs, api_name=name, api_description=description,
        concurrency_limit=2, concurrency_id=name, queue=queue,
    )  # fmt: skip
