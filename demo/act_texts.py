"""What the tab "Act an emotion" says, and the human listeners it compares with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .messages import percent

# Cao, Cooper, Keutmann, Gur, Nenkova and Verma (2014), "CREMA-D: Crowd-sourced emotional multimodal actors dataset",
# IEEE Transactions on Affective Computing 5(4), doi:10.1109/TAFFC.2014.2336244: listeners recognised the emotion
# that was intended in 40.9 % of the clips when they only heard them; chance among six emotions is 17 %.
LISTENERS = 0.409
LISTENERS_SOURCE = "https://doi.org/10.1109/TAFFC.2014.2336244"

INTRODUCTION = "Say the sentence as if you felt that way. The model predicts the emotion, then you judge it."
KEPT = (
    "Your takes are kept in this browser only, as emotion names. The sound is sent to this server, predicted in memory "
    "and not kept."
)
HELD = "This browser stores nothing for the page: your takes are gone when you leave it."
JUDGED = (
    "You judge with the prediction before your eyes, and you are one voice: this shows where the model goes wrong, not "
    "how accurate it is."
)


def how_often_right(report: Mapping[str, Any] | None) -> str:
    """How often the model is right, and human listeners beside it on the same corpus; without what no report tells."""
    test = (report or {}).get("test", {})
    on_crema = test.get("per_corpus", {}).get("crema_d", {}).get("accuracy")
    model = f"In {percent(test['accuracy'])} of its test clips." if "accuracy" in test else "Unknown for this model."
    beside = f"On CREMA-D in {percent(on_crema)}; human" if on_crema else "On CREMA-D, human"
    return f"How often is it right? {model} {beside} listeners, by voice alone, in {percent(LISTENERS)}."


def listeners_note(report: Mapping[str, Any] | None) -> str:
    """What the figure for human listeners is, and what is unequal beside a model that knows the corpus."""
    trained = " The model was trained on other actors who read the same sentences; they were not."
    return (
        f"Human listeners: people who only heard clips of CREMA-D named the intended emotion, one of six, in "
        f"{percent(LISTENERS)} of the cases.{trained if 'crema_d' in (report or {}).get('corpora', []) else ''}"
    )
