"""A recognizer that loads when it is first needed, once, whoever asks."""

from __future__ import annotations

import logging
import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from .model_process import ModelProcess, NoModel, model_process

if TYPE_CHECKING:
    from ser_model.inference.recognizer import EmotionRecognizer

logger = logging.getLogger(__name__)

HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


def missing_model(name: str) -> str | None:
    """One sentence if `name` can be neither a folder that exists nor an id on the Hub, else None."""
    if Path(name).is_dir() or (HUB_ID.fullmatch(name) and not name.startswith((".", "/"))):
        return None
    return f"There is no checkpoint folder at {name}: set MODEL_ID to a folder that train.py wrote, or to a Hub id."


class RecognizerLoader:
    """Call it for the recognizer; the first call loads the model in the models' process.

    A failure is not remembered: the next call tries again, since a Hub may come back, and a process that has died is
    started anew.

    Args:
        name: Checkpoint folder or Hub id.
        trust_remote_code: Whether code that comes with the model may run.
    """

    def __init__(self, name: str, trust_remote_code: bool = False):
        self.name = name
        self._trust_remote_code = trust_remote_code
        self._lock = threading.Lock()
        self._loaded: tuple[ModelProcess, EmotionRecognizer] | None = None

    @property
    def title(self) -> str:
        """The model's name without the machine's folders."""
        folder = Path(self.name)
        return folder.resolve().name if folder.is_dir() else self.name

    @property
    def is_loaded(self) -> bool:
        return self._loaded is not None and self._loaded[0].is_alive

    def __call__(self) -> EmotionRecognizer:
        """Returns the recognizer.

        Raises:
            NoModel: It cannot be loaded.
        """
        with self._lock:
            process = model_process()
            if self._loaded is None or self._loaded[0] is not process:
                self._loaded = process, process.shelf.load(self.name, self._trust_remote_code)
            return self._loaded[1]

    def start(self) -> threading.Thread:
        """Loads in the background, so that the first visitor need not wait; the thread ends with that."""

        def work() -> None:
            try:
                self()
            except NoModel as error:  # the page tells it to whoever asks for a result
                logger.warning("The model could not be made ready: %s", error)

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        return thread
