"""Follow the emotion through a long recording: a table of segments, or JSON or a Praat TextGrid."""

from __future__ import annotations

import argparse
import sys
from functools import partial

from ser_model.cli import DEFAULT_MODEL, add_label_map, load


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="recording, to an hour")
    parser.add_argument("--model", default=str(DEFAULT_MODEL), help="checkpoint folder or Hub id (default: shipped)")
    add_label_map(parser)
    parser.add_argument(
        "--one-speaker", action="store_true", help="one person speaks: take a voice profile from the recording itself"
    )
    parser.add_argument("--format", choices=("csv", "json", "textgrid"), default="csv", help="what is printed")


def run(args: argparse.Namespace) -> int:
    """Prints the timeline on stdout; errors, and whether nobody speaks, on stderr."""
    from tqdm import tqdm

    from ser_model.audio import AudioError, load_audio
    from ser_model.inference.base_recognizer import ModelError
    from ser_model.inference.timeline import predict_timeline
    from ser_model.inference.timeline_formats import FORMATS
    from ser_model.inference.voice_profile import VoiceProfileError

    try:
        recognizer = load(args.model, label_map=args.label_map)
        wave = load_audio(args.file, recognizer.sampling_rate)
        bar = partial(tqdm, unit="batch", leave=False, disable=None)
        timeline = predict_timeline(recognizer, wave, args.one_speaker, bar)
    except (AudioError, ModelError, VoiceProfileError) as error:
        print(f"timeline: {error}", file=sys.stderr)
        return 1
    if not timeline.windows:
        print("timeline: no speech was found in the recording.", file=sys.stderr)
    sys.stdout.write(FORMATS[args.format](timeline))
    return 0
