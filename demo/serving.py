"""Predictions for many visitors: a few at a time, each within a time limit."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
import torch

from ser_model.inference.base_recognizer import ModelError
from ser_model.inference.recognizer import EmotionRecognizer
from ser_model.inference.results import EmotionResult

from .loading import NoModel
from .reports import usable_report

AT_ONCE = 2
MOST_ASKING = 24  # that are served or wait: others are refused at once, so that the server keeps threads for the page
TIME_LIMIT = 120.0  # seconds for one call, and as long for a place in the queue
BUSY = "Other recordings are being analysed. Try again in a moment."
TOO_LONG = f"The prediction took longer than {TIME_LIMIT:.0f} s and was given up."

Result = TypeVar("Result")

_places = threading.BoundedSemaphore(AT_ONCE)
_asking = threading.BoundedSemaphore(MOST_ASKING)


class ServedRecognizer(EmotionRecognizer):
    """An `EmotionRecognizer` whose network runs through `limited`; it has a report that the page can read, or none."""

    def __init__(self, model: Any, feature_extractor: Any, report: Any = None):
        super().__init__(model, feature_extractor, usable_report(report))

    def predict_batch(self, *args: Any, **kwargs: Any) -> list[EmotionResult]:
        return limited(lambda: EmotionRecognizer.predict_batch(self, *args, **kwargs))

    def encode(self, wave: np.ndarray) -> torch.Tensor:
        return limited(lambda: EmotionRecognizer.encode(self, wave))


def limited(work: Callable[[], Result], time_limit: float = TIME_LIMIT) -> Result:
    """Runs `work` when one of `AT_ONCE` places is free.

    Work that exceeds the limit is left to itself and gives up its place: it can hold up no other visitor.

    Raises:
        NoModel: Too many wait, there was no place in time, the work took too long, or the model gives no numbers.
    """
    done, outcome = threading.Event(), list[Result | BaseException]()

    def run() -> None:
        try:
            outcome.append(work())
        except BaseException as error:  # raised again where the result is waited for
            outcome.append(error)
        done.set()

    with _taken(_asking, 0), _taken(_places, time_limit):
        threading.Thread(target=run, daemon=True).start()
        if not done.wait(time_limit):
            raise NoModel(TOO_LONG)
    if isinstance(outcome[0], ModelError):
        raise NoModel(str(outcome[0])) from outcome[0]
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return outcome[0]


@contextmanager
def _taken(places: threading.BoundedSemaphore, patience: float) -> Iterator[None]:
    if not places.acquire(timeout=patience):
        raise NoModel(BUSY)
    try:
        yield
    finally:
        places.release()
