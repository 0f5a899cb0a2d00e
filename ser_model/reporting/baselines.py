"""Reference figures beside the measured ones: baselines by fold, published figures, targets and goals."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ser_model.evaluation.queue import Job

PROJECT_RESULTS = Path(__file__).parents[2] / "results"
EGEMAPS, ENCODER = "eGeMAPS + SVM", "encoder + SVM"
COMMON_SENTENCES = "savee_common_sentences"
Baselines = dict[str, dict[str, list[float]]]  # name -> corpus -> UAR by fold


def read_anchors(folder: Path) -> dict[str, Any]:
    """The reference figures that are typed in: `anchors.json` of `folder`, else the project's."""
    return json.loads(_own_or_project(folder, "anchors.json").read_text(encoding="utf-8"))


def read_baselines(folder: Path, anchors: Mapping[str, Any]) -> Baselines:
    """UAR by fold of both baselines, for each corpus; SAVEE's common sentences are a corpus of their own."""
    typed = {corpus: folds for corpus, folds in anchors["egemaps_svm"].items() if isinstance(folds, list)}
    measured: dict[str, list[float]] = {}
    for result in json.loads(_own_or_project(folder, "baselines/encoder-svm.json").read_text(encoding="utf-8"))[
        "results"
    ]:
        measured.setdefault(result["corpus"], []).append(result["uar"])
        if "common_sentences" in result:
            measured.setdefault(COMMON_SENTENCES, []).append(result["common_sentences"]["uar"])
    return {EGEMAPS: typed, ENCODER: measured}


def baseline_of(job: Job, corpus: str, by_corpus: Mapping[str, list[float]]) -> float | None:
    """A baseline's UAR on the fold of a corpus that a run tests."""
    folds = by_corpus.get(corpus)
    return folds[(job.fold - 1) % len(folds)] if folds and job.protocol == "speaker" else None


def _own_or_project(folder: Path, name: str) -> Path:
    return folder / name if (folder / name).is_file() else PROJECT_RESULTS / name
