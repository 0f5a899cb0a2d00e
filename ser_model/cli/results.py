"""Run the queue of measurements, or render the tables from what was measured."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ser_model.cli import positive

ROOT = Path(__file__).parents[2]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--table", action="store_true", help="render tables and pictures from results/*.json, run nothing"
    )
    parser.add_argument(
        "--experiments",
        type=Path,
        nargs="+",
        metavar="RUN",
        help="keep validation figures of runs with other settings",
    )
    parser.add_argument("--of", metavar="PRESET", help="the preset that --experiments are alternatives to")
    parser.add_argument("--jobs", type=positive, default=1, help="runs side by side, one thread each (default: 1)")
    parser.add_argument("--data_dir", help="any folder above the corpora; default $SER_DATA_DIR, else ./data")
    parser.add_argument(
        "--encoder", metavar="FOLDER", help="folder or Hub id that presets with a pretrained encoder load it from"
    )
    parser.add_argument("--queue", type=Path, default=ROOT / "results" / "queue.json", help="which runs there are")
    parser.add_argument("--runs_dir", type=Path, default=ROOT / "runs", help="where checkpoints and logs go")


def run(args: argparse.Namespace) -> int:
    """Runs what is queued and not measured yet; an interrupted run goes on from its last epoch."""
    from ser_model.evaluation.queue import QueueError, read_queue
    from ser_model.evaluation.runner import Runner
    from ser_model.reporting.tables import render
    from ser_model.training.presets import PresetError

    folder = args.queue.parent
    if args.experiments:
        return _keep(args, folder)
    try:
        queue = read_queue(args.queue)
        if not args.table:
            runner = Runner(folder, args.runs_dir, args.jobs, args.data_dir, args.encoder)
            return int(bool(runner.run(queue)))
        for path in render(ROOT if folder.resolve() == ROOT / "results" else None, folder, queue):
            print(f"wrote {path}")
    except (PresetError, QueueError) as error:
        print(f"results: {error}", file=sys.stderr)
        return 1
    return 0


def _keep(args: argparse.Namespace, folder: Path) -> int:
    from ser_model.evaluation.experiments import keep_experiment
    from ser_model.training.presets import PresetError

    if not args.of:
        print("results: --experiments needs --of, the preset that they are alternatives to.", file=sys.stderr)
        return 1
    try:
        for folder_of_run in args.experiments:
            print(f"wrote {keep_experiment(folder_of_run, args.of, folder)}")
    except FileNotFoundError as error:
        print(f"results: There is no file at {error.filename}.", file=sys.stderr)
        return 1
    except PresetError as error:
        print(f"results: {error}", file=sys.stderr)
        return 1
    return 0
