"""TESS: two women, 2,800 clips of 200 words, seven emotions."""

import re

from datasets import Value

from .base import CorpusBuilder
from .download import DataverseFiles

EMOTION = {"neutral": "neutral", "happy": "happy", "sad": "sad", "angry": "angry", "fear": "fear",
           "disgust": "disgust", "ps": "surprise"}  # fmt: skip
SURPRISE = r"pleasant_?surprised?|surprised?"  # repackagings spell "ps" out


class TessBuilder(CorpusBuilder):
    """`speaker_word_emotion`, e.g. `OAF_back_angry.wav`; `ps` is pleasant surprise, taken as surprise."""

    corpus = "tess"
    labels = tuple(EMOTION.values())
    extra_features = {"statement": Value("string")}
    archives = ("dataverse_files.zip",)
    source = DataverseFiles("10.5683/SP2/E8H2MF", folder="tess")
    looked_for = "OAF_back_angry.wav"
    how_to_get = "Get it with: python -m datasets_scripts download tess --data_dir data"
    licence = "cc-by-nc-nd-4.0"
    cite = "Pichora-Fuller MK, Dupuis K (2020). Toronto emotional speech set. https://doi.org/10.5683/SP2/E8H2MF"
    clips_per_label = dict.fromkeys(labels, 400)
    clips_per_speaker = {"tess_OAF": 1400, "tess_YAF": 1400}

    @classmethod
    def parse(cls, path):
        name = re.sub(rf"_({SURPRISE})$", "_ps", path.stem, flags=re.IGNORECASE)
        fields = re.fullmatch(r"([OY][A-Z]{0,2})_([A-Za-z]+)_([A-Za-z]+)", name)
        if not fields:
            return None
        speaker, word, emotion = fields[1], fields[2].lower(), fields[3].lower()
        if speaker not in ("OAF", "YAF"):
            raise ValueError(f"its name gives speaker {speaker}, where TESS has OAF and YAF")
        if emotion not in EMOTION:
            raise ValueError(f"its name gives emotion {emotion}, which TESS does not have")
        statement = f"Say the word {word}"
        return {"speaker": f"tess_{speaker}", "sex": "female", "emotion": EMOTION[emotion], "statement": statement}
