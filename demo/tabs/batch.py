"""The tab Batch: many files in, one table out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from demo import batch_result, cards, messages, true_labels
from demo.api import FileRow, endpoint, typed
from demo.components import AT_ONCE, job_buttons, long_job, one_speaker_box
from demo.loading import NoModel
from demo.true_labels import LabelsError
from ser_model.audio import AudioError
from ser_model.inference.files import file_sums, predict_file, voice_of_files
from ser_model.inference.results import RESULT
from ser_model.inference.voice_profile import VoiceProfile, VoiceProfileError

if TYPE_CHECKING:
    import torch

    from ser_model.inference.recognizer import EmotionRecognizer

MOST_FILES = 500
Rows = list[dict[str, Any]]


def build(load: Callable[[], EmotionRecognizer]) -> gr.Checkbox:
    """Adds the tab's content to the page under construction; returns its box for one speaker.

    Args:
        load: Returns the recognizer; may take its time on the first call.
    """
    files = gr.File(label=f"At most {MOST_FILES} clips", file_count="multiple", height=180, elem_id="ser-files")
    cards.html(cards.render("folder_button"), "ser-batch-folder")
    one_speaker = one_speaker_box(messages.ONE_SPEAKER_FILES, "ser-batch-speaker")
    source = gr.Radio(
        list(true_labels.SOURCES), value=true_labels.NONE, label="True labels", info=true_labels.INFO,
        elem_id="ser-batch-truth",
    )  # fmt: skip
    labels = gr.File(label="CSV: file, label", visible=False, height=120, elem_id="ser-batch-labels")
    source.input(lambda chosen: gr.File(visible=chosen == true_labels.TABLE), source, labels, **AT_ONCE)
    buttons = job_buttons("Predict all", "ser-predict-all")
    status = cards.html(cards.note([messages.BATCH_NOTE]), "ser-batch-status")
    table = cards.html("", "ser-batch-table")

    def steps(paths: list[str] | None, *settings: Any) -> Iterator[tuple[str, str]]:
        yield from predict_or_message(load, paths, *settings)

    def rows(files: list[str], one_speaker: bool | None) -> Rows:
        recognizer, paths = load_for(load, files)
        voice = voice_of_files(recognizer, all_sums(recognizer, paths)) if one_speaker else None
        return list(predict_all(recognizer, paths, voice))

    long_job([buttons[0].click], steps, files, one_speaker, [status, table], buttons, messages.BATCH_NOTE,
             [source, labels])  # fmt: skip
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
        try:
            row = predict_file(recognizer, path, voice)
        except NoModel as error:  # it took too long: the others need not
            row = dict.fromkeys(RESULT) | {"error": str(error)}
        yield row | {"file": path.name}


def all_sums(recognizer: EmotionRecognizer, paths: list[Path]) -> Iterator[torch.Tensor | None]:
    """The `file_sums` of each file; None, too, for one that takes too long."""
    for path in paths:
        try:
            yield from file_sums(recognizer, [path])
        except NoModel:
            yield None


def predict_or_message(
    load: Callable[[], EmotionRecognizer],
    files: list[str] | None,
    one_speaker: bool = False,
    source: str = true_labels.NONE,
    table: str | None = None,
) -> Iterator[tuple[str, str]]:
    """Progress, then status and results, or a sentence that says why there are none.

    Args:
        load: Returns the recognizer.
        files: The files to predict.
        one_speaker: Whether one person speaks in all of them.
        source: Where true labels come from, one of `true_labels.SOURCES`.
        table: The CSV with them.
    """
    if not files:
        yield cards.message_card(messages.NO_FILES), ""
        return
    yield cards.progress_card(0.0, "Starting …"), ""
    try:
        recognizer, paths = load_for(load, files)
        true = true_of(source, table, paths, recognizer.labels)
        voice, sums, rows = None, [], Rows()
        if one_speaker:
            for found in all_sums(recognizer, paths):
                sums.append(found)
                text = f"Voice profile: {len(sums)} of {len(paths)} files"
                yield cards.progress_card(len(sums) / len(paths), text), ""
            voice = voice_of_files(recognizer, sums)
        for path, row in zip(paths, predict_all(recognizer, paths, voice), strict=True):
            rows.append(row | {"path": str(path), "true": true.get(path.name)})
            yield cards.progress_card(len(rows) / len(paths), f"Predicted {len(rows)} of {len(paths)} files"), ""
    except (AudioError, LabelsError, NoModel, VoiceProfileError) as error:
        yield cards.message_card(str(error)), ""
        return
    bad = sum(bool(row["error"]) for row in rows)
    summary = messages.batch_summary(len(rows) - bad, bad)
    status = cards.note([summary, messages.OWN_PROFILE if voice else ""])
    yield status, batch_result.show(rows, recognizer.labels, source != true_labels.NONE)


def true_of(source: str, table: str | None, paths: list[Path], labels: list[str]) -> dict[str, str]:
    """File name -> true label, from where the visitor said.

    Raises:
        LabelsError: There is no CSV, or it is of no use.
    """
    if source == true_labels.NAMES:
        return true_labels.from_names(paths, labels)
    if source == true_labels.TABLE:
        if table is None:
            raise LabelsError(true_labels.NO_TABLE)
        return true_labels.from_table(Path(table), paths, labels)
    return {}
