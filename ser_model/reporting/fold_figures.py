"""Figures of one corpus over the folds and seeds of a preset."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import mean
from typing import Any

import numpy as np

from datasets_scripts.splits import count_published_folds
from ser_model.evaluation.intervals import pooled_uar
from ser_model.evaluation.queue import Job

Reports = dict[Job, dict[str, Any]]  # what was measured, by what was queued


def runs_on(reports: Reports, preset: str, corpus: str, protocol: str = "speaker") -> Reports:
    """A preset's runs under a protocol that test a corpus, each of its folds once.

    Pooled corpora have as many folds as the one with most: those beyond a corpus's own test its first ones again, as
    its published folds tell, or else the speakers who were tested.
    """
    runs = {
        job: report
        for job, report in sorted(reports.items(), key=lambda entry: entry[0])
        if (job.preset, job.protocol) == (preset, protocol) and corpus in report["test"]["per_corpus"]
    }
    if protocol != "speaker":
        return runs
    if count := count_published_folds(corpus):
        return {job: report for job, report in runs.items() if job.fold <= count}
    first: dict[frozenset[str], int] = {}  # fold that tests these speakers
    folds = {job: first.setdefault(frozenset(speakers_of(report, [corpus])), job.fold) for job, report in runs.items()}
    return {job: report for job, report in runs.items() if folds[job] == job.fold}


def fold_means(values: dict[Job, float]) -> list[float]:
    """The mean over seeds of each fold, so that a fold with more seeds than another does not count more."""
    by_fold: dict[int, list[float]] = defaultdict(list)
    for job, value in values.items():
        by_fold[job.fold].append(value)
    return [mean(of_fold) for of_fold in by_fold.values()]


def mean_over_folds(values: dict[Job, float]) -> float:
    """Mean over folds, of the mean over seeds within each."""
    return mean(fold_means(values))


def interval_over_speakers(runs: Reports, corpora: Sequence[str]) -> tuple[float, float] | None:
    """95 % bootstrap interval of the UAR of all folds' test speakers together.

    Args:
        runs: Of `runs_on`.
        corpora: Whose speakers.

    Returns:
        Both ends; None with fewer than three speakers, or where a report has no confusion matrix by speaker.
    """
    confusions = speaker_confusions(runs, corpora)
    if not confusions:
        return None
    _, low, high = pooled_uar(list(confusions.values()))
    return None if low is None or high is None else (low, high)


def speaker_confusions(runs: Reports, corpora: Sequence[str]) -> dict[str, np.ndarray]:
    """Confusion matrix of each test speaker of some corpora, the mean of those under several seeds.

    None of any speaker where one has none.
    """
    confusions: dict[str, list[np.ndarray]] = defaultdict(list)
    for report in runs.values():
        for speaker, figures in speakers_of(report, corpora).items():
            if "confusion_matrix" not in figures:
                return {}
            confusions[speaker].append(np.array(figures["confusion_matrix"]))
    return {speaker: np.mean(of_speaker, axis=0) for speaker, of_speaker in confusions.items()}


def speakers_of(report: dict[str, Any], corpora: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Figures of each test speaker of some corpora."""
    starts = tuple(f"{corpus}_" for corpus in corpora)
    return {name: figures for name, figures in report["test"]["per_speaker"].items() if name.startswith(starts)}


def folds_and_seeds(jobs: Iterable[Job]) -> str:
    """`fold 1, 2; seed 0`, or `fold 1; seed 0, 1 and fold 2; seed 0` where folds have not the same seeds."""
    seeds: dict[int, list[int]] = defaultdict(list)
    for job in sorted(jobs):
        seeds[job.fold].append(job.seed)
    folds: dict[str, list[str]] = defaultdict(list)
    for fold, of_fold in seeds.items():
        folds[", ".join(map(str, of_fold))].append(str(fold))
    return " and ".join(f"fold {', '.join(of_seeds)}; seed {named}" for named, of_seeds in folds.items())
