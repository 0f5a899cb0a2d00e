"""Name the emotion in audio files or in all audio files below folders."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from typing import Any

from ser_model.cli import DEFAULT_MODEL, add_label_map, set_up


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", metavar="FILE_OR_FOLDER", help="audio file, or folder to search for them")
    parser.add_argument("--model", default=str(DEFAULT_MODEL), help="checkpoint folder or Hub id (default: shipped)")
    add_label_map(parser)
    speaker = parser.add_mutually_exclusive_group()
    speaker.add_argument("--voice", metavar="FILE", help="profile of who speaks, made by `ser-model voice-profile`")
    speaker.add_argument(
        "--one-speaker", action="store_true", help="all files are one person: take a voice profile from all of them"
    )
    parser.add_argument("--format", choices=("table", "json", "csv"), default="table", help="what is printed")


def run(args: argparse.Namespace) -> int:
    """Prints one row a file; an error of one file goes to stderr and does not stop the rest."""
    from tqdm import tqdm

    from ser_model.audio import passed_over_text
    from ser_model.inference.files import file_sums, find_files, predict_file, voice_of_files
    from ser_model.inference.recognizer import EmotionRecognizer, ModelError
    from ser_model.inference.voice_profile import VoiceProfile, VoiceProfileError

    set_up()
    passed_over: Counter[str] = Counter()
    try:
        recognizer = EmotionRecognizer.from_pretrained(args.model, label_map=args.label_map)
        voice = VoiceProfile.load(args.voice) if args.voice else None
        if voice:
            voice.check(recognizer)
        files = find_files(args.paths, passed_over)
        if args.one_speaker:
            sums = tqdm(file_sums(recognizer, files), total=len(files), unit="file", leave=False, disable=None)
            voice = voice_of_files(recognizer, sums)
        rows = [predict_file(recognizer, path, voice) for path in tqdm(files, unit="file", leave=False, disable=None)]
    except (ModelError, VoiceProfileError) as error:
        print(f"predict: {error}", file=sys.stderr)
        return 1
    for row in rows:
        if row["error"]:
            print(f"{row['file']}: {row['error']}", file=sys.stderr)
    if passed_over:
        print(f"Passed over: {passed_over_text(passed_over)}.", file=sys.stderr)
    PRINTERS[args.format](rows, recognizer.labels)
    return int(any(row["error"] for row in rows))


def _print_table(rows: list[dict[str, Any]], labels: list[str]) -> None:
    width = max((len(row["file"]) for row in rows), default=0)
    for row in rows:
        if row["error"]:
            print(f"{row['file']:<{width}}  -")
        else:
            label, probability = row["label"] or "no speech", row["probabilities"].get(row["label"], 0.0)
            told = f"  {row['remark']}" if row["label"] and row["remark"] else ""
            share = f"{probability:4.0%}" if row["label"] else " " * 4
            print(f"{row['file']:<{width}}  {label:<9} {share}  {row['duration']:7.2f} s{told}")


def _print_json(rows: list[dict[str, Any]], labels: list[str]) -> None:
    print(json.dumps(rows, indent=1))


def _print_csv(rows: list[dict[str, Any]], labels: list[str]) -> None:
    from ser_model.inference.files import write_csv

    write_csv(rows, labels, sys.stdout)


PRINTERS = {"table": _print_table, "json": _print_json, "csv": _print_csv}
