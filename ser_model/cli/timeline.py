"""Follow the emotion through a long recording: a table of segments, or JSON or a Praat TextGrid."""

from __future__ import annotations

import argparse
import sys

from ser_model.cli import DEFAULT_MODEL, set_up


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="recording, to an hour")
    parser.add_argument("--model", default=str(DEFAULT_MODEL), help="checkpoint folder or Hub id (default: shipped)")
    parser.add_argument("--format", choices=("csv", "json", "textgrid"), default="csv", help="what is printed")


def run(args: argparse.Namespace) -> int:
    """Prints the timeline on stdout; errors, and whether nobody speaks, on stderr."""
    from tqdm import tqdm

    from ser_model.audio import AudioError, load_audio
    from ser_model.inference.recognizer import EmotionRecognizer, ModelError
    from ser_model.inference.timeline import WINDOWS_AT_ONCE, assemble, plan_windows, predict_windows
    from ser_model.inference.timeline_formats import FORMATS

    set_up()
    try:
        recognizer = EmotionRecognizer.from_pretrained(args.model)
        wave = load_audio(args.file, recognizer.sampling_rate)
        windows = plan_windows(wave, recognizer.sampling_rate)
        batches = -(-len(windows) // WINDOWS_AT_ONCE)
        predicted = list(tqdm(predict_windows(recognizer, wave, windows), total=batches, unit="batch", leave=False))
    except (AudioError, ModelError) as error:
        print(f"timeline: {error}", file=sys.stderr)
        return 1
    if not windows:
        print("timeline: no speech was found in the recording.", file=sys.stderr)
    timeline = assemble(len(wave) / recognizer.sampling_rate, recognizer.labels, windows, predicted)
    sys.stdout.write(FORMATS[args.format](timeline))
    return 0
