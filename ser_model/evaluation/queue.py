"""The queue of runs, and which of them have a result."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ser_model.training.presets import load_preset, settings_alone


@dataclass(frozen=True, order=True)
class Job:
    """One run: a preset under a protocol, fold and seed."""

    preset: str
    protocol: str
    fold: int
    seed: int

    @property
    def name(self) -> str:
        return f"{Path(self.preset).stem}__{self.protocol}__fold{self.fold}__seed{self.seed}"


def read_queue(path: Path) -> list[Job]:
    """Reads `[{"preset", "protocol", "folds": [...], "seeds": [...]}, ...]`, in order of importance."""
    return [
        Job(entry["preset"], entry["protocol"], fold, seed)
        for entry in json.loads(path.read_text())
        for fold in entry["folds"]
        for seed in entry["seeds"]
    ]


def read_result(job: Job, folder: Path) -> dict[str, Any] | None:
    """The report of a job, or None where it was not run with the preset as it is now (notes aside)."""
    path = folder / f"{job.name}.json"
    if not path.is_file():
        return None
    report = json.loads(path.read_text())
    return report if is_of_preset(job, report) else None


def is_of_preset(job: Job, report: dict[str, Any]) -> bool:
    """Whether a report, or the record of an unfinished run, is of a job's preset as it is now."""
    return settings_alone(report["settings"]) == settings_alone(load_preset(job.preset).as_dict())
