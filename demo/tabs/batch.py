"""The tab Batch: many files in, one table out."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from demo import cards, messages
from demo.api import FileRow, answer, endpoint
from demo.components import job_buttons, long_job
from demo.loading import NoModel
from ser_model.audio import AudioError
from ser_model.inference.files import predict_file, write_csv

if TYPE_CHECKING:
    from ser_model.inference.recognizer import EmotionRecognizer

MOST_FILES = 500
Rows = list[dict[str, Any]]


def build(load: Callable[[], EmotionRecognizer]) -> None:
    """Adds the tab's content to the page under construction.

    Args:
        load: Returns the recognizer; may take its time on the first call.
    """
    files = gr.File(
        label=f"Your clips, at most {MOST_FILES} at once", file_count="multiple", height=180, elem_id="ser-files"
    )
    button, cancel = job_buttons("Predict all", "ser-predict-all")
    status = cards.html(cards.note([messages.BATCH_NOTE]), "ser-batch-status")
    table = cards.html("", "ser-batch-table")

    def steps(paths: list[str] | None) -> Iterator[tuple[str, str]]:
        yield from predict_or_message(load, paths)

    long_job([button.click], steps, files, [status, table], cancel, messages.BATCH_NOTE)
    endpoint("batch", lambda files: list(predict_all(load, files)), files, answer(list[FileRow], "rows"), _DESCRIPTION)


_DESCRIPTION = (
    f"Predicts at most {MOST_FILES} files. Returns one row a file, in order: {{file, label, probabilities, duration, "
    "error}, label null where error says why; duration in seconds."
)


def predict_all(load: Callable[[], EmotionRecognizer], paths: list[str]) -> Iterator[dict[str, Any]]:
    """One row for each file, as `python -m ser_model predict` has them, with the file's name without its folder.

    Raises:
        AudioError: There are too many files.
        NoModel: There is no model to predict with.
    """
    if len(paths) > MOST_FILES:
        raise AudioError(f"These are {len(paths)} files; at most {MOST_FILES} are predicted at once.")
    recognizer = load()
    for path in paths:
        yield predict_file(recognizer, Path(path)) | {"file": Path(path).name}


def predict_or_message(load: Callable[[], EmotionRecognizer], paths: list[str] | None) -> Iterator[tuple[str, str]]:
    """Progress, then the table, or a sentence that says why there is none."""
    if not paths:
        yield cards.message_card(messages.NO_FILES), ""
        return
    rows: Rows = []
    yield cards.progress_card(0.0, "Starting …"), ""
    try:
        for row in predict_all(load, paths):
            rows.append(row)
            yield cards.progress_card(len(rows) / len(paths), f"Predicted {len(rows)} of {len(paths)} files"), ""
    except (AudioError, NoModel) as error:
        yield cards.message_card(str(error)), ""
        return
    yield show(rows)


def show(rows: Rows) -> tuple[str, str]:
    """What went wrong with which file, and the table of the others with a download."""
    good, bad = ([row for row in rows if bool(row["error"]) is wrong] for wrong in (False, True))
    status = cards.note([messages.batch_summary(len(good), len(bad))])
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
