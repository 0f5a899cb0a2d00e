"""Check how far a saved model can be trusted on changed recordings, other voices and sounds that are not speech."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from ser_model.cli import natural, positive, set_up
from ser_model.labels import comma_separated


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="checkpoint folder, which gets the result, or Hub id")
    parser.add_argument("--data_dir", help="any folder above the corpora; default $SER_DATA_DIR, else ./data")
    parser.add_argument("--fold", type=positive, help="number of the fold, from 1; default: as the model was trained")
    parser.add_argument(
        "--corpora",
        type=comma_separated,
        metavar="A,B",
        help="test on these: a corpus it was trained on gives its test part, any other all its clips",
    )
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
    """Prints the table; a checkpoint folder also gets `robustness.json`, a picture and a new model card."""
    from datasets_scripts import CorpusError
    from ser_model.audio import AudioError
    from ser_model.evaluation.encoder_svm import EncoderSvm
    from ser_model.evaluation.evaluate_checkpoint import load_parts
    from ser_model.evaluation.robustness.suite import run_suite
    from ser_model.inference.recognizer import EmotionRecognizer, ModelError
    from ser_model.reporting.checkpoint import write_robustness
    from ser_model.reporting.robustness_section import robustness_table
    from ser_model.training.trainer import RunError

    set_up()
    try:
        recognizer = EmotionRecognizer.from_pretrained(args.model)
        report, table, parts = load_parts(recognizer, args.data_dir, None, args.fold, args.corpora)
        svm = None
        if args.encoder and "train" not in parts:
            raise CorpusError("--encoder does not go with --corpora: there is no training part for the SVM.")
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
    shared = report["leakage"].get("test", {}).get("shared_speakers", 0)  # corpora it was not trained on have no part
    robustness = tested | {"shared_speakers": shared} | found
    print(robustness_table(robustness))
    if (folder := Path(args.model)).is_dir() and recognizer.report:
        write_robustness(folder, robustness, recognizer)
        print(f"Wrote {folder / 'robustness.json'}, robustness.png and README.md.", file=sys.stderr)
    return 0
