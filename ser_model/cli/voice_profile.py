"""Make a voice profile from recordings of one person, for `ser-model predict --voice`."""

from __future__ import annotations

import argparse
import os
import sys

from ser_model.cli import DEFAULT_MODEL, load


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("output", metavar="FILE", help="JSON file to write; it holds no audio and no text")
    parser.add_argument("paths", nargs="+", metavar="FILE_OR_FOLDER", help="recordings of one person, or their folder")
    parser.add_argument("--model", default=str(DEFAULT_MODEL), help="checkpoint folder or Hub id (default: shipped)")


def run(args: argparse.Namespace) -> int:
    """Writes the profile of all recordings together; one that cannot be used ends it."""
    from tqdm import tqdm

    from ser_model.audio import AudioError, printable
    from ser_model.inference.base_recognizer import ModelError
    from ser_model.inference.files import find_files, read_file
    from ser_model.inference.voice_profile import VoiceProfile, VoiceProfileError, clip_sums

    files, sums = list(find_files(args.paths)), []
    try:
        if os.path.isfile(args.output):
            _check_replaceable(args.output)
        recognizer = load(args.model)
        for path in tqdm(files, unit="file", leave=False, disable=None):
            try:
                sums.append(clip_sums(recognizer, read_file(path, recognizer.sampling_rate)))
            except (AudioError, OSError) as error:
                raise VoiceProfileError(f"{printable(path)}: {error}") from error
        profile = VoiceProfile.from_sums(recognizer, sums)
        profile.save(args.output)
    except (ModelError, OSError, VoiceProfileError) as error:
        print(f"voice-profile: {error}", file=sys.stderr)
        return 1
    seconds = profile.seconds(recognizer)
    print(f"{args.output}: voice profile from {len(files)} recordings, {seconds:.0f} s of audio.")
    return 0


def _check_replaceable(path: str) -> None:
    """Raises `VoiceProfileError` for another file than a profile, such as a recording where FILE was forgotten."""
    from ser_model.audio import printable
    from ser_model.inference.voice_profile import VoiceProfile, VoiceProfileError

    try:
        VoiceProfile.load(path)
    except VoiceProfileError as error:
        raise VoiceProfileError(
            f"{printable(path)} is there already and holds no voice profile: name the file to write first."
        ) from error
