"""Train a preset on all folds and seeds of a protocol, and give mean, spread and interval in one table."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ser_model.cli import positive

if TYPE_CHECKING:
    from datasets import Dataset

    from ser_model.evaluation.queue import Job


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--preset", required=True, help="a preset or a JSON file")
    parser.add_argument("--against", metavar="PRESET", help="another one on the same folds, and the difference")
    parser.add_argument("--protocol", default="speaker", help="how clips are split (default: speaker)")
    for name in ("leave-one-speaker-out", "leave-corpus-out"):
        parser.add_argument(
            f"--{name}", dest="protocol", action="store_const", const=name, help=f"the same as --protocol {name}"
        )
    parser.add_argument("--folds", type=_folds, default="all", metavar="1,2", help="numbers of folds (default: all)")
    parser.add_argument("--seeds", type=_numbers, default=[0], metavar="0,1,2", help="seeds of each fold (default: 0)")
    parser.add_argument("--jobs", type=positive, default=1, help="runs side by side, one thread each (default: 1)")
    parser.add_argument("--data_dir", help="any folder above the corpora; default $SER_DATA_DIR, else ./data")
    parser.add_argument("--encoder", metavar="FOLDER", help="folder or Hub id of the pretrained encoder")
    parser.add_argument(
        "--results",
        type=Path,
        default=Path("cross-validation"),
        metavar="FOLDER",
        help="reports; those that it holds of this preset and data are not measured again (default: %(default)s)",
    )
    parser.add_argument("--runs_dir", type=Path, help="where checkpoints and logs go (default: runs in FOLDER)")


def run(args: argparse.Namespace) -> int:
    """Measures what is missing, prints the table and writes it as JSON; the same command goes on after a stop."""
    from datasets_scripts import CorpusError
    from ser_model.evaluation.queue import read_result
    from ser_model.evaluation.runner import Runner
    from ser_model.reporting.cross_validation import cross_validation, tables
    from ser_model.training.presets import PresetError

    try:
        queue = _queue(args)
        if any(read_result(job, args.results) is None for job in queue):
            _load(args)  # says at once what each run would say
        args.results.mkdir(parents=True, exist_ok=True)
    except (CorpusError, PresetError) as error:
        print(f"cross-validate: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"cross-validate: {args.results} cannot be written: {error.strerror}.", file=sys.stderr)
        return 1
    runs_dir = args.runs_dir or args.results / "runs"
    failed = Runner(args.results, runs_dir, args.jobs, args.data_dir, args.encoder).run(queue)
    if failed:
        print(f"cross-validate: {len(failed)} of {len(queue)} runs failed, so there is no table.", file=sys.stderr)
        return 1
    reports = {job: read_result(job, args.results) or {} for job in queue}
    found = cross_validation(reports, list(dict.fromkeys(job.preset for job in queue)), args.protocol)
    print("", *tables(found), "", sep="\n")
    presets = "-against-".join(found["presets"])
    path = args.results / f"cross-validation-{presets}-{args.protocol}.json"
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    os.replace(partial, path)
    print(f"wrote {path}")
    return 0


def _queue(args: argparse.Namespace) -> list[Job]:
    """Every run there should be.

    Raises:
        CorpusError: There is no such protocol or fold, or the data are not there to count folds.
        PresetError: A preset cannot be used, or the two are of different corpora or labels.
    """
    from datasets_scripts import CorpusError
    from datasets_scripts.splits import count_folds
    from ser_model.evaluation.queue import Job
    from ser_model.training.overrides import check_same_encoder
    from ser_model.training.presets import PresetError, load_preset

    names = [args.preset, args.against] if args.against else [args.preset]
    for name in names:
        check_same_encoder(load_preset(name), args.encoder)
    data = [load_preset(name).data for name in names]
    if len({Path(name).stem for name in names}) < len(names):
        raise PresetError("--preset and --against have the same name, by which results are kept.")
    if any(of_other != data[0] for of_other in data):
        raise PresetError(f"{' and '.join(names)} do not compare: their blocks data differ.")
    count = count_folds(args.protocol, data[0]["corpora"], lambda: _load(args))
    folds = list(range(1, count + 1)) if args.folds == "all" else args.folds
    if beyond := [fold for fold in folds if not 1 <= fold <= count]:
        raise CorpusError(f"There is no fold {beyond[0]}: these corpora have folds 1 to {count} under this protocol.")
    return [Job(name, args.protocol, fold, seed) for seed in args.seeds for fold in folds for name in names]


def _load(args: argparse.Namespace) -> Dataset:
    """The corpora of the preset. Raises `CorpusError`."""
    from datasets_scripts import data_dir_or_default, load_corpora
    from ser_model.training.presets import load_preset

    return load_corpora(data_dir=data_dir_or_default(args.data_dir), **load_preset(args.preset).data)


def _numbers(text: str) -> list[int]:
    """Whole numbers with commas between them, each once."""
    try:
        return sorted({int(number) for number in text.split(",")})
    except ValueError:
        raise argparse.ArgumentTypeError(f"has to be numbers with commas between them, not {text!r}") from None


def _folds(text: str) -> str | list[int]:
    return text if text == "all" else _numbers(text)
