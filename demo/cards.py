"""Pieces of HTML: each function fills one file of `templates/`, which escapes what it is given."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from .colours import EMOTION_COLOURS, colour_of
from .messages import NO_PREDICTION, PREDICTED, answer, confidence, percent
from .sentences import SENTENCES
from .timeline_plot import clock

NO_COLOUR = "var(--border-color-primary)"
_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.globals["EMOTION_COLOURS"] = EMOTION_COLOURS
_TEMPLATES.filters |= {
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "clock": clock,
    "colour": colour_of,
    "confidence": confidence,
    "percent": percent,
}


def render(template: str, **values: Any) -> str:
    """Fills `templates/{template}.html`."""
    return _TEMPLATES.get_template(f"{template}.html").render(values)


def html(value: str, elem_id: str) -> gr.HTML:
    """A component that shows one of the pieces below."""
    return gr.HTML(value, elem_id=elem_id, elem_classes="ser-html", js_on_load=None)


def header(title: str, introduction: str, notice: Sequence[str]) -> str:
    """The head of the page; what people must be told ends with a link to the tab About."""
    logo = (Path(__file__).parent / "static" / "favicon.svg").read_text(encoding="utf-8")
    return render("header", logo=logo, title=title, introduction=introduction, notice=notice)


def waiting_card() -> str:
    """Stands in the place of a result before there is one."""
    return render("waiting")


def message_card(message: str, is_long: bool = False) -> str:
    """A sentence in the place of a result; `is_long` where the clip can be opened in the tab Recording."""
    return render("message", message=message, is_long=is_long)


def emotion_card(
    predicted: Mapping[str, Any],
    remarks: Sequence[str],
    lead: str = PREDICTED,
    live: bool = False,
    how: Sequence[str] = (),
    is_long: bool = False,
) -> str:
    """The emotion in large letters, its probability, and remarks below; weaker where there is none or it is unsure.

    Args:
        predicted: As `EmotionResult.as_data` gives it.
        remarks: Sentences; empty ones are left out.
        lead: What stands above.
        live: Whether it stands in the tab Live, where it is drawn anew three times a second.
        how: How it was measured, which is folded away; empty sentences are left out.
        is_long: Whether the clip is offered to the tab Recording.
    """
    label = predicted["label"]
    return render(
        "emotion",
        answer=answer(predicted),
        how=[sentence for sentence in how if sentence],
        is_long=is_long,
        colour=NO_COLOUR if label is None else colour_of(label),
        lead=NO_PREDICTION if label is None else lead,
        live=live,
        probability=None if label is None else predicted["probabilities"][label],
        remarks=[predicted["remark"], *remarks],
        weak=label is None or predicted["unsure"] or lead != PREDICTED,
    )


def bar_list(probabilities: Mapping[str, float]) -> str:
    """Every emotion as a bar with its name and percentage, the most probable first."""
    ranked = sorted(probabilities.items(), key=lambda item: -item[1])
    bars = [(label, share, percent(share)) for label, share in ranked]
    return render("bars", title="Probability of each emotion", bars=bars, counts=False)


def distribution(counts: Mapping[str, int]) -> str:
    """Every label as a bar with its name and how many files have it."""
    total = sum(counts.values())
    bars = [(label, count / total, str(count)) for label, count in counts.items()]
    return render("bars", title="Files of each emotion", bars=bars, counts=True)


def note(sentences: Sequence[str]) -> str:
    """Sentences in small type; empty ones are left out."""
    return render("note", sentences=sentences)


def heading(title: str, lead: str) -> str:
    """A heading and one sentence below it."""
    return render("heading", title=title, lead=lead)


def picture(wide: str, narrow: str, description: str) -> str:
    """One picture drawn for two widths, both markup; the style sheet shows the one that fits."""
    return render("picture", wide=wide, narrow=narrow, description=description)


def clip_picture(drawn: Sequence[tuple[str, tuple[float, float]]], description: str, caption: str) -> str:
    """The picture of a clip, over which a playhead moves.

    Args:
        drawn: For a desk and for a phone: markup, and which part of its width is the time axis.
        description: For those who do not see it.
        caption: What it shows.
    """
    return render("clip_picture", drawn=drawn, description=description, caption=caption)


def picture_space(sizes: Sequence[tuple[float, float]], caption: str) -> str:
    """Room for the picture of a clip while it is drawn, so that what lies below does not move when it comes.

    Args:
        sizes: Width and height for a desk and for a phone.
        caption: What is going on.
    """
    return render("picture_space", sizes=sizes, caption=caption)


def legend(labels: Sequence[str] = tuple(EMOTION_COLOURS)) -> str:
    """The colour of each emotion, and the hatching of silence."""
    return render("legend", labels=labels)


def sentences() -> str:
    """What a voice profile is, how to record one, and sentences to read."""
    return render("sentences", sentences=SENTENCES)


def progress_card(share: float, text: str) -> str:
    """The progress of a long job; `share` from 0 to 1."""
    return render("progress", share=share, text=text)


def downloads(files: Mapping[str, tuple[str, str, str]]) -> str:
    """Links that hold their files themselves, so that none lies on the server.

    Args:
        files: File name -> title of the link, media type, and text.
    """
    return render("downloads", files=files)


def table(
    caption: str, head: Sequence[str], rows: Sequence[Sequence[str]], swatches: bool = False, sortable: bool = False
) -> str:
    """A table of text.

    Args:
        caption: Its title.
        head: Names of the columns.
        rows: The cells.
        swatches: Whether cells that name an emotion show its colour.
        sortable: Whether the head's cells are buttons that sort.
    """
    return render("table", caption=caption, head=head, rows=rows, swatches=swatches, sortable=sortable)


def confusion(caption: str, labels: Sequence[str], counts: Sequence[Sequence[int]]) -> str:
    """A confusion matrix: counts of clips, a row for each true emotion and a column for each predicted one."""
    rows = [
        (label, [(count, count / max(sum(row), 1)) for count in row]) for label, row in zip(labels, counts, strict=True)
    ]
    return render("confusion", caption=caption, labels=labels, rows=rows)


def measure_card(title: str, value: str, strip: str, place: str, meaning: str) -> str:
    """One measure of the voice; `strip` is markup, the rest text."""
    return render("measure", title=title, value=value, strip=strip, place=place, meaning=meaning)


def measures(pieces: Sequence[str]) -> str:
    """Measure cards, which are markup, in a grid."""
    return render("measures", pieces=pieces)


def side_by_side(columns: Sequence[tuple[str, str]]) -> str:
    """Columns beside each other where there is room: the title of each, and its content, which is markup."""
    return render("side", columns=columns)


def place(elem_id: str, content: str) -> str:
    """An element whose content, which is markup, a script replaces."""
    return render("place", elem_id=elem_id, content=content)


def live_controls() -> str:
    """The button that starts and stops the microphone, its level, and a status for screen readers."""
    return render("live_controls")


def live_waiting() -> str:
    """Stands in the place of the live emotion before there is one."""
    return render("live_waiting")


def live_state(state: str, lead: str) -> str:
    """Stands in the place of the live emotion while there is none."""
    return render("emotion", answer=state, colour=NO_COLOUR, lead=lead, live=True, probability=None, remarks=(),
                  how=(), is_long=False, weak=True)  # fmt: skip


def about(sections: Mapping[str, Sequence[str]], questions: Mapping[str, str]) -> str:
    """The texts of the tab About: heading -> sentences, and questions with their answers."""
    return render("about", sections=sections, questions=questions)
