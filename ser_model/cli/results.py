"""Run the queue of measurements, or render the tables from what was measured."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections import deque
from itertools import count
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from ser_model.evaluation.queue import Job

ROOT = Path(__file__).parents[2]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--table", action="store_true", help="render tables and pictures from results/*.json, run nothing"
    )
    parser.add_argument(
        "--tried", type=Path, nargs="+", metavar="RUN", help="keep validation figures of runs with alternative settings"
    )
    parser.add_argument("--of", metavar="PRESET", help="the preset that the settings of --tried are an alternative to")
    parser.add_argument("--jobs", type=int, default=1, help="runs side by side, one thread each (default: 1)")
    parser.add_argument("--data_dir", help="any folder above the corpora; default $SER_DATA_DIR, else ./data")
    parser.add_argument(
        "--encoder", metavar="FOLDER", help="folder or Hub id that presets with a pretrained encoder load it from"
    )
    parser.add_argument("--queue", type=Path, default=ROOT / "results" / "queue.json", help="which runs there are")
    parser.add_argument("--runs_dir", type=Path, default=ROOT / "runs", help="where checkpoints and logs go")


def run(args: argparse.Namespace) -> int:
    """Runs what is queued and not measured yet; an interrupted run goes on from its last epoch."""
    from ser_model.evaluation.queue import is_measured, read_queue
    from ser_model.reporting.tables import render

    folder = args.queue.parent
    if args.tried:
        return _keep(args, folder)
    if args.table:
        readme_root = ROOT if folder.resolve() == ROOT / "results" else None
        for path in render(readme_root, folder, read_queue(args.queue)):
            print(f"wrote {path}")
        return 0
    queue = read_queue(args.queue)
    todo = deque(job for job in queue if not is_measured(job, folder))
    print(f"{len(queue)} runs queued, {len(queue) - len(todo)} measured, {len(todo)} to do.", flush=True)
    running: list[tuple[Job, subprocess.Popen, IO, float]] = []
    failed = 0
    try:
        while todo or running:
            while todo and len(running) < args.jobs:
                running.append(_start(todo.popleft(), args))
            time.sleep(0.5)
            for entry in [entry for entry in running if entry[1].poll() is not None]:
                running.remove(entry)
                failed += not _collect(entry, args, folder, len(todo) + len(running))
    finally:
        for _, process, _, _ in running:
            process.terminate()
    return int(failed > 0)


def _keep(args: argparse.Namespace, folder: Path) -> int:
    from ser_model.evaluation.experiments import keep_experiment
    from ser_model.training.presets import PresetError

    if not args.of:
        print("results: --tried needs --of, the preset that these settings are an alternative to.", file=sys.stderr)
        return 1
    try:
        for folder_of_run in args.tried:
            print(f"wrote {keep_experiment(folder_of_run, args.of, folder)}")
    except FileNotFoundError as error:
        print(f"results: There is no file at {error.filename}.", file=sys.stderr)
        return 1
    except PresetError as error:
        print(f"results: {error}", file=sys.stderr)
        return 1
    return 0


def _start(job: Job, args: argparse.Namespace) -> tuple[Job, subprocess.Popen, IO, float]:
    out = args.runs_dir / job.name
    _set_aside_if_outdated(job, out)
    out.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, ROOT / "train.py", "--preset", job.preset, "--protocol", job.protocol,
               "--fold", job.fold, "--seed", job.seed, "--output_dir", out, "--resume"]  # fmt: skip
    if args.data_dir:
        command += ["--data_dir", args.data_dir]
    if args.encoder:
        command += ["--encoder", args.encoder]
    log = (out / "output.txt").open("a")
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([str(word) for word in command], stdout=log, stderr=log, env=environment, cwd=ROOT)
    print(f"started  {job.name}", flush=True)
    return job, process, log, time.monotonic()


def _set_aside_if_outdated(job: Job, out: Path) -> None:
    """Renames the folder of a run whose preset has changed since; `train.py --resume` would refuse it."""
    from ser_model.evaluation.queue import is_of_preset
    from ser_model.training.resume import RECORD

    for path in (out / "report.json", out / RECORD):
        if path.is_file() and not is_of_preset(job, json.loads(path.read_text())):
            aside = next(free for n in count(1) if not (free := out.with_name(f"{out.name}__outdated{n}")).exists())
            out.rename(aside)
            print(f"outdated {job.name}: kept as {aside.name}", flush=True)
            return


def _collect(entry: tuple[Job, subprocess.Popen, IO, float], args: argparse.Namespace, folder: Path, left: int) -> bool:
    job, process, log, start = entry
    log.close()
    minutes = (time.monotonic() - start) / 60
    report = args.runs_dir / job.name / "report.json"
    if process.returncode or not report.is_file():
        print(f"FAILED   {job.name} after {minutes:.1f} min: see {report.with_name('output.txt')}", flush=True)
        return False
    partial = folder / f".{job.name}.partial"
    shutil.copyfile(report, partial)
    os.replace(partial, folder / f"{job.name}.json")
    uar = json.loads(report.read_text())["test"]["uar"]
    print(f"measured {job.name} in {minutes:.1f} min: test UAR {uar:.1%}; {left} to go", flush=True)
    return True
