"""The clips that are measured: the real corpora, always the same ones."""

from __future__ import annotations

import os
import random
from pathlib import Path

import torch

from ser_model.audio import walk_audio

from .rows import NotHere

ROOT = Path(__file__).resolve().parents[1]
BESIDE = ROOT.parent / "shared"
SILENT = "1076_MTI_SAD_XX"  # a clip of CREMA-D that holds nothing
CORPORA = ("ravdess", "crema_d", "tess", "savee")


def corpora_folder() -> Path:
    """The folder above the corpora: `SER_DATA_DIR`, else `data` in the project, else `../shared/corpora`.

    Raises:
        NotHere: RAVDESS is in none of them.
    """
    for folder in (os.environ.get("SER_DATA_DIR"), ROOT / "data", BESIDE / "corpora"):
        if folder and Path(folder, "ravdess").is_dir():
            return Path(folder)
    raise NotHere("The corpora are not here: name the folder above them in SER_DATA_DIR.")


def all_clips() -> list[Path]:
    """Every clip of the corpora that can be used, in random order, always the same."""
    folder = corpora_folder()
    found = (path for name in CORPORA if (folder / name).is_dir() for path in walk_audio(folder / name))
    clips = sorted(path for path in found if path.stem != SILENT)
    random.Random(0).shuffle(clips)
    return clips


def one_thread() -> None:
    torch.set_num_threads(1)
