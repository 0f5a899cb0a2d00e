"""Clips to try, whose acted emotion is told after the prediction: those that ship, and RAVDESS where it is."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ser_model.audio import walk_audio
from ser_model.labels import EMOTIONS

FOLDER = Path(__file__).resolve().parents[1] / "examples"
# EmoDB says in a file's name what is acted, by the first letter of the German word.
_EMODB = {"F": "happy", "N": "neutral", "W": "angry", "T": "sad", "A": "fear", "E": "disgust"}
# The test actors of RAVDESS in the first fold, which the shipped checkpoints were not trained on. Each acts two of the
# eight emotions here: first sentence, first take, strongly acted where there is a choice. By this rule, not by choice,
# checkpoints/default predicts one of the eight wrongly.
_TEST_ACTORS = (1, 11, 20, 21)
GERMAN = "A German actor of EmoDB (CC BY 4.0), a corpus and a language that the model was not trained on."
TEST_ACTOR = "Actor {actor} of RAVDESS, whose voice the shipped models were not trained on."


@dataclass(frozen=True)
class Example:
    """A clip to try.

    Attributes:
        name: What the page calls it; it does not tell the emotion.
        path: The file.
        acted: The emotion that the actor was asked for.
        source: A sentence on who speaks.
    """

    name: str
    path: Path
    acted: str
    source: str


def shipped() -> list[Example]:
    """The clips in `examples/`."""
    paths = sorted(FOLDER.glob("*.flac"))
    return [
        Example(f"German {number}", path, _EMODB[path.stem[5]], GERMAN) for number, path in enumerate(paths, start=1)
    ]


def real(data_dir: str | None) -> list[Example]:
    """One clip for each emotion by the test actors of RAVDESS, where it lies below a folder."""
    if not data_dir:
        return []
    files = {path.stem: path for path in walk_audio(data_dir, (".wav", ".flac"))}
    found = []
    for number, emotion in enumerate(EMOTIONS, start=1):
        actor = _TEST_ACTORS[(number - 1) % len(_TEST_ACTORS)]
        names = (f"03-01-{number:02d}-{strength}-01-01-{actor:02d}" for strength in ("02", "01"))
        path = next((files[name] for name in names if name in files), None)
        if path:
            found.append(Example(f"Actor {number}", path, emotion, TEST_ACTOR.format(actor=actor)))
    return found


def all_examples() -> list[Example]:
    """What the page offers: clips of test actors below `SER_DATA_DIR` if that is set, then those that ship."""
    return real(os.environ.get("SER_DATA_DIR")) + shipped()
