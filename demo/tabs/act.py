"""The tab Act an emotion: the visitor acts, the model predicts, the visitor judges, and both see how often it is right.

The page's script records and keeps the visitor's takes in the browser; the server predicts one take at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import gradio as gr
import numpy as np
from fastapi import APIRouter, Request

from demo import act_texts, cards, messages
from demo.components import AT_ONCE
from demo.loading import NoModel, RecognizerLoader
from demo.raw_audio import Refused, samples_of, served
from demo.sentences import SENTENCES
from ser_model.audio import AudioError

if TYPE_CHECKING:
    from ser_model.inference.recognizer import EmotionRecognizer

MOST_SECONDS = 10  # of a take
TAKES = 8  # after which the visitor's confusion matrix is shown


def build(page: gr.Blocks, load: RecognizerLoader) -> None:
    """Adds the tab's content to the page under construction.

    Args:
        page: The page.
        load: Returns the recognizer; may take its time on the first call.
    """
    stage = cards.html(cards.note(["Loading the model …"]), "ser-act-stage")
    loaded = page.load(lambda: stage_of(load), None, stage, **AT_ONCE)
    loaded.then(None, js="() => window.serAct()", **AT_ONCE)


def stage_of(load: RecognizerLoader) -> str:
    """The whole tab for the labels and the report of the model, or why there is no model."""
    try:
        recognizer = load()
    except NoModel as error:
        return cards.message_card(str(error))
    report, labels = recognizer.report, recognizer.labels
    counts = (report or {}).get("test", {}).get("confusion_matrix")
    return cards.render(
        "act",
        model=load.title,
        labels=labels,
        sentences=SENTENCES,
        takes=TAKES,
        most_seconds=MOST_SECONDS,
        texts=act_texts,
        right=act_texts.how_often_right(report),
        people=act_texts.listeners_note(report),
        tested=messages.accuracy_note(report),
        yours=cards.confusion("Your takes", labels, [[0] * len(labels)] * len(labels)),
        models=cards.confusion("The model on test speakers", report["labels"], counts) if report and counts else "",
    )


def predict_take(load: Callable[[], EmotionRecognizer], rate: int, pcm: bytes) -> dict[str, str | None]:
    """The prediction for one take, int16 samples at `rate` Hz: `label`, None without speech, and `answer` as HTML.

    Raises:
        NoModel: There is no model to predict with.
        Refused: The take cannot be used; the text says why.
    """
    recognizer = load()
    wave = np.frombuffer(pcm, dtype="<i2").astype(np.float32) / 32768
    try:
        result = recognizer(wave, rate)
    except AudioError as error:
        raise Refused(400, str(error)) from error
    predicted = result.as_data()
    remarks = messages.of_prediction(recognizer.report, predicted) if result.label else []
    return {"label": result.label, "answer": cards.emotion_card(predicted, remarks)}


def routes(load: Callable[[], EmotionRecognizer]) -> APIRouter:
    """`POST /act?rate=48000`, the body raw int16 samples of one channel; nothing is written to disk."""
    router = APIRouter()

    @router.post("/act")
    async def act(rate: int, request: Request) -> dict[str, str | None]:
        return await served(predict_take, load, rate, await samples_of(request, rate, MOST_SECONDS))

    return router
