"""CREMA-D: 91 actors, 7,442 clips of twelve sentences, six emotions."""

import json
import re
from pathlib import Path

from datasets import Value

from .base import CorpusBuilder

SEX = json.loads(Path(__file__).with_name("crema_d_speakers.json").read_text(encoding="utf-8"))["sex"]
EMOTION = {"NEU": "neutral", "HAP": "happy", "SAD": "sad", "ANG": "angry", "FEA": "fear", "DIS": "disgust"}
INTENSITY = {"LO": "low", "MD": "medium", "HI": "high", "XX": "unspecified"}
STATEMENT = {
    "IEO": "It's eleven o'clock", "TIE": "That is exactly what happened", "IOM": "I'm on my way to the meeting",
    "IWW": "I wonder what this is about", "TAI": "The airplane is almost full", "MTI": "Maybe tomorrow it will be cold",
    "IWL": "I would like a new alarm clock", "ITH": "I think I have a doctor's appointment",
    "DFA": "Don't forget a jacket", "ITS": "I think I've seen this before", "TSI": "The surface is slick",
    "WSI": "We'll stop in a couple of minutes",
}  # fmt: skip


class CremaDBuilder(CorpusBuilder):
    """`actor_statement_emotion_intensity`, e.g. `1001_DFA_ANG_XX.wav`."""

    corpus = "crema_d"
    labels = tuple(EMOTION.values())
    extra_features = {"intensity": Value("string"), "statement": Value("string")}
    looked_for = "1001_DFA_ANG_XX.wav"
    how_to_get = "With git-lfs: git clone https://github.com/CheyneyComputerScience/CREMA-D data/CREMA-D (about 2 GB)."
    licence = "odbl"
    cite = "Cao H et al. (2014). CREMA-D: Crowd-sourced Emotional Multimodal Actors Dataset. IEEE TAC 5(4): 377-390."
    clips_per_label = {label: 1087 if label == "neutral" else 1271 for label in labels}
    fewer = {"1002": 81, "1008": 76, "1009": 76, "1019": 76, "1076": 81}  # as published
    clips_per_speaker = {f"crema_d_{actor}": count for actor, count in (dict.fromkeys(SEX, 82) | fewer).items()}

    @classmethod
    def parse(cls, path):
        fields = path.stem.split("_")
        if not re.fullmatch(r"\d{4}(_[A-Z]{1,3}){2,}", path.stem):
            return None
        if len(fields) != 4:
            raise ValueError(f"its name has {len(fields)} fields where CREMA-D has 4")
        for field, known in zip(fields, (SEX, STATEMENT, EMOTION, INTENSITY), strict=True):
            if field not in known:
                raise ValueError(f"its name has {field} where CREMA-D has a code like {max(known)}")
        statement, emotion, intensity = STATEMENT[fields[1]], EMOTION[fields[2]], INTENSITY[fields[3]]
        speaker, sex = f"crema_d_{fields[0]}", {"m": "male", "f": "female"}[SEX[fields[0]]]
        return {"speaker": speaker, "sex": sex, "emotion": emotion, "intensity": intensity, "statement": statement}
