"""A recognizer that loads when it is first needed, once, whoever asks."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ser_model.recognizer import EmotionRecognizer

logger = logging.getLogger(__name__)

HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


def missing_model(name: str) -> str | None:
    """One sentence if `name` can be neither a folder that exists nor an id on the Hub, else None."""
    if Path(name).is_dir() or (HUB_ID.fullmatch(name) and not name.startswith((".", "/"))):
        return None
    return f"There is no checkpoint folder at {name}: set MODEL_ID to a folder that train.py wrote, or to a Hub id."


class NoModel(Exception):
    """There is no model to hear with; the text says why."""


class RecognizerLoader:
    """Call it for the recognizer; the first call imports torch and loads the model.

    Both happen under one lock: transformers cannot be imported by two threads at once.
    A failure is not remembered: the next call tries again, since a Hub may come back.

    Args:
        name: Checkpoint folder or Hub id.
        trust_remote_code: Whether code that comes with the model may run.
    """

    def __init__(self, name: str, trust_remote_code: bool = False):
        self.name = name
        self._trust_remote_code = trust_remote_code
        self._lock = threading.Lock()
        self._recognizer: EmotionRecognizer | None = None

    @property
    def title(self) -> str:
        """The model's name without the machine's folders."""
        folder = Path(self.name)
        return folder.resolve().name if folder.is_dir() else self.name

    @property
    def is_loaded(self) -> bool:
        return self._recognizer is not None

    def __call__(self) -> EmotionRecognizer:
        """Returns the recognizer.

        Raises:
            NoModel: It cannot be loaded.
        """
        with self._lock:
            if self._recognizer is None:
                self._recognizer = _load(self.name, self._trust_remote_code)
            return self._recognizer

    def start(self, after: float, warm_up: Callable[[EmotionRecognizer], object]) -> None:
        """Loads in the background, so that the first visitor need not wait.

        Args:
            after: Seconds until it begins: a page that is being served should not share the processor with it.
            warm_up: Called with the loaded recognizer, for what else the first results would be slow without.
        """

        def work() -> None:
            try:
                warm_up(self())
            except Exception as error:  # the page tells it to whoever asks for a result
                logger.warning("The model could not be made ready: %s", error)

        timer = threading.Timer(after, work)
        timer.daemon = True
        timer.start()


def _load(name: str, trust_remote_code: bool) -> EmotionRecognizer:
    import torch
    from transformers.utils.logging import disable_progress_bar

    from ser_model.recognizer import EmotionRecognizer, ModelError

    disable_progress_bar()
    torch.set_num_threads(1)  # two OpenMP threads on a busy machine starve each other
    try:
        return EmotionRecognizer.from_pretrained(name, trust_remote_code)
    except ModelError as error:
        raise NoModel(str(error)) from error
