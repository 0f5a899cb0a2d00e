"""The emotions' names and their order, everywhere in the project, and other names for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

EMOTIONS = ("neutral", "calm", "happy", "sad", "angry", "fear", "disgust", "surprise")
# What other people's models and corpora call the same emotion, in any case.
SYNONYMS = {
    "neu": "neutral", "neutrality": "neutral",
    "cal": "calm", "calmness": "calm",
    "hap": "happy", "happiness": "happy", "joy": "happy",
    "sadness": "sad",
    "ang": "angry", "anger": "angry",
    "fea": "fear", "fearful": "fear",
    "dis": "disgust", "disgusted": "disgust",
    "sur": "surprise", "surprised": "surprise", "ps": "surprise", "pleasant surprise": "surprise",
}  # fmt: skip


def emotion_of(label: str) -> str | None:
    """The emotion that a label means, by its name or a synonym, whatever its case; None where it is none of them."""
    name = " ".join(label.lower().replace("_", " ").split())
    return name if name in EMOTIONS else SYNONYMS.get(name)


def renamed(labels: Sequence[str], label_map: Mapping[str, str] | None = None) -> list[str]:
    """The labels under this project's names.

    Args:
        labels: All labels of a model or a corpus.
        label_map: Label -> the name wanted instead; others are renamed as `emotion_of` says, unless
            two labels would then have one name.

    Raises:
        ValueError: The map names a label that is not there.
    """
    label_map = label_map or {}
    for label in label_map:
        if label not in labels:
            raise ValueError(f"the label map names {label}; the labels are {', '.join(labels)}")
    wanted = [label_map.get(label) or emotion_of(label) or label for label in labels]
    return [
        name if label in label_map or wanted.count(name) == 1 else label
        for label, name in zip(labels, wanted, strict=True)
    ]


def comma_separated(text: str | None) -> list[str]:
    """The names in a list like `ravdess, savee`; none where there is no text."""
    return [name.strip() for name in (text or "").split(",") if name.strip()]


def parse_label_map(text: str) -> dict[str, str]:
    """`LABEL_0=angry,LABEL_1=sad` as a dictionary.

    Raises:
        ValueError: It is written otherwise.
    """
    pairs = [pair.split("=") for pair in comma_separated(text)]
    if not all(len(pair) == 2 and pair[0].strip() and pair[1].strip() for pair in pairs):
        raise ValueError(f"A label map is written LABEL_0=angry,LABEL_1=sad, not {text!r}.")
    return {label.strip(): name.strip() for label, name in pairs}
