"""The section of the results page on alternative settings: each preset beside what else was tried for it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from statistics import mean
from typing import Any

from ser_model.evaluation.experiments import FOLDER
from ser_model.evaluation.queue import Job, read_result
from ser_model.training.presets import flat_settings, load_preset


def alternative_settings_section(folder: Path) -> list[str]:
    """Lines of the results page: each preset as it is, then its alternative settings.

    Args:
        folder: Where the results lie; the reports of experiments are in a folder below it.
    """
    rows: dict[Job, list[str]] = {}
    for path in sorted((folder / FOLDER).glob("*.json")):
        report = json.loads(path.read_text(encoding="utf-8"))
        job = Job(report["preset"], report["protocol"], report["fold"], report["seed"])
        if job not in rows:
            now = read_result(job, folder)
            rows[job] = [_row(job, "none: the preset", now)] if now else []
        rows[job].append(_row(job, _changes(report, job.preset), report))
    if not rows:
        return []
    return [
        "Settings tried in place of a preset's own, compared with the preset by the validation part alone. "
        "The test figures of these runs were not kept.", "",
        "| preset | protocol | fold | seed | settings changed | best epoch "
        "| validation UAR | mean UAR over corpora | validation accuracy |",
        "|---" * 9 + "|",
        *(row for job in sorted(rows) for row in rows[job]),
    ]  # fmt: skip


def _row(job: Job, changed: str, report: dict[str, Any]) -> str:
    figures = report["validation"]
    over_corpora = mean(part["uar"] for part in figures["per_corpus"].values())
    return (
        f"| {job.preset} | {job.protocol} | {job.fold} | {job.seed} | {changed} | {report['best_epoch']:.0f} "
        f"| {figures['uar']:.1%} | {over_corpora:.1%} | {figures['accuracy']:.1%} |"
    )


def _changes(report: dict[str, Any], preset: str) -> str:
    """The settings in which a report differs from a preset, as `model.dropout = 0.35` or `without loss.mixup_alpha`."""
    ours, theirs = (dict(flat_settings(each)) for each in (load_preset(preset).as_dict(), report["settings"]))
    names = [name for name in {**ours, **theirs} if ours.get(name) != theirs.get(name)]
    changed = [
        f"{'.'.join(name)} = {theirs[name]}" if name in theirs else f"without {'.'.join(_lacking(name, theirs))}"
        for name in names
        if name[0] not in ("name", "notes")
    ]
    return ", ".join(dict.fromkeys(changed))


def _lacking(name: tuple[str, ...], theirs: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """The outermost part of `name` that is nowhere in `theirs`."""
    there = {other[:length] for other in theirs for length in range(1, len(other))}
    return next(name[:length] for length in range(1, len(name) + 1) if name[:length] not in there)
