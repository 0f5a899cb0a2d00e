"""What the tab Batch shows: figures beside true labels, the distribution of predictions, and one row for each file."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ser_model.inference.files import csv_cells, csv_columns

from . import cards, true_labels
from .messages import answer, percent

Rows = Sequence[Mapping[str, Any]]
FOUND_NO_LABEL = "No true label was found in the names of the files."
NONE_PREDICTED = "No file whose true label the model knows has a prediction."


def show(rows: Rows, labels: Sequence[str], told: bool) -> str:
    """Everything below the status.

    Args:
        rows: Rows of `predict_files` with `path` and `true`, the true label or None.
        labels: Of the model.
        told: Whether true labels were to be found.
    """
    counts = Counter(row["label"] for row in rows if row["label"])
    columns = [("Predicted emotions", cards.distribution({label: counts[label] for label in labels}))] if counts else []
    figures, matrix = _against_truth(rows, labels) if told else ("", "")
    if matrix:
        columns.append(("Against the true labels", figures + matrix))
    files = {"emotions.csv": ("CSV", "text/csv", to_csv(rows, labels, told))} if counts else {}
    return cards.render(
        "batch",
        rows=[_cells(row, labels) for row in rows],
        told=told,
        above=cards.side_by_side(columns) if columns else "",
        note="" if matrix else figures,
        downloads=cards.downloads(files) if files else "",
    )


def to_csv(rows: Rows, labels: Sequence[str], told: bool = False) -> str:
    """Every row, bad ones too, in the columns of `predict --format csv`; `true` last where true labels were found."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*csv_columns(labels), *(["true"] if told else [])])
    writer.writerows([*csv_cells(dict(row), labels), *([row["true"]] if told else [])] for row in rows)
    return text.getvalue()


def _cells(row: Mapping[str, Any], labels: Sequence[str]) -> dict[str, Any]:
    label = row["label"]
    return {
        "file": row["file"],
        "path": row["path"],
        "emotion": "failed" if row["error"] else label if label and not row["unsure"] else answer(row),
        "probability": percent(row["probabilities"][label]) if label else "",
        "duration": "" if row["error"] else f"{row['duration']:.1f}",
        "speech": "" if row["error"] else f"{row['speech']['seconds']:.1f}",
        "true": row["true"] or "",
        "is_wrong": bool(label and row["true"] in labels and label != row["true"]),
        "remark": row["error"] or row["remark"] or "",
    }


def _against_truth(rows: Rows, labels: Sequence[str]) -> tuple[str, str]:
    """Accuracy and UAR in words, and the confusion matrix; why there is none, and nothing."""
    measured, number = true_labels.figures(rows, labels)
    true = {row["true"] for row in rows if row["true"]}
    foreign = sorted(true - set(labels))
    unknown = f"The model does not know these labels: {', '.join(foreign)}." if foreign else ""
    if not measured:
        return cards.note([NONE_PREDICTED if true - set(foreign) else "", unknown] if true else [FOUND_NO_LABEL]), ""
    occurring = len(labels) - len(measured["missing_classes"])
    right = round(measured["accuracy"] * number)
    left_out = len(rows) - number
    sentences = [
        f"Accuracy {percent(measured['accuracy'])} ({right} of {number} files), UAR {percent(measured['uar'])}: the "
        f"mean recall of the {occurring} {'emotion that occurs' if occurring == 1 else 'emotions that occur'}.",
        f"{left_out} left out: without a true label or a prediction." if left_out else "",
        unknown,
    ]
    return cards.note(sentences), cards.confusion("Confusion matrix", labels, measured["confusion_matrix"])
