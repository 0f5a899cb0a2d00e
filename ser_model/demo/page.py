"""The page as a whole: head line, tabs, what stands below them all, and how it looks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from . import cards, clip

if TYPE_CHECKING:
    from ser_model.recognizer import EmotionRecognizer

TITLE = "What emotion is in this voice?"
INTRODUCTION = "Record a sentence or upload a clip: a network trained on speech says which emotion it hears, and where."
PRIVACY = "Clips are analysed by the machine that serves this page, sent nowhere else, and deleted within an hour."
DELETE_EVERY, DELETE_OLDER = 300, 3000  # seconds; together within the hour that is promised
MAX_FILE_SIZE = "200mb"

_HERE = Path(__file__).parent
_FONTS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif")  # none that is fetched from elsewhere
_MONO_FONTS = ("ui-monospace", "Consolas", "monospace")


def build_page(load: Callable[[], EmotionRecognizer]) -> gr.Blocks:
    """Builds the page without loading the model.

    Args:
        load: Returns the recognizer; may take its time on the first call.
    """
    with gr.Blocks(
        title="Speech emotion recognition", analytics_enabled=False, delete_cache=(DELETE_EVERY, DELETE_OLDER)
    ) as page:
        cards.html(f'<header class="ser-header"><h1>{TITLE}</h1><p>{INTRODUCTION}</p></header>', "ser-header")
        clip.build(page, load)
        cards.html(cards.note([PRIVACY]), "ser-privacy")
    return page


def appearance() -> dict[str, Any]:
    """Theme, style sheet and head script, as `launch` and `mount_gradio_app` take them."""
    theme = gr.themes.Soft(primary_hue="blue", neutral_hue="slate", font=_FONTS, font_mono=_MONO_FONTS)
    theme.set(block_radius="12px", button_large_radius="12px", block_border_width="1px")
    return {"theme": theme, "css_paths": _HERE / "page.css", "head_paths": _HERE / "head.html"}
