"""Evaluate a saved model on a corpus and print its report."""

from __future__ import annotations

import argparse
import json
import sys

from ser_model.cli import add_label_map, load, positive
from ser_model.labels import comma_separated


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "model", metavar="MODEL", help="checkpoint folder or Hub id, also of somebody else's audio classifier"
    )
    add_label_map(parser)
    parser.add_argument("--data_dir", help="any folder above the corpora; default $SER_DATA_DIR, else ./data")
    parser.add_argument("--protocol", help="how clips are split; default: as the model was trained, else speaker")
    parser.add_argument(
        "--fold", type=positive, help="number of the fold, from 1; default: as the model was trained, else 1"
    )
    parser.add_argument(
        "--corpora",
        type=comma_separated,
        metavar="A,B",
        help="evaluate on these: a corpus it was trained on gives its test part, any other all its clips; a model of "
        "somebody else is evaluated on the test part",
    )
    parser.add_argument("--csv", metavar="FILE", help="table of the corpus folder, your own recordings")


def run(args: argparse.Namespace) -> int:
    """Prints the report as JSON on stdout and one line of figures on stderr."""
    from datasets_scripts import CorpusError
    from ser_model.evaluation.evaluate_checkpoint import evaluate_checkpoint
    from ser_model.inference.base_recognizer import ModelError

    try:
        recognizer = load(args.model, label_map=args.label_map)
        report = evaluate_checkpoint(recognizer, args.data_dir, args.protocol, args.fold, args.corpora, args.csv)
    except (CorpusError, ModelError) as error:
        print(f"evaluate: {error}", file=sys.stderr)
        return 1
    if report["preset"] is None:  # trained elsewhere
        report = {"model": args.model} | report
    print(json.dumps(report, indent=1))
    test = report["test"]
    print(
        f"Test UAR {test['uar']:.1%}, accuracy {test['accuracy']:.1%}, macro F1 {test['macro_f1']:.1%} "
        f"({', '.join(report['corpora'])}; protocol {report['protocol']}, fold {report['fold']}).",
        file=sys.stderr,
    )
    return 0
