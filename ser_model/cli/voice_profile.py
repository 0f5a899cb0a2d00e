"""Make a voice profile from recordings of one person, for `ser-model predict --voice`."""

from __future__ import annotations

import argparse
import sys

from ser_model.cli import DEFAULT_MODEL, set_up


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("output", metavar="FILE", help="JSON file to write; it holds no audio and no text")
    parser.add_argument("paths", nargs="+", metavar="FILE_OR_FOLDER", help="recordings of one person, or their folder")
    parser.add_argument("--model", default=str(DEFAULT_MODEL), help="checkpoint folder or Hub id (default: shipped)")


def run(args: argparse.Namespace) -> int:
    """Writes the profile of all recordings together; one that cannot be used ends it."""
    from tqdm import tqdm

    from ser_model.audio import AudioError
    from ser_model.inference.files import find_files
    from ser_model.inference.recognizer import EmotionRecognizer, ModelError
    from ser_model.inference.voice_profile import VoiceProfile, VoiceProfileError

    set_up()
    files = list(find_files(args.paths))
    try:
        recognizer = EmotionRecognizer.from_pretrained(args.model)
        with tqdm(files, unit="file", leave=False, disable=None) as progress:
            profile = VoiceProfile.from_clips(recognizer, progress)
        profile.save(args.output)
    except (AudioError, ModelError, OSError, VoiceProfileError) as error:
        print(f"voice-profile: {error}", file=sys.stderr)
        return 1
    seconds = profile.seconds(recognizer)
    print(f"{args.output}: voice profile from {len(files)} recordings, {seconds:.0f} s of audio.")
    return 0
