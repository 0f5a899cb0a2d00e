"""The visitor's voice profile: it lies in the browser, comes with each request and is never trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from ser_model.inference.voice_profile import VoiceProfile, VoiceProfileError

from . import messages

if TYPE_CHECKING:
    from ser_model.inference.recognizer import EmotionRecognizer

STORAGE_KEY = "ser-voice-profile"


class VisitorVoice:
    """What a page under construction has of the profile.

    Attributes:
        kept: The profile as the browser keeps it, under a fixed key so that it outlives a restart of the server.
        boxes: One a tab that predicts with it; shown while there is a profile that fits the model.
    """

    def __init__(self) -> None:
        self.kept = gr.BrowserState(storage_key=STORAGE_KEY, secret=STORAGE_KEY)
        self.boxes: list[gr.Checkbox] = []

    def box(self, elem_id: str) -> gr.Checkbox:
        """The box that switches the profile on and off in one tab."""
        self.boxes.append(gr.Checkbox(True, label="Use my voice profile", visible=False, elem_id=elem_id))
        return self.boxes[-1]


def usable(kept: Any, recognizer: EmotionRecognizer) -> tuple[VoiceProfile | None, str]:
    """The profile that a browser sends, if it fits the model, and a remark for the result.

    Args:
        kept: Whatever came; None is no profile.
        recognizer: The model to predict with.
    """
    if not kept:
        return None, ""
    try:
        voice = VoiceProfile.from_dict(kept)
        voice.check(recognizer)
    except VoiceProfileError:
        return None, messages.VOICE_NOT_USED
    return voice, messages.VOICE_USED


def given(voice: Any) -> VoiceProfile | None:
    """The profile that a program sends, as an object or as JSON text; None is none.

    Raises:
        VoiceProfileError: It is something else.
    """
    if not voice:
        return None
    return VoiceProfile.from_json(voice) if isinstance(voice, str) else VoiceProfile.from_dict(voice)
