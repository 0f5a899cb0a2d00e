"""Name the emotion in audio files or in all audio files below folders."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ser_model.cli import DEFAULT_MODEL, set_up

if TYPE_CHECKING:
    from ser_model.inference.results import Listener


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", metavar="FILE_OR_FOLDER", help="audio file, or folder to search for them")
    parser.add_argument("--model", default=str(DEFAULT_MODEL), help="checkpoint folder or Hub id (default: shipped)")
    parser.add_argument("--format", choices=("table", "json", "csv"), default="table", help="what is printed")


def run(args: argparse.Namespace) -> int:
    """Prints one row a file; a bad file is said on stderr and does not stop the rest."""
    from tqdm import tqdm

    from ser_model.inference.recognizer import EmotionRecognizer, ModelError

    set_up()
    try:
        recognizer = EmotionRecognizer.from_pretrained(args.model)
    except ModelError as error:
        print(f"predict: {error}", file=sys.stderr)
        return 1
    rows = [hear(recognizer, path) for path in tqdm(find_files(args.paths), unit="file", leave=False)]
    for row in rows:
        if row["error"]:
            print(f"{row['file']}: {row['error']}", file=sys.stderr)
    PRINTERS[args.format](rows, recognizer.labels)
    return int(any(row["error"] for row in rows))


def find_files(paths: list[str]) -> list[Path]:
    """The files named, and those with audio endings below the folders named."""
    from ser_model.audio import AUDIO_ENDINGS

    found: list[Path] = []
    for path in map(Path, paths):
        if path.is_dir():
            below = [file for file in sorted(path.rglob("*")) if file.suffix.lower() in AUDIO_ENDINGS]
            found += below or [path]  # a folder without audio becomes a row that says so
        else:
            found.append(path)
    return found


def hear(recognizer: Listener, path: Path) -> dict[str, Any]:
    """One row: `{file, label, probabilities, duration, error}`; label is None where error is set."""
    from ser_model.audio import AudioError

    row: dict[str, Any] = {"file": str(path), "label": None, "probabilities": None, "duration": None, "error": None}
    try:
        if path.is_dir():
            raise AudioError("There is no audio file in this folder.")
        result = recognizer(path)
    except (AudioError, OSError) as error:
        return row | {"error": str(error)}
    return row | {
        "label": result.label,
        "probabilities": {label: round(value, 6) for label, value in result.probabilities.items()},
        "duration": round(result.duration, 3),
    }


def _print_table(rows: list[dict[str, Any]], labels: list[str]) -> None:
    width = max((len(row["file"]) for row in rows), default=0)
    for row in rows:
        if row["error"]:
            print(f"{row['file']:<{width}}  -")
        else:
            probability = row["probabilities"][row["label"]]
            print(f"{row['file']:<{width}}  {row['label']:<9} {probability:4.0%}  {row['duration']:7.2f} s")


def _print_json(rows: list[dict[str, Any]], labels: list[str]) -> None:
    print(json.dumps(rows, indent=1))


def _print_csv(rows: list[dict[str, Any]], labels: list[str]) -> None:
    writer = csv.writer(sys.stdout)
    writer.writerow(["file", "label", "duration", *labels, "error"])
    for row in rows:
        shares = row["probabilities"] or dict.fromkeys(labels, "")
        duration = "" if row["duration"] is None else row["duration"]
        writer.writerow(
            [row["file"], row["label"] or "", duration, *(shares[name] for name in labels), row["error"] or ""]
        )


PRINTERS = {"table": _print_table, "json": _print_json, "csv": _print_csv}
