"""Measure the voices of the corpora and write the quantiles that the page compares a voice with."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ser_model.cli import natural, positive
from ser_model.labels import comma_separated

if TYPE_CHECKING:
    from datasets import Dataset

CORPORA = ("ravdess", "crema_d", "tess", "savee")
GROUP_OF_SEX = {"female": "women", "male": "men"}
OUTPUT = Path(__file__).parents[1] / "inference" / "voice_reference.json"
NOTES = [
    "Acted English speech in every emotion of the corpora, read in quiet rooms by adults.",
    "Each speaker gives at most the same number of clips, so that no corpus drowns the others.",
    "Loudness follows the recording as much as the voice: the corpora lie 20 dB apart.",
    "A corpus kept at a low sampling rate (CREMA-D may hold nothing above 5.5 kHz) has less noise to find "
    "up there, so its harmonics-to-noise ratio is somewhat high.",
]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data_dir", help="any folder above the corpora; default $SER_DATA_DIR, else ./data")
    parser.add_argument(
        "--corpora",
        type=comma_separated,
        default=list(CORPORA),
        metavar="A,B",
        help=f"which corpora (default: {','.join(CORPORA)})",
    )
    parser.add_argument("--clips_per_speaker", type=positive, default=20, help="at most so many of each (default: 20)")
    parser.add_argument("--seed", type=natural, default=0, help="draws them (default: 0)")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="the JSON file (default: the shipped one)")


def run(args: argparse.Namespace) -> int:
    """Writes the reference; defective clips are left out as everywhere."""
    from datasets_scripts import CorpusError
    from datasets_scripts.loading import data_dir_or_default, load_corpora
    from ser_model.inference.voice_reference import reference_from

    if not _is_writable(args.output):
        print(f"voice-reference: {args.output} cannot be written.", file=sys.stderr)
        return 1
    try:
        table = load_corpora(args.corpora, data_dir_or_default(args.data_dir))
    except CorpusError as error:
        print(f"voice-reference: {error}", file=sys.stderr)
        return 1
    chosen = draw_clips(table, args.clips_per_speaker, args.seed)
    if missing := [group for sex, group in GROUP_OF_SEX.items() if sex not in {row["sex"] for row in chosen}]:
        print(f"voice-reference: no clip of the corpora is known to be of {' or of '.join(missing)}.", file=sys.stderr)
        return 1
    provenance = {
        "about": "Quantiles of voice measures, made by: python -m ser_model voice-reference",
        "corpora": _counts(chosen),
        "clips_per_speaker": args.clips_per_speaker,
        "seed": args.seed,
        "notes": NOTES,
    }
    content = reference_from(_measured(chosen), provenance)
    args.output.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {args.output}: {len(chosen)} clips")
    return 0


def _is_writable(path: Path) -> bool:
    try:
        return os.access(path if path.exists() else path.parent, os.W_OK) and not path.is_dir()
    except OSError:  # its name is too long, or may not be looked up
        return False


def draw_clips(table: Dataset, clips_per_speaker: int, seed: int) -> list[dict[str, Any]]:
    """Rows of `audio`, `corpus`, `speaker` and `sex`: at most so many of each speaker whose sex is known."""
    import numpy as np

    columns = ("audio", "corpus", "speaker", "sex")
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*(table[name] for name in columns), strict=True)]
    rows = sorted((row for row in rows if row["sex"] in GROUP_OF_SEX), key=lambda row: Path(row["audio"]).name)
    draw, taken, chosen = np.random.default_rng(seed), dict[str, int](), []
    for place in draw.permutation(len(rows)):
        row = rows[place]
        if taken.get(row["speaker"], 0) < clips_per_speaker:
            taken[row["speaker"]] = taken.get(row["speaker"], 0) + 1
            chosen.append(row)
    return chosen


def _counts(rows: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for corpus in sorted({row["corpus"] for row in rows}):
        own = [row for row in rows if row["corpus"] == corpus]
        sexes = {row["speaker"]: row["sex"] for row in own}
        counts[corpus] = {"clips": len(own)} | {
            group: sum(known == sex for known in sexes.values()) for sex, group in GROUP_OF_SEX.items()
        }
    return counts


def _measured(rows: list[dict[str, Any]]) -> dict[str, list[dict[str, float]]]:
    from tqdm import tqdm

    from datasets_scripts.shards import recording
    from ser_model.audio import AudioError, load_audio
    from ser_model.inference.voice_reference import SAMPLING_RATE, measure_voice

    found: dict[str, list[dict[str, float]]] = {group: [] for group in GROUP_OF_SEX.values()}
    for row in tqdm(rows, unit="clip"):
        try:
            wave = load_audio(recording(row["audio"]), SAMPLING_RATE)
        except AudioError as error:
            print(f"{row['audio']} left out: {error}", file=sys.stderr)
            continue
        found[GROUP_OF_SEX[row["sex"]]].append(measure_voice(wave, SAMPLING_RATE))
    return found
