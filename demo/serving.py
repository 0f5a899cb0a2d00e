"""Predictions for many visitors: a few at a time, each within a time limit."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import torch

from ser_model.inference.recognizer import EmotionRecognizer
from ser_model.inference.results import EmotionResult

from .loading import NoModel

AT_ONCE = 2
TIME_LIMIT = 120.0  # seconds for one call, and as long for a place in the queue
BUSY = "Other recordings are being analysed. Try again in a moment."
TOO_LONG = f"The prediction took longer than {TIME_LIMIT:.0f} s and was given up."

Result = TypeVar("Result")

_places = threading.BoundedSemaphore(AT_ONCE)


class ServedRecognizer(EmotionRecognizer):
    """An `EmotionRecognizer` whose network runs through `limited`."""

    def predict_batch(self, *args: Any, **kwargs: Any) -> list[EmotionResult]:
        return limited(lambda: EmotionRecognizer.predict_batch(self, *args, **kwargs))

    def encode(self, wave: np.ndarray) -> torch.Tensor:
        return limited(lambda: EmotionRecognizer.encode(self, wave))


def limited(work: Callable[[], Result], time_limit: float = TIME_LIMIT) -> Result:
    """Runs `work` when one of `AT_ONCE` places is free.

    Work that exceeds the limit is left to itself and gives up its place: it can hold up no other visitor.

    Raises:
        NoModel: There was no place in time, or the work took too long.
    """
    done, outcome = threading.Event(), list[Result | BaseException]()

    def run() -> None:
        try:
            outcome.append(work())
        except BaseException as error:  # raised again where the result is waited for
            outcome.append(error)
        done.set()

    if not _places.acquire(timeout=time_limit):
        raise NoModel(BUSY)
    try:
        threading.Thread(target=run, daemon=True).start()
        if not done.wait(time_limit):
            raise NoModel(TOO_LONG)
    finally:
        _places.release()
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return outcome[0]
