"""What can be done with an answer: save it, share it, or take the clip to another tab."""

from __future__ import annotations

from typing import Any, NamedTuple

import gradio as gr

from .components import AT_ONCE, keep_clip


class AnswerButtons(NamedTuple):
    """The buttons below an answer; the style sheet shows those that fit the answer."""

    picture: gr.Button
    share: gr.Button
    data: gr.Button
    compare: gr.Button
    recording: gr.Button


def answer_buttons() -> AnswerButtons:
    """Adds the buttons to the page under construction."""
    with gr.Row(elem_id="ser-actions"):
        return AnswerButtons(
            _button("Save picture", "ser-save-picture"),
            _button("Share", "ser-share-picture"),
            _button("Save as JSON", "ser-save-data"),
            _button("Compare models", "ser-to-compare"),
            _button("Open in Recording", "ser-to-recording"),
        )


def _button(label: str, elem_id: str) -> gr.Button:
    return gr.Button(label, size="sm", min_width=80, scale=0, elem_id=elem_id)


def wire_saving(buttons: AnswerButtons, audio: gr.Audio, data: gr.JSON) -> None:
    """Has the browser save and share: nothing of it is made on the server.

    Args:
        buttons: Those below the answer.
        audio: The clip, after which the files are named.
        data: The answer, as the API gives it.
    """
    for button, action in ((buttons.picture, "picture"), (buttons.share, "share"), (buttons.data, "json")):
        button.click(None, [data, audio], None, js=f"(data, clip) => window.serAnswer.{action}(data, clip)", **AT_ONCE)


def wire_tabs(page: gr.Blocks) -> None:
    """Has the clip opened on the tabs Compare and Recording, as if it were given there; for a page that has them."""
    source = _found(page, "ser-audio")
    for button, tab, audio, start in (
        ("ser-to-compare", "compare", "ser-compare-audio", "ser-compare"),
        ("ser-to-recording", "recording", "ser-recording-audio", "ser-analyse"),
    ):
        place = _found(page, audio)
        keep_clip(page, place, tab)
        given = _found(page, button).click(
            None, source, place, js=f"(clip) => window.serAnswer.open('{tab}', clip)", **AT_ONCE
        )
        given.then(None, None, None, js=f"() => window.serAnswer.start('{start}')", **AT_ONCE)


def _found(page: gr.Blocks, elem_id: str) -> Any:
    return next(block for block in page.blocks.values() if getattr(block, "elem_id", None) == elem_id)
