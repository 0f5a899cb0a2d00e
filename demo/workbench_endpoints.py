"""What the workbench asks of the server, and any program may: the prediction of a part, and the file of a timeline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ser_model.audio import MIN_SECONDS, AudioError, load_audio
from ser_model.inference.results import Attention
from ser_model.inference.timeline_formats import FORMATS
from ser_model.inference.timeline_reading import TimelineError, from_data
from ser_model.inference.voice_profile import VoiceProfile

from . import cards, messages, voices
from .api import Prediction, TimelineData, endpoint, typed
from .tabs.clip import MAX_SECONDS, as_data

if TYPE_CHECKING:
    import gradio as gr

    from ser_model.inference.recognizer import EmotionRecognizer

OUTSIDE = "The start and the end of a part are seconds within the recording, and at least 0.1 s apart."
LONG = f"A part may be {MAX_SECONDS / 60:.0f} minutes long at most."
UNKNOWN_FORMAT = f"The format is one of {', '.join(FORMATS)}."


def build(load: Callable[[], EmotionRecognizer], audio: gr.Audio) -> None:
    """Adds `/part` and `/timeline_file` to the page under construction.

    Args:
        load: Returns the recognizer; may take its time on the first call.
        audio: A component that takes recordings.
    """
    times = [typed(float | None, "start"), typed(float | None, "end")]
    profile = typed(VoiceProfile | str | None, "voice")
    shown = [typed(str, "emotion"), typed(str, "bars"), typed(Prediction, "data")]
    endpoint("part", lambda audio, start=None, end=None, voice=None: predict_part(load(), audio, start, end, voice),
             [audio, *times, profile], shown, _PART, queue=False)  # fmt: skip
    given = [typed(TimelineData, "timeline"), typed(str | None, "format")]
    endpoint("timeline_file", timeline_file, given, typed(str, "file"), _FILE, queue=False)


_PART = (
    "Predicts the emotion of a part of a recording, from start to end in seconds, as if the rest did not exist. "
    "Left out, they are the recording's own. Returns HTML of the emotion and of the bars and, last, what /predict "
    "gives, with times from the recording's start."
)
_FILE = (
    "Writes a timeline as /timeline gives it, whose labels somebody may have corrected, as csv, json or textgrid "
    "(the default). The probability of a corrected segment is null."
)


def predict_part(
    recognizer: EmotionRecognizer, path: str, start: Any = None, end: Any = None, voice: Any = None
) -> tuple[str, str, dict[str, Any]]:
    """The answer of `/part`.

    Raises:
        AudioError: The recording or its part cannot be used; the text says why.
        NoModel: Too much else is under way.
        VoiceProfileError: `voice` is no profile, or of another model.
    """
    from .serving import limited  # brings torch, which the page's process has only once a model is there

    profile, rate = voices.given(voice), recognizer.sampling_rate
    wave = limited(lambda: load_audio(path, rate))  # of an hour perhaps
    start, end = 0.0 if start is None else start, len(wave) / rate if end is None else end
    numbers = all(isinstance(time, (int, float)) for time in (start, end))
    if not (numbers and 0 <= start < end <= len(wave) / rate + MIN_SECONDS and end - start >= 0.99 * MIN_SECONDS):
        raise AudioError(OUTSIDE)
    if end - start > MAX_SECONDS:
        raise AudioError(LONG)
    result = recognizer(wave[round(start * rate) : round(end * rate)], sampling_rate=rate, voice=profile)
    if result.attention is not None:
        result = replace(result, attention=Attention(result.attention.times + start, result.attention.weights))
    data = as_data(result)
    if result.label is None:
        return cards.emotion_card(data, []), "", data
    remarks = [*messages.of_prediction(recognizer.report, data), messages.VOICE_USED if profile else ""]
    return cards.emotion_card(data, remarks), cards.bar_list(result.probabilities), data


def timeline_file(timeline: Any, kind: Any = None) -> str:
    """The answer of `/timeline_file`.

    Raises:
        TimelineError: The timeline or the format is none.
    """
    kind = kind or "textgrid"
    if kind not in list(FORMATS):
        raise TimelineError(UNKNOWN_FORMAT)
    return FORMATS[kind](from_data(timeline))
