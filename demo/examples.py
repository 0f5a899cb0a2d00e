"""Clips to try: synthetic ones that ship, and real ones where the machine has them."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ser_model.labels import EMOTIONS

FOLDER = Path(__file__).resolve().parents[1] / "examples"
# RAVDESS says in a file's name what is acted: speech, audio alone, then emotion (in the project's own order),
# strength, sentence, take and actor.
_NAME = re.compile(r"03-01-0([1-8])-0[12]-01-01-\d\d\.(?:wav|flac)", re.IGNORECASE)

Example = tuple[str, Path]


def synthetic() -> list[Example]:
    """Label and file of each clip in `examples/`: made by a speech synthesiser, no person's voice."""
    return [(f"Synthetic: {path.stem.replace('-', ' ')}", path) for path in sorted(FOLDER.glob("*.flac"))]


def real(data_dir: str | None) -> list[Example]:
    """Label and file of one RAVDESS clip for each emotion below a folder, strongly acted where there is a choice."""
    found: dict[str, Path] = {}
    if not data_dir:
        return []
    for folder, folders, files in os.walk(data_dir):
        folders.sort()
        for name in sorted(files, reverse=True):  # strong comes after normal
            match = _NAME.fullmatch(name)
            if match:
                found.setdefault(EMOTIONS[int(match[1]) - 1], Path(folder, name))
        if len(found) == len(EMOTIONS):
            break
    return [(f"Real: {emotion}", found[emotion]) for emotion in EMOTIONS if emotion in found]


def all_examples() -> list[Example]:
    """What the page offers: synthetic clips, then real ones below `SER_DATA_DIR` if that is set."""
    return synthetic() + real(os.environ.get("SER_DATA_DIR"))
