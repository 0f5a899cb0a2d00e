"""Experiments: alternative settings of a preset, judged by the validation part alone."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterable
from pathlib import Path
from statistics import mean
from typing import Any

from ser_model.training.presets import flat_settings, load_preset

from .queue import Job, read_result

FOLDER = "experiments"


def keep_experiment(run: Path, preset: str, folder: Path) -> Path:
    """Copies the report of a run with other settings to `folder/experiments`.

    The test part is left out, so that nobody chooses settings by it.

    Args:
        run: Folder that train.py wrote.
        preset: The preset that its settings were meant for.
        folder: Where the results lie.

    Raises:
        PresetError: There is no such preset.
        FileNotFoundError: The run has no report.
    """
    load_preset(preset)  # a wrong name is an error before anything is written
    report = json.loads((run / "report.json").read_text())
    kept = {name: value for name, value in report.items() if name not in ("test", "leakage", "left_out")}
    job = Job(preset, report["protocol"], report["fold"], report["seed"])
    settings = zlib.crc32(json.dumps(kept["settings"], sort_keys=True).encode())
    path = folder / FOLDER / f"{job.name}__{settings:08x}.json"
    path.parent.mkdir(exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(kept | {"preset": preset}, indent=1) + "\n")
    os.replace(partial, path)
    return path


def experiments_section(folder: Path) -> list[str]:
    """Lines of the results page: each preset as it is, then its alternative settings."""
    reports = [json.loads(path.read_text()) for path in sorted((folder / FOLDER).glob("*.json"))]
    if not reports:
        return []
    rows: dict[Job, list[str]] = {}
    for report in reports:
        job = Job(report["preset"], report["protocol"], report["fold"], report["seed"])
        if job not in rows:
            now = read_result(job, folder)
            rows[job] = [_row(job, "nothing", now)] if now else []
        rows[job].append(_row(job, _changes(report, job.preset), report))
    return [
        "## What was tried", "",
        "Settings in place of a preset's own, judged by the validation part alone; the test figures of these runs "
        "were not kept.", "",
        "| preset | protocol | fold | seed | changed | best epoch "
        "| validation UAR | its mean over corpora | validation accuracy |",
        "|---" * 9 + "|",
        *(row for found in rows.values() for row in found),
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
