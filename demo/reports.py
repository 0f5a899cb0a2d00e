"""The form of a model's report as far as the page reads it: a model of the Hub may bring any file of that name."""

from __future__ import annotations

from typing import Annotated, Any, NotRequired

from pydantic import Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict  # of typing's, pydantic takes only that of Python 3.12

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]

Band = TypedDict("Band", {"from": Share, "to": Share, "clips": Count, "right": Share | None})


class Calibration(TypedDict):
    """How far a model's probabilities can be trusted."""

    ece: NotRequired[Share | None]
    bands: NotRequired[list[Band]]


class Test(TypedDict):
    """The figures of a model's test."""

    accuracy: Share
    uar: Share
    uar_interval: NotRequired[Annotated[list[Share], Field(min_length=2, max_length=2)] | None]
    calibration: NotRequired[Calibration]
    confusion_matrix: NotRequired[list[list[Count]]]
    per_corpus: NotRequired[dict[str, dict[str, Any]]]


class Report(TypedDict):
    """The parts of `report.json` that the page reads; others are let through."""

    corpora: NotRequired[list[str]]
    labels: NotRequired[list[str]]
    split_sizes: NotRequired[dict[str, int]]
    leakage: NotRequired[dict[str, Any]]
    test: NotRequired[Test]


_FORM = TypeAdapter(Report)


def usable_report(report: Any) -> dict[str, Any] | None:
    """The report where it has the form of this project's; None otherwise, as if the model had none."""
    try:
        _FORM.validate_python(report, strict=True)
    except ValidationError:
        return None
    labels, counts = report.get("labels", []), report.get("test", {}).get("confusion_matrix")
    fits = counts is None or [len(row) for row in counts] == [len(labels)] * len(labels)
    return report if fits and isinstance(report.get("leakage", {}).get("test", {}), dict) else None
