"""Name the emotion in audio files or in all audio files below folders."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ser_model.cli import DEFAULT_MODEL, add_label_map, load, positive

from .csv_rows import FileRows, OutputError, add_output_argument, write_file_rows

if TYPE_CHECKING:
    from ser_model.inference.base_recognizer import BaseRecognizer
    from ser_model.inference.voice_profile import VoiceProfile


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", metavar="FILE_OR_FOLDER", help="audio file, or folder to search for them")
    parser.add_argument("--model", default=str(DEFAULT_MODEL), help="checkpoint folder or Hub id (default: shipped)")
    add_label_map(parser)
    speaker = parser.add_mutually_exclusive_group()
    speaker.add_argument("--voice", metavar="FILE", help="profile of who speaks, made by `ser-model voice-profile`")
    speaker.add_argument(
        "--one-speaker", action="store_true", help="all files are one person: take a voice profile from all of them"
    )
    parser.add_argument("--device", default="cpu", help="where the network runs: cpu, cuda, cuda:1, mps (default: cpu)")
    parser.add_argument(
        "--batch-size", type=positive, default=4, metavar="N",
        help="files at once; more are faster on a GPU, and results stay the same (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--format", choices=("table", "json", "csv"), help="what is printed (default: table)")
    add_output_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Gives one row a file; an error of one file goes to stderr and does not stop the rest."""
    from ser_model.inference.base_recognizer import DeviceMemoryError, ModelError
    from ser_model.inference.voice_profile import VoiceProfileError

    if args.output and args.format in ("table", "json"):
        print(f"predict: --output writes CSV, not {args.format}.", file=sys.stderr)
        return 1
    try:
        recognizer = load(args.model, args.device, args.label_map)
        return _predict(args, recognizer, _voice(args, recognizer))
    except DeviceMemoryError:
        print(f"predict: {args.device} has too little memory: try a smaller --batch-size.", file=sys.stderr)
    except (ModelError, OutputError, VoiceProfileError) as error:
        print(f"predict: {error}", file=sys.stderr)
    return 1


def _voice(args: argparse.Namespace, recognizer: BaseRecognizer) -> VoiceProfile | None:
    """The profile that is named, or that of the one speaker of all files."""
    from tqdm import tqdm

    from ser_model.inference.files import file_sums, find_files, voice_of_files
    from ser_model.inference.voice_profile import VoiceProfile

    if args.one_speaker:
        sums = tqdm(file_sums(recognizer, find_files(args.paths)), unit="file", leave=False, disable=None)
        return voice_of_files(recognizer, sums)
    if not args.voice:
        return None
    voice = VoiceProfile.load(args.voice)
    voice.check(recognizer)
    return voice


def _predict(args: argparse.Namespace, recognizer: BaseRecognizer, voice: VoiceProfile | None) -> int:
    from ser_model.inference.files import csv_cells, csv_columns, find_files, predict_files

    labels = recognizer.labels
    if args.output or args.format == "csv":
        return write_file_rows(
            args.paths,
            args.output,
            csv_columns(labels),
            _made_by(args.model, recognizer, voice) if args.output else {},
            lambda paths: predict_files(recognizer, paths, voice, args.batch_size),
            lambda row: csv_cells(row, labels),
        )
    files = FileRows(args.paths)
    rows = list(files.told(predict_files(recognizer, find_files(args.paths), voice, args.batch_size)))
    (_print_json if args.format == "json" else _print_table)(rows)
    return files.status()


def _made_by(name: str, recognizer: BaseRecognizer, voice: VoiceProfile | None) -> dict[str, Any]:
    """What predictions depend on: the model by its name and a checksum of what it computes with, and the voice."""
    of_voice = voice and hashlib.sha256(json.dumps([voice.num_frames, voice.mean, voice.std]).encode()).hexdigest()[:16]
    return {"command": "predict", "model": f"{Path(name).name} {recognizer.digest()[:16]}", "voice": of_voice}


def _print_table(rows: list[dict[str, Any]]) -> None:
    width = max((len(row["file"]) for row in rows), default=0)
    for row in rows:
        if row["error"]:
            print(f"{row['file']:<{width}}  -")
        else:
            label, probability = row["label"] or "no speech", row["probabilities"].get(row["label"], 0.0)
            told = f"  {row['remark']}" if row["label"] and row["remark"] else ""
            share = f"{probability:4.0%}" if row["label"] else " " * 4
            print(f"{row['file']:<{width}}  {label:<9} {share}  {row['duration']:7.2f} s{told}")


def _print_json(rows: list[dict[str, Any]]) -> None:
    print(json.dumps(rows, indent=1))
