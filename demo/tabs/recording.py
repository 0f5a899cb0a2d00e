"""The tab Recording: a long recording in, its emotions over time out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import gradio as gr

from demo import cards, messages, timeline_plot, workbench_endpoints
from demo.api import TimelineData, endpoint, typed
from demo.components import audio_input, job_buttons, long_job, one_speaker_box
from demo.loading import NoModel
from demo.workbench import workbench
from ser_model.audio import AudioError, load_audio
from ser_model.inference.timeline import (
    WINDOWS_AT_ONCE,
    assemble,
    plan_windows,
    predict_timeline,
    predict_windows,
    voice_of,
)
from ser_model.inference.timeline_formats import as_data
from ser_model.inference.voice_profile import VoiceProfileError

if TYPE_CHECKING:
    from ser_model.inference.recognizer import EmotionRecognizer

Shown = tuple[str, str]  # status, workbench


def build(load: Callable[[], EmotionRecognizer]) -> gr.Checkbox:
    """Adds the tab's content to the page under construction; returns its box for one speaker.

    Args:
        load: Returns the recognizer; may take its time on the first call.
    """
    with gr.Row(equal_height=False, elem_classes="ser-columns"):
        with gr.Column(min_width=300):
            audio = audio_input("Your recording, to an hour", "ser-recording-audio", long=True)
            one_speaker = one_speaker_box(messages.ONE_SPEAKER_TALKS, "ser-recording-speaker")
        with gr.Column(min_width=300):
            buttons = job_buttons("Analyse the recording", "ser-analyse")
            status = cards.html(cards.note([messages.RECORDING_NOTE]), "ser-recording-status")
    bench = cards.html("", "ser-recording-bench")

    def steps(path: str | None, one_speaker: bool) -> Iterator[Shown]:
        yield from analyse_or_message(load, path, one_speaker)

    started = [buttons[0].click, audio.upload, audio.stop_recording]
    long_job(started, steps, audio, one_speaker, [status, bench], buttons, messages.RECORDING_NOTE)
    endpoint("timeline", lambda audio, one_speaker: timeline_data(load(), audio, one_speaker), [audio, one_speaker],
             typed(TimelineData, "timeline"), _DESCRIPTION)  # fmt: skip
    workbench_endpoints.build(load, audio)
    return one_speaker


_DESCRIPTION = (
    "Predicts the emotion over time in a recording of up to an hour. Returns {duration, speech: {seconds, share}, "
    "labels, segments: [{start, end, emotion, probability, unsure}], windows: [{start, end, probabilities}]}; times in "
    "seconds, silence in neither list. one_speaker: one person speaks, whose voice profile is taken from the recording."
)


def timeline_data(recognizer: EmotionRecognizer, path: str, one_speaker: bool = False) -> dict[str, Any]:
    """The answer of `/timeline`."""
    return as_data(predict_timeline(recognizer, load_audio(path, recognizer.sampling_rate), one_speaker))


def analyse_or_message(
    load: Callable[[], EmotionRecognizer], path: str | None, one_speaker: bool = False
) -> Iterator[Shown]:
    """Progress, then the result, or a sentence that says why there is none."""
    if path is None:
        yield cards.message_card(messages.NOTHING_CHOSEN), ""
        return
    try:
        yield from analyse(load, path, one_speaker)
    except (AudioError, NoModel, VoiceProfileError) as error:
        yield cards.message_card(str(error)), ""


def analyse(load: Callable[[], EmotionRecognizer], path: str, one_speaker: bool) -> Iterator[Shown]:
    """Reads the recording, finds the speech and predicts each window; yields progress, then the result.

    Raises:
        AudioError: The recording cannot be used.
        VoiceProfileError: It is of one speaker, and the model takes no voice profiles.
    """
    yield cards.progress_card(0.0, "Reading the recording …"), ""
    recognizer = load()
    rate = recognizer.sampling_rate
    wave = load_audio(path, rate)
    yield cards.progress_card(0.0, "Looking for speech …"), ""
    windows, parts = plan_windows(wave, rate), []
    voice = None
    if one_speaker:
        yield cards.progress_card(0.0, "Taking the speaker's voice profile …"), ""
        voice = voice_of(recognizer, wave, windows)
    for part in predict_windows(recognizer, wave, windows, voice):
        parts.append(part)
        done = min(len(parts) * WINDOWS_AT_ONCE, len(windows))
        text = f"Analysed {timeline_plot.clock(windows[done - 1].end)} of {timeline_plot.clock(len(wave) / rate)}"
        yield cards.progress_card(done / len(windows), text), ""
    timeline = assemble(len(wave) / rate, recognizer.labels, windows, parts, recognizer.unsure_below)
    if not timeline.segments:
        yield cards.message_card(messages.NO_SPEECH), ""
        return
    yield cards.progress_card(1.0, "Drawing …"), ""
    drawn = timeline_plot.drawn(timeline_plot.columns_of(timeline), 0, timeline.duration)
    overview = cards.picture(*drawn, messages.timeline_picture(timeline))
    yield (
        cards.note([messages.timeline_summary(timeline), messages.OWN_PROFILE if one_speaker else ""]),
        workbench(timeline, wave, rate, path, overview, voice),
    )
