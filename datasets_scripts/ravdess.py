"""RAVDESS: 24 actors, 1,440 spoken clips, eight emotions, two intensities."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from datasets import Value

from ser_model.labels import EMOTIONS

from .base import CorpusBuilder
from .download import DoiFile

ARCHIVE = "Audio_Speech_Actors_01-24.zip"
STATEMENTS = {1: "Kids are talking by the door", 2: "Dogs are sitting by the door"}


class RavdessBuilder(CorpusBuilder):
    """`modality-channel-emotion-intensity-statement-repetition-actor`, e.g. `03-01-06-01-02-01-12.wav`.

    Only speech (channel 01) recorded as audio alone (modality 03) is taken; song and video are left
    out by their name fields. Odd actors are men, even actors women.
    """

    corpus = "ravdess"
    labels = EMOTIONS  # field 3 counts them in this order, from 1
    extra_features = {"intensity": Value("string"), "statement": Value("string"), "repetition": Value("int32")}
    archives = (ARCHIVE,)
    source = DoiFile("10.5281/zenodo.1188976", ARCHIVE, "md5:bc696df654c87fed845eb13823edef8a")
    looked_for = "03-01-06-01-02-01-12.wav"
    how_to_get = "Get it with: python -m datasets_scripts download ravdess --data_dir data"
    licence = "cc-by-nc-sa-4.0"
    cite = (
        "Livingstone SR, Russo FA (2018). The Ryerson Audio-Visual Database of Emotional Speech and Song "
        "(RAVDESS). PLoS ONE 13(5): e0196391. https://doi.org/10.1371/journal.pone.0196391"
    )
    clips_per_label = {label: 96 if label == "neutral" else 192 for label in EMOTIONS}  # neutral is never strong
    clips_per_speaker = {f"ravdess_{actor:02d}": 60 for actor in range(1, 25)}

    @classmethod
    def parse(cls, path: Path) -> dict[str, Any] | None:
        if not re.fullmatch(r"\d\d(-\d\d)+", path.stem):
            return None
        fields = [int(part) for part in path.stem.split("-")]
        if len(fields) != 7:
            raise ValueError(f"its name has {len(fields)} fields where RAVDESS has 7")
        modality, channel, emotion, intensity, statement, repetition, actor = fields
        if modality in (1, 2) or channel == 2:
            return None
        ranges = (("modality", modality, 3, 3), ("vocal channel", channel, 1, 1), ("emotion", emotion, 1, 8),
                  ("intensity", intensity, 1, 2), ("statement", statement, 1, 2),
                  ("repetition", repetition, 1, 2), ("actor", actor, 1, 24))  # fmt: skip
        for name, value, low, high in ranges:
            if not low <= value <= high:
                raise ValueError(f"its name gives {name} {value:02d}, which RAVDESS does not have")
        return {
            "speaker": f"ravdess_{actor:02d}",
            "sex": "male" if actor % 2 else "female",
            "emotion": cls.labels[emotion - 1],
            "intensity": "strong" if intensity == 2 else "normal",
            "statement": STATEMENTS[statement],
            "repetition": repetition,
        }
