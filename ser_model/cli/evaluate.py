"""Evaluate a saved model on a corpus and print its report."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from ser_model.cli import add_label_map, add_tested_corpora, load, positive


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
    add_tested_corpora(parser, "; a model of somebody else is evaluated on the test part")
    parser.add_argument("--csv", metavar="FILE", help="table of your own recordings, the corpus folder")


def run(args: argparse.Namespace) -> int:
    """Prints the report as JSON on stdout and one line of figures on stderr."""
    from datasets_scripts import CorpusError
    from ser_model.evaluation.evaluate_checkpoint import evaluate_checkpoint
    from ser_model.inference.base_recognizer import ModelError

    try:
        recognizer = load(args.model, label_map=args.label_map)
        chosen = args.protocol, args.fold, args.corpora, args.csv, args.all_clips
        report = evaluate_checkpoint(recognizer, args.data_dir, *chosen)
    except (CorpusError, ModelError) as error:
        print(f"evaluate: {error}", file=sys.stderr)
        return 1
    if report["preset"] is None:  # trained elsewhere
        report = {"model": args.model} | report
    print(json.dumps(report, indent=1))
    test = report["test"]
    print(
        f"Test UAR {test['uar']:.1%}, accuracy {test['accuracy']:.1%}, macro F1 {test['macro_f1']:.1%} "
        f"({_tested(report)}). {_leaks(report['leakage'])}",
        file=sys.stderr,
    )
    return 0


def _tested(report: dict[str, Any]) -> str:
    whole = report.get("whole_corpora", [])
    split = [name for name in report["corpora"] if name not in whole]
    parts = [f"all clips of {', '.join(whole)}"] if whole else []
    if split:
        parts.insert(
            0, f"{', '.join(split)}: protocol {report['protocol']}, fold {report['fold']}, seed {report['seed']}"
        )
    return "; ".join(parts)


def _leaks(leakage: dict[str, Any]) -> str:
    """What of the test part was trained on, or that it is not known."""
    if "test" not in leakage:
        return leakage["notes"][0]
    speakers, clips = (leakage["test"][name] for name in ("shared_speakers", "shared_clips"))
    if speakers is None and not clips:
        return "Whether their speakers were trained on is not known."
    if not (speakers or clips):
        return "None of the test speakers was trained on."
    who = "An unknown number" if speakers is None else speakers
    return f"{who} of the test speakers and {clips} of the test clips were trained on, which makes it too high."
