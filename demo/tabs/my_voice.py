"""The tab My voice: a voice profile from a few clips, kept in the visitor's browser."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import gradio as gr

from demo import cards, messages
from demo.api import endpoint, typed
from demo.cancelling import LastWords
from demo.components import AT_ONCE
from demo.loading import NoModel
from demo.voices import STORAGE_KEY, VisitorVoice, usable
from ser_model.audio import AudioError, load_audio
from ser_model.inference.voice_profile import VoiceProfile, VoiceProfileError, checksum, clip_sums

if TYPE_CHECKING:
    from ser_model.inference.recognizer import EmotionRecognizer

LEAST_CLIPS, MOST_CLIPS, MAX_SECONDS = 3, 10, 30.0
# Gradio writes only what is not empty to the browser's storage, so that the script has to delete what is there.
_FORGET = f"() => {{ localStorage.removeItem('{STORAGE_KEY}'); return null; }}"
_ADD = """(clip, files) => {
    const place = (files ?? []).length + 1;
    return clip ? [[...(files ?? []), { ...clip, orig_name: `recording ${place}.wav` }], null] : [files, null];
}"""


def build(
    page: gr.Blocks, load: Callable[[], EmotionRecognizer], voice: VisitorVoice, one_speaker: Sequence[gr.Checkbox]
) -> None:
    """Adds the tab's content to the page under construction.

    Args:
        page: The page.
        load: Returns the recognizer; may take its time on the first call.
        voice: The visitor's voice profile, with its boxes of other tabs.
        one_speaker: Boxes that are hidden, too, where the model takes no profiles.
    """
    with gr.Row(equal_height=False, elem_classes="ser-columns"):
        with gr.Column(min_width=300) as reading:
            cards.html(cards.sentences(), "ser-sentences")
        with gr.Column(min_width=300):
            status = cards.html(status_of(None), "ser-my-voice-status")
            with gr.Column(elem_id="ser-my-voice-make"):
                recorder = gr.Audio(
                    label="Record a sentence", sources=["microphone"], type="filepath", format=None, buttons=[],
                    editable=False, elem_id="ser-my-voice-recorder", elem_classes="ser-audio",
                )  # fmt: skip
                files = gr.File(
                    label=f"Your clips, {LEAST_CLIPS} to {MOST_CLIPS}",
                    file_count="multiple", height=180, elem_id="ser-my-voice-files",
                )  # fmt: skip
                with gr.Row():
                    make = gr.Button("Make my profile", variant="primary", size="lg", scale=2, min_width=180)
                    forget = gr.Button("Forget", size="lg", scale=1, min_width=90, interactive=False)
    recorder.stop_recording(None, [recorder, files], [files, recorder], js=_ADD, **AT_ONCE)
    words = LastWords()

    def made(request: gr.Request, files: list[str] | None) -> tuple[Any, ...]:
        answer = make_or_message(load, files)
        return answer if words.since(request) is None else (gr.skip(), gr.skip())  # forgotten since

    def forgotten(request: gr.Request) -> None:
        words.say(request)

    make.click(
        made, files, [voice.kept, status], **AT_ONCE | {"show_progress": "minimal", "show_progress_on": status},
    )  # fmt: skip
    forget.click(None, None, voice.kept, js=_FORGET, **AT_ONCE)  # in the browser alone, whatever the server does
    forget.click(forgotten, None, None, **AT_ONCE)
    shown = [status, forget, *voice.boxes]
    voice.kept.change(lambda kept: shown_of(load, kept, len(voice.boxes)), voice.kept, shown, **AT_ONCE)
    hidden = [reading, recorder, files, make, *one_speaker]  # what is kept may be forgotten with any model
    page.load(lambda: refusal_of(load, len(hidden)), None, [status, *hidden], **AT_ONCE)
    endpoint("voice_profile", lambda files: profile_of(load(), files), files, typed(VoiceProfile, "profile"),
             _DESCRIPTION)  # fmt: skip


_DESCRIPTION = (
    f"Makes a voice profile for /predict from 1 to {MOST_CLIPS} clips of one person, {MAX_SECONDS:.0f} s each at most. "
    "Returns {checkpoint, num_frames, mean, std}: statistics of the speech encoder's frames, no audio. The server "
    "keeps no profile."
)


def profile_of(recognizer: EmotionRecognizer, files: Sequence[str]) -> VoiceProfile:
    """The profile of one person from uploaded clips.

    Raises:
        AudioError: There are too many clips, or one cannot be used; the text says which.
        VoiceProfileError: The model takes no profiles.
    """
    if len(files) > MOST_CLIPS:
        raise AudioError(f"These are {len(files)} clips; a voice profile is made from at most {MOST_CLIPS}.")
    checksum(recognizer)  # says so, where the model takes no profiles
    sums = []
    for place, file in enumerate(files, start=1):
        try:
            wave = load_audio(file, recognizer.sampling_rate, max_seconds=MAX_SECONDS)
            sums.append(clip_sums(recognizer, wave))
        except AudioError as error:
            raise AudioError(f"Clip {place}: {error}") from error
    return VoiceProfile.from_sums(recognizer, sums)


def make_or_message(load: Callable[[], EmotionRecognizer], files: list[str] | None) -> tuple[Any, Any]:
    """The profile for the browser, whose change is told in turn; or what is kept stays, and a sentence says why."""
    if len(files or []) < LEAST_CLIPS:
        return gr.skip(), cards.message_card(messages.FEW_CLIPS)
    try:
        profile = profile_of(load(), files or [])
    except (AudioError, NoModel, VoiceProfileError) as error:
        return gr.skip(), cards.message_card(str(error))
    return vars(profile), status_of(messages.voice_made(profile.seconds(load())))


def shown_of(load: Callable[[], EmotionRecognizer], kept: Any, boxes: int) -> list[Any]:
    """Status, the button that forgets, and the boxes that switch the profile on, for what the browser keeps."""
    profile = None
    try:
        recognizer = load()
        checksum(recognizer)  # says so, where the model takes no profiles
        profile, _ = usable(kept, recognizer)
        made = messages.voice_made(profile.seconds(recognizer)) if profile else None
        status = cards.message_card(messages.VOICE_FOREIGN) if kept and not profile else status_of(made)
    except (NoModel, VoiceProfileError) as error:
        status = cards.message_card(str(error))
    return [status, gr.Button(interactive=bool(kept)), *[gr.Checkbox(visible=profile is not None)] * boxes]


def status_of(text: str | None) -> str:
    """The profile that there is, or that there is none."""
    return cards.render("my_voice", text=text or messages.NO_VOICE, made=text is not None)


def refusal_of(load: Callable[[], EmotionRecognizer], parts: int) -> list[Any]:
    """Where the model takes no profiles: a sentence in the place of the status, and the other parts hidden."""
    try:
        checksum(load())
    except VoiceProfileError as error:
        return [cards.message_card(str(error)), *[gr.update(visible=False)] * parts]
    except NoModel:  # said where the emotion would be
        pass
    return [gr.skip()] * (1 + parts)
