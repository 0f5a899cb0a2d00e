"""The page as a whole: head line, tabs, what stands below them all, and how it looks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from demo.tabs import about, act, batch, clip, compare, live, my_voice, recording

from . import cards
from .answer_buttons import wire_tabs
from .api import Page
from .examples import all_examples
from .models import Models
from .voices import VisitorVoice

TITLE = "What emotion is in this voice?"
INTRODUCTION = (
    "Record a sentence or upload a clip: a neural network predicts the emotion in it and shows its attention over time."
)
NOTICE = (
    "It infers the emotion that a voice expresses, learned from actors: not what a person feels.",
    "Tell people before you use it on them. At work and in education EU law prohibits it, with narrow exceptions.",
)
PRIVACY = "Clips are analysed by the machine that serves this page, sent nowhere else, and deleted within an hour."
DELETE_EVERY, DELETE_OLDER = 300, 3000  # seconds; together within the hour that is promised
MAX_FILE_SIZE = "700mb"  # an hour of stereo as on a CD

STATIC = Path(__file__).parent / "static"
VENDORED = [f"vendor/wavesurfer/{name}.min.js" for name in ("wavesurfer", "regions", "hover")]
_FONTS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif")  # none that is fetched from elsewhere
# Text on its ground has a contrast of 4.5 to 1 at least, by day and by night.
COLOURS = {
    "body_background_fill": "*neutral_50",
    "body_background_fill_dark": "*neutral_950",
    "body_text_color_subdued": "*neutral_600",
    "body_text_color_subdued_dark": "*neutral_300",
    "block_info_text_color": "*neutral_600",
    "block_info_text_color_dark": "*neutral_400",
    "block_label_text_color": "*primary_800",
    "block_label_text_color_dark": "*neutral_100",
    "block_title_text_color": "*primary_800",
    "block_title_text_color_dark": "*neutral_100",
    "button_primary_background_fill": "*primary_700",
    "button_primary_background_fill_dark": "*primary_700",
    "button_primary_background_fill_hover": "*primary_800",
    "button_primary_background_fill_hover_dark": "*primary_600",
    "checkbox_label_background_fill_selected": "*primary_700",
    "checkbox_label_background_fill_selected_dark": "*primary_700",
    "color_accent": "*primary_700",
    "link_text_color": "*primary_700",
    "link_text_color_dark": "*primary_300",
}
_MONO_FONTS = ("ui-monospace", "Consolas", "monospace")


def build_page(models: Models) -> gr.Blocks:
    """Builds the page without loading a model.

    Args:
        models: The page's own model, and those to compare it with.
    """
    with Page(
        title="Speech emotion recognition", analytics_enabled=False, delete_cache=(DELETE_EVERY, DELETE_OLDER)
    ) as page:
        cards.html(cards.header(TITLE, INTRODUCTION, NOTICE), "ser-header")
        voice = VisitorVoice()
        with gr.Tabs(elem_id="ser-tabs", overflow_behavior="wrap"):
            with gr.Tab("Act an emotion", id="act"):
                act.build(page, models.main)
            with gr.Tab("Clip", id="clip"):
                clip.build(page, models.main, all_examples(), voice)
            with gr.Tab("Live", id="live"):
                live.build(voice)
            with gr.Tab("Recording", id="recording"):
                of_recording = recording.build(models.main)
            with gr.Tab("Batch", id="batch"):
                of_batch = batch.build(models.main)
            with gr.Tab("Compare", id="compare"):
                compare.build(models, voice)
            with gr.Tab("My voice", id="my-voice"):
                my_voice.build(page, models.main, voice, [of_recording, of_batch])
            with gr.Tab("About", id="about"):
                about.build(models)
        wire_tabs(page)
        cards.html(cards.note([PRIVACY]), "ser-privacy")
    return page


def appearance() -> dict[str, Any]:
    """Theme, style sheet, scripts and readable example files, as `launch` takes them."""
    theme = gr.themes.Soft(primary_hue="blue", neutral_hue="slate", font=_FONTS, font_mono=_MONO_FONTS)
    theme.set(
        block_radius="12px", button_large_radius="12px", block_border_width="1px", checkbox_border_color="*neutral_400"
    )
    theme.set(**COLOURS)
    vendored = "".join(f'<script defer src="{name}"></script>' for name in VENDORED)
    scripts = "".join(f"<script>{path.read_text(encoding='utf-8')}</script>" for path in sorted(STATIC.glob("*.js")))
    return {
        "theme": theme,
        "css_paths": sorted(STATIC.glob("*.css")),
        "head": (STATIC / "head.html").read_text(encoding="utf-8") + vendored + scripts,
        "allowed_paths": [str(example.path) for example in all_examples()],
    }
