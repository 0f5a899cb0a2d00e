"""Components that several tabs have."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gradio as gr

from . import cards, messages
from .cancelling import LastWords

QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
# For what takes a moment. A request of its own each time: gradio's queue ends the page's event stream when nothing is
# under way, and what a visitor asks for in that very moment is lost, with all that would follow on it.
AT_ONCE: dict[str, Any] = {"queue": False, "trigger_mode": "always_last", **QUIET}


def audio_input(label: str, elem_id: str, long: bool = False, editable: bool = True) -> gr.Audio:
    """A place to upload or record a clip.

    Args:
        label: What is asked for.
        elem_id: Its id on the page.
        long: For recordings that the browser should not decode to draw their wave.
        editable: Whether the clip can be trimmed.
    """
    return gr.Audio(
        label=label,
        sources=["upload", "microphone"],
        type="filepath",
        format=None,
        buttons=[],
        editable=editable and not long,
        waveform_options=gr.WaveformOptions(show_recording_waveform=not long),
        elem_id=elem_id,
        elem_classes="ser-audio",
    )


def keep_clip(page: gr.Blocks, audio: gr.Audio, name: str) -> None:
    """Has a clip outlive a reload: the browser tab keeps where it lies on the server, as long as it lies there."""
    audio.change(None, audio, None, js=f"(clip) => window.serClips.keep('{name}', clip)", **AT_ONCE)
    page.load(None, None, audio, js=f"() => window.serClips.kept('{name}')", **AT_ONCE)


def one_speaker_box(info: str, elem_id: str) -> gr.Checkbox:
    """A box that makes what is given its own voice profile."""
    return gr.Checkbox(label="One person speaks", info=info, elem_id=elem_id)


def job_buttons(label: str, elem_id: str) -> tuple[gr.Button, gr.Button]:
    """A button that starts a long job, and one that cancels it."""
    with gr.Row():
        start = gr.Button(label, variant="primary", size="lg", scale=2, min_width=180, elem_id=elem_id)
        cancel = gr.Button(
            "Cancel", size="lg", scale=1, min_width=90, interactive=False, elem_id=f"{elem_id}-cancel"
        )  # fmt: skip
    return start, cancel


def long_job(
    triggers: Sequence[Callable],
    steps: Callable[..., Iterator[tuple[str, ...]]],
    given: gr.components.Component,
    option: gr.components.Component,
    shown: Sequence[gr.components.Component],
    buttons: tuple[gr.Button, gr.Button],
    waiting: str,
    further: Sequence[gr.components.Component] = (),
) -> None:
    """Runs a generator that tells how far it is and can be cancelled between two of its steps.

    Gradio's own `cancels` is not used: what was under way may come after it and stay on the page, and a click on
    start before it is through is lost.

    Args:
        triggers: Events that start it.
        steps: Takes what is `given` and the `option` and yields values of `shown`.
        given: The input; clearing it ends the job too.
        option: A setting of the job.
        shown: Where progress and results go; the first is told why there are none.
        buttons: The one that starts it, which can be clicked while it does not run, and the one that ends it.
        waiting: What the first of `shown` says where nothing is given.
        further: More settings, which `steps` takes after the `option`.
    """
    rest = [""] * (len(shown) - 1)
    idle = gr.update(interactive=True), gr.update(interactive=False)
    busy = gr.update(interactive=False), gr.update(interactive=True)
    words = LastWords()

    def start(request: gr.Request) -> tuple[Any, ...]:
        return words.say(request, cards.progress_card(0.0, messages.WAITING), *rest, *busy)

    def run(request: gr.Request, *values: Any) -> Iterator[tuple[Any, ...]]:
        now: tuple[str, ...] = ("", *rest)
        for now in steps(*values):
            if (said := words.since(request)) is not None:
                yield said
                return
            yield *now, gr.skip(), gr.skip()
        yield *now, *idle

    def end(request: gr.Request) -> tuple[Any, ...]:
        return words.say(request, cards.note([messages.CANCELLED]), *rest, *idle)

    def clear(request: gr.Request) -> tuple[Any, ...]:
        return words.say(request, cards.note([waiting]), *rest, *idle)

    def fail() -> tuple[Any, ...]:
        return cards.message_card(messages.FAILED), *rest, *idle

    told = [*shown, *buttons]
    started = gr.on(triggers, start, None, told, **AT_ONCE | {"trigger_mode": "once"})  # a double click is one
    job = started.then(run, [given, option, *further], told, trigger_mode="always_last", concurrency_limit=2, **QUIET)
    job.failure(fail, None, told, **AT_ONCE)
    buttons[1].click(end, None, told, **AT_ONCE)
    given.clear(clear, None, told, **AT_ONCE)  # type: ignore[attr-defined]
