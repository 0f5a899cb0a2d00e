"""Check how far a saved model can be trusted on changed recordings, other voices and sounds that are not speech."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ser_model.cli import add_tested_corpora, natural, positive, set_up

if TYPE_CHECKING:
    from ser_model.inference.recognizer import EmotionRecognizer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="checkpoint folder, which gets the result, or Hub id")
    parser.add_argument("--data_dir", help="any folder above the corpora; default $SER_DATA_DIR, else ./data")
    parser.add_argument("--fold", type=positive, help="number of the fold, from 1; default: as the model was trained")
    add_tested_corpora(parser)
    parser.add_argument("--clips", type=positive, default=240, help="test clips that are changed (default: 240)")
    parser.add_argument(
        "--encoder", metavar="FOLDER",
        help="run beside it an SVM on this Whisper-base (folder or Hub id), trained on the fold's other speakers",
    )  # fmt: skip
    parser.add_argument("--seed", type=natural, default=0, help="draws them and all noise (default: 0)")
    parser.add_argument(
        "--num_proc", type=positive, default=os.cpu_count() or 1, help="processes (default: one for each core)"
    )


def run(args: argparse.Namespace) -> int:
    """Prints the table; a checkpoint folder also gets that of its own test part: a file, a picture, a new card."""
    from datasets_scripts import CorpusError
    from ser_model.audio import AudioError
    from ser_model.evaluation.encoder_svm import EncoderSvm
    from ser_model.evaluation.evaluate_checkpoint import load_parts
    from ser_model.evaluation.robustness.suite import run_suite
    from ser_model.inference.recognizer import EmotionRecognizer, ModelError
    from ser_model.reporting.robustness_section import robustness_table
    from ser_model.training.trainer import RunError

    set_up()
    try:
        recognizer = EmotionRecognizer.from_pretrained(args.model)
        chosen = None, args.fold, args.corpora, None, args.all_clips
        report, table, parts = load_parts(recognizer, args.data_dir, *chosen)
        svm = None
        if args.encoder and "train" not in parts:
            raise CorpusError(
                "--encoder does not go with --corpora or --all-clips: there is no training part for the SVM."
            )
        if args.encoder:
            items = parts["train"] + parts.get("validation", [])
            svm = EncoderSvm.fit(table, items, args.encoder, args.num_proc)
        found = run_suite(
            args.model, recognizer.labels, table, parts["test"], args.clips, args.seed, args.num_proc, svm
        )
    except (AudioError, CorpusError, ModelError, RunError) as error:
        print(f"robustness: {error}", file=sys.stderr)
        return 1
    tested = {name: report[name] for name in ("preset", "protocol", "fold", "corpora")}
    other = {"shared_speakers": None if args.all_clips else 0}  # of corpora that are in no part of its split
    robustness = tested | {"shared_speakers": report["leakage"].get("test", other)["shared_speakers"]} | found
    print(robustness_table(robustness))
    if (folder := Path(args.model)).is_dir() and recognizer.report:
        keep_result(folder, recognizer, report, robustness)
    return 0


def keep_result(
    folder: Path, recognizer: EmotionRecognizer, tested: dict[str, Any], robustness: dict[str, Any]
) -> None:
    """Writes a result into a checkpoint's folder, unless it is of other clips than its card has or of fewer."""
    from ser_model.reporting.checkpoint import write_robustness

    if reason := _not_kept(tested, recognizer.report or {}, robustness["sample"]["clips"], folder):
        print(f"Nothing was written: {reason}.", file=sys.stderr)
        return
    write_robustness(folder, robustness, recognizer)
    print(f"Wrote {folder / 'robustness.json'}, robustness.png and README.md.", file=sys.stderr)


def _not_kept(tested: dict[str, Any], trained: dict[str, Any], num_clips: int, folder: Path) -> str:
    """Why it is not the result of the checkpoint's card, or an empty text."""
    from ser_model.reporting.checkpoint import ROBUSTNESS

    if tested.get("whole_corpora") or any(tested[name] != trained[name] for name in ("fold", "corpora")):
        return "the card of a model has the result of its own test part"
    try:
        clips = json.loads((folder / ROBUSTNESS).read_text(encoding="utf-8"))["sample"]["clips"]
    except (OSError, ValueError, KeyError):
        return ""
    return f"{folder / ROBUSTNESS} has the result of {clips} changed clips" if num_clips < clips else ""
