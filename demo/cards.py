"""Pieces of HTML: each function takes a result or a sentence and returns escaped markup."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import gradio as gr

from ser_model.inference.timeline import Segment

from .colours import EMOTION_COLOURS, colour_of
from .messages import CANNOT_PLAY, percent
from .timeline_plot import clock


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
    return f'<div class="ser-note">{"".join(f"<p>{escape(sentence)}</p>" for sentence in sentences if sentence)}</div>'


def picture(wide: str, narrow: str, description: str) -> str:
    """One picture drawn for two widths; the style sheet shows the one that fits."""
    return (
        f'<div class="ser-picture" role="img" aria-label="{escape(description)}">'
        f'<div class="ser-wide" aria-hidden="true">{wide}</div>'
        f'<div class="ser-narrow" aria-hidden="true">{narrow}</div></div>'
    )


def swatch(label: str) -> str:
    """An emotion's name with its colour before it."""
    return f'<span class="ser-swatch" style="--emotion: {colour_of(label)}">{escape(label)}</span>'


def legend(labels: Sequence[str] = tuple(EMOTION_COLOURS)) -> str:
    """Which colour is which emotion, and that hatching is silence."""
    names = "".join(swatch(label) for label in labels)
    return f'<p class="ser-legend">{names}<span class="ser-swatch ser-hush">silence</span></p>'


def progress_card(share: float, told: str) -> str:
    """How far a long job is."""
    return (
        f'<div class="ser-card ser-progress" role="progressbar" aria-label="Progress" aria-valuemin="0" '
        f'aria-valuemax="100" aria-valuenow="{100 * share:.0f}" aria-valuetext="{escape(told)}"><p>{escape(told)}</p>'
        f'<span class="ser-track"><span class="ser-fill" style="width: {100 * share:.1f}%"></span></span></div>'
    )


def downloads(files: Mapping[str, tuple[str, str, str]]) -> str:
    """Links that hold their files themselves, so that none lies on the server.

    Args:
        files: File name -> what the link says, media type, and text.
    """
    links = "".join(
        f'<a class="ser-button" download="{escape(name)}" '
        f'href="data:{kind};charset=utf-8;base64,{base64.b64encode(text.encode()).decode()}">{escape(said)}</a>'
        for name, (said, kind, text) in files.items()
    )
    return f'<p class="ser-downloads"><span>Download</span>{links}</p>'


def table(
    caption: str, head: Sequence[str], rows: Sequence[Sequence[str]], swatches: bool = False, sortable: bool = False
) -> str:
    """A table of text; nothing in it becomes markup.

    Args:
        caption: Its title.
        head: Names of the columns.
        rows: The cells.
        swatches: Whether cells that name an emotion show its colour.
        sortable: Whether the head's cells are buttons that sort.
    """
    names = (
        f'<button type="button" class="ser-sort">{escape(name)}</button>' if sortable else escape(name) for name in head
    )
    cells = "".join(f'<th scope="col">{name}</th>' for name in names)
    body = "".join(f"<tr>{''.join(_cell(cell, swatches) for cell in row)}</tr>" for row in rows)
    return _framed(caption, cells, body)


def _cell(text: str, swatches: bool) -> str:
    return f"<td>{swatch(text) if swatches and text in EMOTION_COLOURS else escape(text)}</td>"


def _framed(caption: str, head: str, body: str) -> str:
    # A region that scrolls has to be reachable by keyboard.
    return (
        f'<div class="ser-table" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def batch_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """One row a file that was heard; the heads sort it."""
    cells = [
        (row["file"], row["label"], percent(row["probabilities"][row["label"]]), f"{row['duration']:.1f}")
        for row in rows
    ]
    return table("Files", ("file", "emotion", "probability", "seconds"), cells, swatches=True, sortable=True)


def defect_list(defects: Sequence[tuple[str, str]]) -> str:
    """Files that could not be heard, each with its reason."""
    items = "".join(f"<li><strong>{escape(name)}</strong>: {escape(reason)}</li>" for name, reason in defects)
    return f'<div class="ser-card ser-message" role="alert"><ul>{items}</ul></div>'


def segment_table(segments: Sequence[Segment], path: str) -> str:
    """One row a segment, each with a button that plays it, and the player; `path` is the recording's."""
    head = "".join(f'<th scope="col">{name}</th>' for name in ("listen", "start", "end", "emotion", "probability"))
    body = "".join(_segment_row(segment) for segment in segments)
    player = (
        f'<audio class="ser-player" controls preload="none" data-path="{escape(path)}" aria-label="Segment"></audio>'
    )
    gone = f'<p class="ser-gone" role="alert" hidden>{CANNOT_PLAY}</p>'
    return f'<div class="ser-segments">{player}{gone}{_framed("Segments", head, body)}</div>'


def _segment_row(segment: Segment) -> str:
    said = f"Play {segment.emotion}, {segment.start:.1f} to {segment.end:.1f} seconds"
    span = f'data-start="{segment.start:.3f}" data-end="{segment.end:.3f}"'
    cells = (
        f'<button type="button" class="ser-play" {span} aria-label="{escape(said)}">▶</button>',
        f"{clock(segment.start)}<small> {segment.start:.1f} s</small>",
        f"{clock(segment.end)}<small> {segment.end:.1f} s</small>",
        swatch(segment.emotion),
        percent(segment.probability),
    )
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def measure_card(title: str, value: str, strip: str, place: str, meaning: str) -> str:
    """One measure of the voice; `strip` is markup, the rest text."""
    head = f"<span>{escape(title)}</span><strong>{escape(value)}</strong>"
    return (
        f'<div class="ser-measure"><p class="ser-measure-head">{head}</p>{strip}<p>{escape(place)}</p>'
        f'<p class="ser-meaning">{escape(meaning)}</p></div>'
    )


def side_by_side(columns: Sequence[str]) -> str:
    """Pieces of markup beside each other where there is room."""
    return f'<div class="ser-side">{"".join(f"<section>{column}</section>" for column in columns)}</div>'


def live_controls() -> str:
    """The button that starts and stops the microphone, its level, and a place for what a screen reader says."""
    track = '<span class="ser-track" aria-hidden="true"><span class="ser-fill" id="ser-live-level" style="width: 0">'
    return (
        '<div class="ser-card ser-live"><button type="button" id="ser-live-toggle" class="ser-button ser-primary" '
        f'aria-pressed="false">Start listening</button><p class="ser-level"><span>Level</span>{track}</span></span>'
        '<span id="ser-live-decibels">-- dB</span></p><p>Heard so far: <span id="ser-live-seconds">0 s</span></p>'
        '<p id="ser-live-said" class="ser-unseen" role="status" aria-live="polite"></p></div>'
    )


def live_waiting() -> str:
    """What stands where the live emotion will be."""
    told = "Start listening and speak:<br>what is heard appears here."
    return f'<div class="ser-card ser-waiting ser-live-now"><p>{told}</p></div>'


def live_card(label: str | None, probability: float) -> str:
    """The emotion heard now; None is silence."""
    if label is None:
        kind, colour, lead, said, share = "ser-silent", "transparent", "Nobody speaks", "silence", ""
    else:
        kind, colour, lead, said = "", colour_of(label), "The network hears", escape(label)
        share = f'<span class="ser-share">{percent(probability)}</span>'
    return (
        f'<div class="ser-card ser-emotion ser-live-now {kind}" style="--emotion: {colour}">'
        f'<p class="ser-lead">{lead}</p>'
        f'<p class="ser-answer"><strong class="ser-label">{said}</strong>{share}</p></div>'
    )


def about(
    must_not: Sequence[str], privacy: Sequence[str], licences: Sequence[str], questions: Mapping[str, str]
) -> str:
    """The standing part of the tab About."""
    limits = "".join(f"<li>{escape(sentence)}</li>" for sentence in must_not)
    kept, owned = ("".join(f"<p>{escape(sentence)}</p>" for sentence in part) for part in (privacy, licences))
    asked = "".join(f"<dt>{escape(question)}</dt><dd>{escape(reply)}</dd>" for question, reply in questions.items())
    parts = (
        ("ser-message", "What it must not be used for", f"<ul>{limits}</ul>"),
        ("", "Privacy", kept),
        ("", "Licences", owned),
        ("", "Questions people ask", f"<dl>{asked}</dl>"),
    )
    sections = (
        f'<section class="ser-card {kind}"><h2 class="ser-heading">{title}</h2>{content}</section>'
        for kind, title, content in parts
    )
    return f'<div class="ser-about">{"".join(sections)}</div>'
