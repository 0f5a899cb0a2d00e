"""The queue of runs, and which of them have a result."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ser_model.training.presets import load_preset, settings_alone
from ser_model.training.resume import fingerprint_at_hand


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


class QueueError(Exception):
    """A queue that cannot be used, said in one sentence."""


class Recordings:
    """The recordings below a folder, by which results of them are told from those of others.

    Args:
        data_dir: Any folder above the corpora; None for the default.
    """

    def __init__(self, data_dir: str | None):
        self.data_dir = data_dir
        self._fingerprints: dict[str, str | None] = {}  # by the block `data` of settings

    def are_of(self, report: dict[str, Any]) -> bool:
        """Whether a report or record is of them, as it is taken to be where it does not say or they are not there."""
        if not (before := report.get("corpora_fingerprint")):
            return True
        data = report["settings"]["data"]
        key = json.dumps(data)
        if key not in self._fingerprints:
            self._fingerprints[key] = fingerprint_at_hand(data, self.data_dir)
        return self._fingerprints[key] in (None, before)


def read_queue(path: Path) -> list[Job]:
    """Reads `[{"preset", "protocol", "folds": [...], "seeds": [...]}, ...]`, in order of importance.

    Raises:
        QueueError: There is no such file, or it does not hold that.
    """
    try:
        return [
            Job(entry["preset"], entry["protocol"], fold, seed)
            for entry in json.loads(path.read_text(encoding="utf-8"))
            for fold in entry["folds"]
            for seed in entry["seeds"]
        ]
    except OSError as error:
        raise QueueError(f"The queue {path} cannot be read: {error.strerror}; name one with --queue.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise QueueError(
            f"The queue {path} is no JSON list of entries with preset, protocol, folds and seeds."
        ) from error


def read_result(job: Job, folder: Path, recordings: Recordings | None = None) -> dict[str, Any] | None:
    """The report of a job, or None where it was not run with the preset as it is now (notes aside).

    Args:
        job: The run.
        folder: Where the results lie.
        recordings: Those that it has to be of; by default it is not asked of which it is.
    """
    path = folder / f"{job.name}.json"
    if not path.is_file():
        return None
    report = json.loads(path.read_text(encoding="utf-8"))
    return report if is_of_preset(job, report) and (recordings is None or recordings.are_of(report)) else None


def is_of_preset(job: Job, report: dict[str, Any]) -> bool:
    """Whether a report, or the record of an unfinished run, is of a job's preset as it is now."""
    return settings_alone(report["settings"]) == settings_alone(load_preset(job.preset).as_dict())
