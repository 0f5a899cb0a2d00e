"""What the model card says of where a model comes from: recordings, their terms, and a pretrained encoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

OWN = "folder"  # the corpus of somebody's own recordings
OWN_TERMS = (
    "not stated here; whoever publishes the weights states them, and makes sure that the people who speak agreed"
)
ENCODER_LICENCES = {"openai/whisper-base": " (MIT License, Copyright (c) 2022 OpenAI)"}


def corpus_title(corpus: str) -> str:
    """`crema_d` -> `CREMA-D`, and what the corpus `folder` is."""
    return "Own recordings" if corpus == OWN else corpus.upper().replace("_", "-")


def of_kinds(corpora: Sequence[str], acted: str, own: str) -> str:
    """What is said of acted corpora, of somebody's own recordings, or of both, as a model was trained on them."""
    return " and ".join(dict.fromkeys(own if corpus == OWN else acted for corpus in sorted(corpora, key=OWN.__eq__)))


def encoder_sentence(model: dict[str, Any]) -> str:
    """Where a pretrained encoder comes from, and its licence; nothing for a network without one.

    Args:
        model: The block `model` of the settings.
    """
    if "encoder" not in model:
        return ""
    name = model["encoder"]
    change = "fine-tuned" if model.get("frozen_layers") is not None else "unchanged"
    linked = f"[{name}](https://huggingface.co/{name})" if "/" in name else name
    return (
        f" The encoder is the first {max(model['encoder_layers'])} layers of {linked}, "
        f"{change}{ENCODER_LICENCES.get(name, '')}."
    )


def terms(builders: Sequence[Any]) -> str:
    """The terms of each corpus, that the weights inherit them, and what is to be cited."""
    lines = [
        f"- {'own recordings' if builder.corpus == OWN else builder.corpus}: "
        f"{OWN_TERMS if builder.corpus == OWN else builder.licence}"
        for builder in builders
    ]
    together = " together" if len({builder.licence for builder in builders}) > 1 else ""
    text = "\n".join(lines) + f"\n\nThe weights inherit these terms{together}."
    if cited := [f"- {builder.cite}" for builder in builders if builder.cite]:
        text += " Whoever publishes results made with them cites the corpora:\n\n" + "\n".join(cited)
    return text
