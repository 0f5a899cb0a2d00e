"""The examples of the tab Clip: pills that stay where they are, and what was acted, told after the prediction."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from . import cards
from .components import AT_ONCE
from .examples import Example

if TYPE_CHECKING:
    from .tabs.voice_quality import DecodedClip

LABEL, INFO = "Try an actor's clip", "What was acted is told after the prediction."
NOT_TOLD_YET = "Acted: told after the prediction."  # keeps the room, so that nothing below moves when it is told


class ExampleShelf:
    """A row of pills, of which the chosen one is marked, above the place for a clip.

    Args:
        examples: The clips on offer.
    """

    def __init__(self, examples: Sequence[Example]):
        self._examples = examples
        choices = [(example.name, number) for number, example in enumerate(examples)]
        self._pills = gr.Radio(
            choices, label=LABEL, info=INFO, visible=bool(examples),
            elem_id="ser-examples",
        )  # fmt: skip

    def place_for_truth(self) -> None:
        """Makes the element below the prediction that says what was acted."""
        self._truth = cards.html("", "ser-truth")

    def put_into(self, audio: gr.Audio) -> None:
        """Lets the pills fill `audio`; another clip unmarks them, in the browser: the server's answer may come late."""
        others = [audio.upload, audio.start_recording, audio.clear]
        gr.on(others, None, None, [self._pills, self._truth], js="() => [null, '']", **AT_ONCE)
        self._pills.input(self._chosen, self._pills, [audio, self._truth], **AT_ONCE)

    def _chosen(self, number: int) -> tuple[str, str]:
        example = self._examples[number]
        return str(example.path), cards.note([NOT_TOLD_YET, example.source])

    def tell_after(self, predicted: gr.events.Dependency, data: gr.JSON, clip: gr.State) -> None:
        """Says what was acted once the prediction stands there; `data` holds it, `clip` what was predicted."""
        predicted.then(self._told, [self._pills, data, clip], self._truth, **AT_ONCE)

    def _told(self, number: int | None, predicted: dict[str, Any] | None, clip: DecodedClip | None) -> Any:
        if number is None:
            return gr.skip()  # the place was emptied as the example went
        if predicted is None:
            return ""
        example = self._examples[number]
        if clip is None or Path(clip.path).name != example.path.name:
            return gr.skip()  # another one was chosen meanwhile, and is told in its turn
        return cards.note([acted(example.acted, predicted["label"]), example.source])


def acted(emotion: str, predicted: str | None) -> str:
    """What the actor of an example was asked for, and whether that was predicted."""
    verdict = "" if predicted is None else f" The prediction is {'right' if predicted == emotion else 'wrong'}."
    return f"Acted: {emotion}.{verdict}"
