"""Measure the voice in audio files: jitter, shimmer, harmonics-to-noise ratio, pitch, loudness, with their units."""

from __future__ import annotations

import argparse
import json
import sys

from ser_model.cli import set_up

from .csv_rows import FileRows, OutputError, add_output_argument, write_file_rows


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", metavar="FILE_OR_FOLDER", help="audio file, or folder to search for them")
    parser.add_argument("--format", choices=("csv", "json"), default="csv", help="what is printed (default: csv)")
    add_output_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Gives one row a file; an error of one file goes to stderr and does not stop the rest."""
    from ser_model.inference.files import find_files
    from ser_model.inference.voice_measures import COLUMNS, measure_files

    set_up()
    if args.format == "json":
        if args.output:
            print("voice-quality: --output writes CSV, not json.", file=sys.stderr)
            return 1
        files = FileRows(args.paths)
        print(json.dumps(list(files.told(measure_files(find_files(args.paths)))), indent=1))
        return files.status()
    try:
        return write_file_rows(
            args.paths, args.output, COLUMNS, {"command": "voice-quality"}, measure_files, lambda row: [*row.values()]
        )
    except OutputError as error:
        print(f"voice-quality: {error}", file=sys.stderr)
        return 1
