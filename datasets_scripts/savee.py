"""SAVEE: four men, 480 clips, seven emotions."""

import re
from pathlib import Path

from datasets import Value

from .base import CorpusBuilder

EMOTION = {"n": "neutral", "h": "happy", "sa": "sad", "a": "angry", "f": "fear", "d": "disgust", "su": "surprise"}
COMMON = 3  # the first sentences of every emotion are the same
SAID_NEUTRALLY = ("angry", "disgust", "fear", "surprise", "sad", "happy")  # their sentences 4 and 5: neutral 19 to 30


class SaveeBuilder(CorpusBuilder):
    """`DC/a01.wav` (speaker's folder) or `DC_a01.wav`: emotion's letters, number of the sentence."""

    corpus = "savee"
    labels = tuple(EMOTION.values())
    extra_features = {"sentence": Value("int32")}
    looked_for = "DC/a01.wav or DC_a01.wav"
    how_to_get = "Ask for it at http://kahlan.eps.surrey.ac.uk/savee/Download.html and unpack AudioData.zip."
    licence = "research use only"
    cite = "Jackson P, Haq S (2014). Surrey Audio-Visual Expressed Emotion (SAVEE) database. University of Surrey."
    clips_per_label = {label: 120 if label == "neutral" else 60 for label in labels}
    clips_per_speaker = {f"savee_{name}": 120 for name in ("DC", "JE", "JK", "KL")}

    @classmethod
    def clip_key(cls, relative):
        folder = relative.parent.name
        return relative.stem if "_" in relative.stem else f"{folder}_{relative.stem}"

    @classmethod
    def parse(cls, path):
        fields = re.fullmatch(r"([A-Z]{2})_([a-z]{1,2})(\d\d)", cls.clip_key(path))
        if not fields:
            return None
        speaker, emotion, sentence = f"savee_{fields[1]}", fields[2], int(fields[3])
        if speaker not in cls.clips_per_speaker:
            raise ValueError(f"its name gives speaker {fields[1]}, where SAVEE has DC, JE, JK and KL")
        if emotion not in EMOTION or not 1 <= sentence <= (30 if emotion == "n" else 15):
            raise ValueError(f"its name gives {emotion}{sentence:02d}, which SAVEE does not have")
        return {"speaker": speaker, "sex": "male", "emotion": EMOTION[emotion], "sentence": sentence}

    @classmethod
    def text(cls, row):
        """Sentences are numbered within an emotion; which of them are the same was found by aligning the recordings."""
        # A prepared table's audio has its file's name only; its speaker is the folder.
        file = Path(row["speaker"].removeprefix("savee_"), Path(row["audio"]).name) if "audio" in row else None
        named = cls.parse(file) if file else None
        if named is None:
            return None
        emotion, sentence = named["emotion"], named["sentence"]
        if emotion == "neutral" and sentence > 15:  # the common ones once more, then those of other emotions
            sentence -= 15
            if sentence > COMMON:
                pair, number = divmod(sentence - COMMON - 1, 2)
                return f"{SAID_NEUTRALLY[pair]} {4 + number}"
        return f"common {sentence}" if sentence <= COMMON else f"{emotion} {sentence}"
