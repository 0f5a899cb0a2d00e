"""Runs what is queued, each run a process of its own, and collects the reports."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path

from ser_model.training.presets import load_preset
from ser_model.training.processes import is_in_use
from ser_model.training.resume import RECORD

from .queue import Job, Recordings, is_of_preset, read_result

POLL_SECONDS = 0.5
REPORT, LOG = "report.json", "output.txt"  # in the folder of a run


@dataclass(frozen=True)
class Started:
    """A run under way: its process, and when it began."""

    job: Job
    process: subprocess.Popen
    since: float


@dataclass(frozen=True)
class Runner:
    """Trains jobs that have no result of their preset and recordings as they are now; what was interrupted goes on.

    Attributes:
        results: Folder of the reports, one JSON file a job.
        runs: Folder of the runs' own folders.
        at_once: Runs side by side, one thread each.
        data_dir: Any folder above the corpora; None for the default.
        encoder: Folder or Hub id that pretrained encoders are loaded from; None for the presets'.
    """

    results: Path
    runs: Path
    at_once: int = 1
    data_dir: str | None = None
    encoder: str | None = None

    @cached_property
    def recordings(self) -> Recordings:
        return Recordings(self.data_dir)

    def run(self, queue: Sequence[Job]) -> list[Job]:
        """Runs what is not measured yet and tells of it on stdout; returns the jobs that failed."""
        todo = deque(job for job in queue if read_result(job, self.results, self.recordings) is None)
        if others := [job for job in todo if read_result(job, self.results)]:
            print(f"{len(others)} results are of other recordings than those here: they are measured anew.", flush=True)
        print(f"{len(queue)} runs queued, {len(queue) - len(todo)} measured, {len(todo)} to do.", flush=True)
        running: list[Started] = []
        failed: list[Job] = []
        waited_for: set[Job] = set()
        self.results.mkdir(parents=True, exist_ok=True)
        try:
            while todo or running:
                for _ in range(len(todo)):
                    if len(running) == self.at_once:
                        break
                    job = todo.popleft()
                    if self._is_elsewhere(job, waited_for):
                        todo.append(job)
                    elif self._is_finished(job):
                        self._keep(job, len(todo) + len(running))
                    else:
                        running.append(self._start(job))
                time.sleep(POLL_SECONDS)
                for started in [started for started in running if started.process.poll() is not None]:
                    running.remove(started)
                    if started.process.returncode and self._is_elsewhere(started.job, waited_for):
                        todo.append(started.job)  # one that was left behind had not locked its folder yet
                    elif not self._collect(started, len(todo) + len(running)):
                        failed.append(started.job)
        finally:
            for started in running:
                started.process.terminate()
            for started in running:
                started.process.wait()
        return failed

    def _is_elsewhere(self, job: Job, waited_for: set[Job]) -> bool:
        """Whether a process that another command left behind still trains a job; says so once."""
        if not is_in_use(self.runs / job.name):
            return False
        if job not in waited_for:
            print(f"waiting  {job.name}: another process is training it", flush=True)
            waited_for.add(job)
        return True

    def _start(self, job: Job) -> Started:
        out = self.runs / job.name
        self._set_aside_if_outdated(job, out)
        out.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "ser_model.cli.train", "--preset", job.preset, "--protocol", job.protocol,
                   "--fold", job.fold, "--seed", job.seed, "--output_dir", out, "--resume"]  # fmt: skip
        if self.data_dir:
            command += ["--data_dir", self.data_dir]
        if self.encoder and "encoder" in load_preset(job.preset).model:
            command += ["--encoder", self.encoder]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        with (out / LOG).open("a") as log:
            process = subprocess.Popen([str(word) for word in command], stdout=log, stderr=log, env=environment)
        print(f"started  {job.name}", flush=True)
        return Started(job, process, time.monotonic())

    def _is_finished(self, job: Job) -> bool:
        """Whether a run ended without its report being kept: that of a command that was killed meanwhile."""
        report = self.runs / job.name / REPORT
        return report.is_file() and self._is_current(job, report)

    def _is_current(self, job: Job, path: Path) -> bool:
        """Whether a report or a record is of a job's preset and of the recordings as they are now."""
        found = json.loads(path.read_text(encoding="utf-8"))
        return is_of_preset(job, found) and self.recordings.are_of(found)

    def _collect(self, started: Started, left: int) -> bool:
        """Keeps the report of a run that has ended; whether there is one."""
        if started.process.returncode or not self._is_finished(started.job):
            minutes = (time.monotonic() - started.since) / 60
            log = self.runs / started.job.name / LOG
            print(f"FAILED   {started.job.name} after {minutes:.1f} min: see {log}", flush=True)
            return False
        self._keep(started.job, left)
        return True

    def _keep(self, job: Job, left: int) -> None:
        partial = self.results / f".{job.name}.partial"
        shutil.copyfile(self.runs / job.name / REPORT, partial)
        os.replace(partial, self.results / f"{job.name}.json")
        report = json.loads((self.results / f"{job.name}.json").read_text(encoding="utf-8"))
        minutes, uar = report["training_seconds"] / 60, report["test"]["uar"]
        print(f"measured {job.name}: test UAR {uar:.1%}, trained for {minutes:.1f} min; {left} to go", flush=True)

    def _set_aside_if_outdated(self, job: Job, out: Path) -> None:
        """Renames the folder of a run whose preset or data have changed since; `train.py --resume` would refuse it."""
        for path in (out / REPORT, out / RECORD):
            if path.is_file() and not self._is_current(job, path):
                aside = next(free for n in count(1) if not (free := out.with_name(f"{out.name}__outdated{n}")).exists())
                out.rename(aside)
                print(f"outdated {job.name}: kept as {aside.name}", flush=True)
                return
