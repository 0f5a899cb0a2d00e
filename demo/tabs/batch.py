"""The tab Batch: many files in, one table out."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from demo import cards, messages
from demo.api import FileRow, endpoint, typed
from demo.components import job_buttons, long_job, one_speaker_box
from demo.loading import NoModel
from ser_model.audio import AudioError
from ser_model.inference.files import file_sums, predict_file, voice_of_files, write_csv
from ser_model.inference.voice_profile import VoiceProfile, VoiceProfileError

if TYPE_CHECKING:
    from ser_model.inference.recognizer import EmotionRecognizer

MOST_FILES = 500
Rows = list[dict[str, Any]]


def build(load: Callable[[], EmotionRecognizer]) -> gr.Checkbox:
    """Adds the tab's content to the page under construction; returns its box for one speaker.

    Args:
        load: Returns the recognizer; may take its time on the first call.
    """
    files = gr.File(
        label=f"Your clips, at most {MOST_FILES} at once", file_count="multiple", height=180, elem_id="ser-files"
    )
    one_speaker = one_speaker_box(messages.ONE_SPEAKER_FILES, "ser-batch-speaker")
    button, cancel = job_buttons("Predict all", "ser-predict-all")
    status = cards.html(cards.note([messages.BATCH_NOTE]), "ser-batch-status")
    table = cards.html("", "ser-batch-table")

    def steps(paths: list[str] | None, one_speaker: bool) -> Iterator[tuple[str, str]]:
        yield from predict_or_message(load, paths, one_speaker)

    def rows(files: list[str], one_speaker: bool | None) -> Rows:
        recognizer, paths = load_for(load, files)
        voice = voice_of_files(recognizer, file_sums(recognizer, paths)) if one_speaker else None
        return list(predict_all(recognizer, paths, voice))

    long_job([button.click], steps, files, one_speaker, [status, table], cancel, messages.BATCH_NOTE)
    endpoint("batch", rows, [files, one_speaker], typed(list[FileRow], "rows"), _DESCRIPTION)
    return one_speaker


_DESCRIPTION = (
    f"Predicts at most {MOST_FILES} files. Returns one row a file, in order: {{file, label, probabilities, duration, "
    "speech, unsure, remark, error}, label null where error or remark says why; times in seconds. one_speaker: all "
    "files are one person, whose voice profile is taken from all of them."
)


def load_for(load: Callable[[], EmotionRecognizer], files: list[str]) -> tuple[EmotionRecognizer, list[Path]]:
    """The recognizer, and the files as paths.

    Raises:
        AudioError: There are too many files.
        NoModel: There is no model to predict with.
    """
    if len(files) > MOST_FILES:
        raise AudioError(f"These are {len(files)} files; at most {MOST_FILES} are predicted at once.")
    return load(), [Path(file) for file in files]


def predict_all(
    recognizer: EmotionRecognizer, paths: list[Path], voice: VoiceProfile | None = None
) -> Iterator[dict[str, Any]]:
    """One row for each file, as `python -m ser_model predict` has them, with the file's name without its folder."""
    for path in paths:
        yield predict_file(recognizer, path, voice) | {"file": path.name}


def predict_or_message(
    load: Callable[[], EmotionRecognizer], files: list[str] | None, one_speaker: bool = False
) -> Iterator[tuple[str, str]]:
    """Progress, then the table, or a sentence that says why there is none."""
    if not files:
        yield cards.message_card(messages.NO_FILES), ""
        return
    yield cards.progress_card(0.0, "Starting …"), ""
    try:
        recognizer, paths = load_for(load, files)
        voice, sums, rows = None, [], Rows()
        if one_speaker:
            for found in file_sums(recognizer, paths):
                sums.append(found)
                text = f"Voice profile: {len(sums)} of {len(paths)} files"
                yield cards.progress_card(len(sums) / len(paths), text), ""
            voice = voice_of_files(recognizer, sums)
        for row in predict_all(recognizer, paths, voice):
            rows.append(row)
            yield cards.progress_card(len(rows) / len(paths), f"Predicted {len(rows)} of {len(paths)} files"), ""
    except (AudioError, NoModel, VoiceProfileError) as error:
        yield cards.message_card(str(error)), ""
        return
    yield show(rows, one_speaker)


def show(rows: Rows, one_speaker: bool) -> tuple[str, str]:
    """What went wrong with which file, and the table of the others with a download."""
    good, bad = ([row for row in rows if bool(row["error"]) is wrong] for wrong in (False, True))
    status = cards.note([messages.batch_summary(len(good), len(bad)), messages.OWN_PROFILE if one_speaker else ""])
    if bad:
        status += cards.defect_list([(row["file"], row["error"]) for row in bad])
    if not good:
        return status, ""
    downloads = cards.downloads({"emotions.csv": ("CSV", "text/csv", to_csv(rows))})
    return status, cards.batch_table(good) + downloads


def to_csv(rows: Rows) -> str:
    """Every row, bad ones too, with all probabilities: the columns of `predict --format csv`."""
    labels = next((list(row["probabilities"]) for row in rows if row["probabilities"]), [])
    text = io.StringIO()
    write_csv(rows, labels, text)
    return text.getvalue()
