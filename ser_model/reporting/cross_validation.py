"""What the folds and seeds of a preset say together, and how two presets differ on them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np

from ser_model.evaluation.intervals import paired_difference, signed_rank_p
from ser_model.evaluation.queue import Job

from .fold_figures import (
    Reports,
    interval_over_speakers,
    mean_over_folds,
    runs_on,
    speaker_confusions,
    speakers_of,
)
from .preset_tables import table

FIGURES = {"uar": "UAR", "accuracy": "accuracy", "macro_f1": "macro F1"}
NOTE = (
    "Mean over folds, of the mean over seeds, ± standard deviation over folds. The interval is the 95 % bootstrap over "
    "the test speakers of all folds together; it is left out for fewer than three, and where reports have no confusion "
    "matrix of each speaker."
)
PAIRED_NOTE = (
    "The difference is that of the two means. Its interval is the 95 % paired bootstrap over test speakers, p that of "
    "Wilcoxon's signed-rank test on the UAR of each test speaker under both, two-sided."
)
POOLED_NOTE = (
    "`all` is the whole test part of each fold; a corpus with fewer folds than another is in some of them again. It "
    "has an interval only where each fold tests other speakers of every corpus."
)


@dataclass(frozen=True)
class Part:
    """A test part that has a row: a corpus, or all of them together."""

    name: str
    corpora: list[str]

    def runs(self, reports: Reports, preset: str, protocol: str) -> Reports:
        """A preset's runs that test it."""
        if self.name == "all":
            return {job: report for job, report in reports.items() if (job.preset, job.protocol) == (preset, protocol)}
        return runs_on(reports, preset, self.name, protocol)

    def tests_each_once(self, runs: Reports) -> bool:
        """Whether each fold tests every corpus, and none of them twice."""
        job = next(iter(runs))
        return all(len(runs_on(runs, job.preset, corpus, job.protocol)) == len(runs) for corpus in self.corpora)

    def figures(self, runs: Reports, name: str) -> dict[Job, float]:
        """A figure of each run."""
        tests = {job: report["test"] for job, report in runs.items()}
        return {
            job: test[name] if self.name == "all" else test["per_corpus"][self.name][name]
            for job, test in tests.items()
        }


def cross_validation(reports: Reports, presets: Sequence[str], protocol: str) -> dict[str, Any]:
    """Figures of one preset, or of two and their difference, over the folds and seeds that were measured.

    Args:
        reports: Of the same folds and seeds for each preset.
        presets: One or two.
        protocol: The protocol of the runs.

    Returns:
        `protocol`, `folds`, `seeds`; `presets`: name -> test part -> `folds`, `clips`, the figures with
        `mean`, `sd_over_folds` and `sd_over_seeds` (None where there is one), and the interval of the UAR; `runs`: the
        figures of each run; `difference` of two presets: test part -> what `_difference` gives.
    """
    parts = _parts(reports)
    return {
        "protocol": protocol,
        "folds": sorted({job.fold for job in reports}),
        "seeds": sorted({job.seed for job in reports}),
        "presets": {
            Path(preset).stem: {
                part.name: _summary(part, runs) for part in parts if (runs := part.runs(reports, preset, protocol))
            }
            for preset in presets
        },
        "runs": [
            {"preset": Path(job.preset).stem, "fold": job.fold, "seed": job.seed}
            | {name: report["test"][name] for name in FIGURES}
            for job, report in sorted(reports.items(), key=lambda entry: entry[0])
        ],
    } | ({"difference": _differences(reports, presets, protocol, parts)} if len(presets) == 2 else {})


def tables(found: dict[str, Any]) -> list[str]:
    """Lines of Markdown: a table for each preset and one of their difference; what `cross_validation` gave."""
    lines: list[str] = []
    pooled = False
    for preset, parts in found["presets"].items():
        folds, seeds = (", ".join(map(str, found[name])) for name in ("folds", "seeds"))
        lines += [f"**{preset}**, protocol `{found['protocol']}`, fold {folds}, seed {seeds}", ""]
        header = ["test part", "folds", "clips", "UAR", "95 % interval", "sd over seeds", "accuracy", "macro F1"]
        lines += [*table(header, [_row(name, part) for name, part in parts.items()]), ""]
        pooled = pooled or "all" in parts
    lines += [NOTE, POOLED_NOTE] if pooled else [NOTE]
    if found.get("difference"):
        first, second = found["presets"]
        rows = [
            [
                name,
                str(row["speakers"]),
                _signed(row["mean"]),
                _interval(row["interval"], _signed),
                "" if row["p"] is None else f"{row['p']:.3g}",
            ]
            for name, row in found["difference"].items()
        ]
        header = ["test part", "speakers", f"UAR of {first} less {second}, in points", "95 % interval", "p"]
        lines += ["", *table(header, rows), "", PAIRED_NOTE]
    return lines


def _parts(reports: Reports) -> list[Part]:
    corpora = list(dict.fromkeys(name for report in reports.values() for name in report["corpora"]))
    together = [Part("all", corpora)] if len(corpora) > 1 else []
    return together + [Part(name, [name]) for name in corpora]


def _summary(part: Part, runs: Reports) -> dict[str, Any]:
    summary: dict[str, Any] = {
        "folds": len({job.fold for job in runs}),
        "clips": sum(_clips(part, report) for job, report in runs.items() if job.seed == min(job.seed for job in runs)),
    }
    for name in FIGURES:
        values = part.figures(runs, name)
        summary[name] = {
            "mean": mean_over_folds(values),
            "sd_over_folds": _spread(values, by=lambda job: job.fold),
            "sd_over_seeds": _spread(values, by=lambda job: job.seed),
        }
    summary["uar"]["interval"] = interval_over_speakers(runs, part.corpora) if part.tests_each_once(runs) else None
    return summary


def _clips(part: Part, report: dict[str, Any]) -> int:
    by_corpus = report["test"]["per_corpus"]
    return sum(by_corpus[name]["clips"] for name in part.corpora if name in by_corpus)


def _spread(values: dict[Job, float], by: Any) -> float | None:
    """Standard deviation of the means of groups of runs; None where there is one group."""
    groups: dict[int, list[float]] = defaultdict(list)
    for job, value in values.items():
        groups[by(job)].append(value)
    return stdev(mean(group) for group in groups.values()) if len(groups) > 1 else None


def _differences(
    reports: Reports, presets: Sequence[str], protocol: str, parts: Sequence[Part]
) -> dict[str, dict[str, Any]]:
    found = {}
    for part in parts:
        ours, theirs = (part.runs(reports, preset, protocol) for preset in presets)
        if ours and theirs:
            found[part.name] = _difference(part, ours, theirs)
    return found


def _difference(part: Part, ours: Reports, theirs: Reports) -> dict[str, Any]:
    """`mean`, `interval` and `p` of the UAR of two presets on the same test speakers, and how many `speakers`."""
    first, second = _speaker_uars(ours, part.corpora), _speaker_uars(theirs, part.corpora)
    speakers = sorted(first.keys() & second.keys())
    ends: list[float] | None = None
    confusions = [speaker_confusions(runs, part.corpora) for runs in (ours, theirs)]
    if all(confusions) and part.tests_each_once(ours):
        _, low, high = paired_difference(*([of_all[name] for name in speakers] for of_all in confusions))
        ends = None if low is None or high is None else [low, high]
    means = [mean_over_folds(part.figures(runs, "uar")) for runs in (ours, theirs)]
    return {
        "speakers": len(speakers),
        "mean": means[0] - means[1],
        "interval": ends,
        "p": signed_rank_p([first[name] for name in speakers], [second[name] for name in speakers]),
    }


def _speaker_uars(runs: Reports, corpora: Sequence[str]) -> dict[str, float]:
    """UAR of each test speaker, mean over the runs that test the speaker."""
    values: dict[str, list[float]] = defaultdict(list)
    for report in runs.values():
        for name, figures in speakers_of(report, corpora).items():
            values[name].append(figures["uar"])
    return {name: float(np.mean(of_speaker)) for name, of_speaker in values.items()}


def _row(name: str, part: dict[str, Any]) -> list[str]:
    uar, over_seeds = part["uar"], part["uar"]["sd_over_seeds"]
    shown = [_with_spread(part[figure]) for figure in FIGURES]
    ends = _interval(uar["interval"], lambda value: f"{100 * value:.1f}")
    seeds = "" if over_seeds is None else f"{100 * over_seeds:.1f}"
    return [name, str(part["folds"]), str(part["clips"]), shown[0], ends, seeds, *shown[1:]]


def _with_spread(figure: dict[str, Any]) -> str:
    spread = figure["sd_over_folds"]
    return f"{100 * figure['mean']:.1f}" + ("" if spread is None else f" ± {100 * spread:.1f}")


def _interval(ends: Sequence[float] | None, shown: Any) -> str:
    return f"{shown(ends[0])} to {shown(ends[1])}" if ends else ""


def _signed(value: float) -> str:
    return f"{100 * value:+.1f}"
