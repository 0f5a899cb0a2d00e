"""Follow the emotion through a long recording: a table of segments, or JSON or a Praat TextGrid."""

from __future__ import annotations

import argparse
import sys

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
    from ser_model.inference.timeline import WINDOWS_AT_ONCE, assemble, plan_windows, predict_windows, voice_of
    from ser_model.inference.timeline_formats import FORMATS
    from ser_model.inference.voice_profile import VoiceProfileError

    try:
        recognizer = load(args.model, label_map=args.label_map)
        wave = load_audio(args.file, recognizer.sampling_rate)
        windows = plan_windows(wave, recognizer.sampling_rate, detect=recognizer.detect)
        batches = -(-len(windows) // WINDOWS_AT_ONCE)
        voice = voice_of(recognizer, wave, windows) if args.one_speaker else None
        steps = predict_windows(recognizer, wave, windows, voice)
        predicted = list(tqdm(steps, total=batches, unit="batch", leave=False))
    except (AudioError, ModelError, VoiceProfileError) as error:
        print(f"timeline: {error}", file=sys.stderr)
        return 1
    if not windows:
        print("timeline: no speech was found in the recording.", file=sys.stderr)
    duration = len(wave) / recognizer.sampling_rate
    timeline = assemble(duration, recognizer.labels, windows, predicted, recognizer.unsure_below)
    sys.stdout.write(FORMATS[args.format](timeline))
    return 0
