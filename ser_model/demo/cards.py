"""Pieces of HTML: each function takes a result or a sentence and returns escaped markup."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import gradio as gr

from .colours import colour_of
from .words import percent


def html(value: str, elem_id: str) -> gr.HTML:
    """A place on the page for one of the pieces below."""
    return gr.HTML(value, elem_id=elem_id, elem_classes="ser-html", js_on_load=None)


def waiting_card() -> str:
    """What stands in the place of a result before there is one."""
    return '<div class="ser-card ser-waiting"><p>Record or upload a clip:<br>its emotion appears here.</p></div>'


def message_card(message: str) -> str:
    """A sentence in the place of a result."""
    return f'<div class="ser-card ser-message" role="alert"><p>{escape(message)}</p></div>'


def emotion_card(label: str, probability: float, remarks: list[str]) -> str:
    """The emotion in large letters, its probability, and small remarks below; empty ones are left out."""
    small = "".join(f"<p>{escape(remark)}</p>" for remark in remarks if remark)
    return (
        f'<div class="ser-card ser-emotion" style="--emotion: {colour_of(label)}">'
        '<p class="ser-lead">The network hears</p>'
        f'<p class="ser-answer"><strong class="ser-label">{escape(label)}</strong>'
        f'<span class="ser-share">{percent(probability)}</span></p>{small}</div>'
    )


def bar_list(probabilities: Mapping[str, float]) -> str:
    """Every emotion as a bar with its name and percentage, the most probable first."""
    ranked = sorted(probabilities.items(), key=lambda item: -item[1])
    rows = "".join(_bar(label, probability) for label, probability in ranked)
    return f'<div class="ser-bars" role="list" aria-label="Probability of each emotion">{rows}</div>'


def _bar(label: str, probability: float) -> str:
    name, share = escape(label), percent(probability)
    return (
        f'<div class="ser-bar" role="listitem" style="--emotion: {colour_of(label)}" data-label="{name}">'
        f'<span class="ser-name">{name}</span>'
        f'<span class="ser-track" role="meter" aria-label="{name}" aria-valuemin="0" aria-valuemax="100" '
        f'aria-valuenow="{100 * probability:.1f}" aria-valuetext="{share}">'
        f'<span class="ser-fill" style="width: {100 * probability:.2f}%"></span></span>'
        f'<span class="ser-percent">{share}</span></div>'
    )


def note(sentences: list[str]) -> str:
    """Standing remarks about the model."""
    return f'<div class="ser-note">{"".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)}</div>'


def picture(wide: str, narrow: str, description: str) -> str:
    """One picture drawn for two widths; the style sheet shows the one that fits."""
    return (
        f'<div class="ser-picture" role="img" aria-label="{escape(description)}">'
        f'<div class="ser-wide" aria-hidden="true">{wide}</div>'
        f'<div class="ser-narrow" aria-hidden="true">{narrow}</div></div>'
    )
