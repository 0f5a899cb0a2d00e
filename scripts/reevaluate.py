"""Brings finished checkpoints' reports up to date: `python -m scripts.reevaluate checkpoints/NAME ... --data_dir DIR`.

Evaluates the validation and test parts anew and writes report, card and pictures; fits `unsure_below` where the
validation part was not trained on. The weights and the temperature stay as they are.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from datasets_scripts import data_dir_or_default
from ser_model.evaluation.calibration import fit_unsure_below
from ser_model.evaluation.evaluate_checkpoint import evaluate_checkpoint, split_again
from ser_model.evaluation.predictions import column, predict_items
from ser_model.inference.recognizer import EmotionRecognizer
from ser_model.reporting.checkpoint import write_report
from ser_model.training.augmentation import Augmentation


def fit(recognizer: EmotionRecognizer, data_dir: str | None) -> float:
    """The confidence below which the recognizer is unsure, from the validation part that it was chosen on."""
    report = recognizer.report or {}
    table, parts = split_again(dict(report), report, data_dir_or_default(data_dir))
    augmentation, items = Augmentation(**report["settings"]["augmentation"]), parts["validation"]
    predicted = predict_items(recognizer, table, items, augmentation, report["seed"], "validation")
    return fit_unsure_below(predicted, column(table, "emotion", items))


def reevaluate(folder: Path, data_dir: str | None) -> None:
    """Writes what today's code says of the checkpoint in `folder`."""
    recognizer = EmotionRecognizer.from_pretrained(folder)
    if not (recognizer.report or {}).get("refit"):
        recognizer.model.config.unsure_below = fit(recognizer, data_dir)
        path = folder / "config.json"
        content = json.loads(path.read_text(encoding="utf-8")) | {"unsure_below": recognizer.unsure_below}
        path.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    report = evaluate_checkpoint(recognizer, data_dir) | {"unsure_below": recognizer.unsure_below}
    history = [json.loads(line) for line in (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    write_report(folder, report, history, recognizer)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="checkpoints of train.py")
    parser.add_argument("--data_dir", help="any folder above the corpora; default $SER_DATA_DIR, else ./data")
    args = parser.parse_args()
    for folder in args.folders:
        reevaluate(folder, args.data_dir)


if __name__ == "__main__":
    main()
