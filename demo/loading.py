"""A recognizer that is loaded when it is first needed, once, whoever asks."""

from __future__ import annotations

import json
import logging
import os
import re
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ser_model.inference.recognizer import EmotionRecognizer

logger = logging.getLogger(__name__)

MAX_BYTES, MAX_JSON_BYTES = 500_000_000, 5_000_000  # of the files of a model that a visitor names
FETCHED_AT_ONCE, PATIENCE = 2, 120.0  # models that visitors name, and seconds that others wait for them
HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


_fetching = threading.BoundedSemaphore(FETCHED_AT_ONCE)


class NoModel(Exception):
    """There is no model to predict with; the text is one sentence."""


def missing_model(name: str, variable: str) -> str | None:
    """One sentence if `name`, given as `variable`, is neither a folder that exists nor an id on the Hub, else None."""
    if os.path.isdir(name) or (HUB_ID.fullmatch(name) and not name.startswith((".", "/"))):
        return None
    return f"There is no checkpoint folder at {name}: set {variable} to a folder that train.py wrote, or to a Hub id."


class RecognizerLoader:
    """Call it for the recognizer; the first call loads the model, others wait for that.

    A failure is not remembered: the next call tries again, since a Hub may come back.

    Args:
        name: Checkpoint folder or Hub id.
        trust_remote_code: Whether code that comes with the model may run.
        local: Whether `name` may be a folder of this machine.
        label_map: For somebody else's model, its label -> the name wanted instead.
    """

    _importing = threading.Lock()  # transformers cannot be imported by two threads at once

    def __init__(
        self,
        name: str,
        trust_remote_code: bool = False,
        local: bool = True,
        label_map: Mapping[str, str] | None = None,
    ):
        self.name = name
        self._trust_remote_code = trust_remote_code
        self._local = local
        self._label_map = label_map
        self._lock = threading.Lock()
        self._recognizer: EmotionRecognizer | None = None

    @property
    def title(self) -> str:
        """The model's name without the machine's folders."""
        folder = Path(self.name)
        return folder.resolve().name if self._local and os.path.isdir(folder) else self.name

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
                self._recognizer = self._load()
            return self._recognizer

    def start(self) -> threading.Thread:
        """Loads in a background thread, so that the first visitor need not wait; the thread ends with that."""

        def work() -> None:
            try:
                self()
            except NoModel as error:  # the page tells it to whoever asks for a result
                logger.warning("The model could not be loaded: %s", error)

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        return thread

    def _load(self) -> EmotionRecognizer:
        with self._importing:
            import torch
            from transformers.utils.logging import disable_progress_bar

            from ser_model.inference.checkpoint import ModelError

            from .serving import ServedRecognizer
        disable_progress_bar()
        torch.set_num_threads(1)  # two OpenMP threads on a busy machine starve each other
        try:
            with self._source() as source:
                return ServedRecognizer.from_pretrained(source, self._trust_remote_code, label_map=self._label_map)
        except ModelError as error:
            raise NoModel(str(error)) from None

    @contextmanager
    def _source(self) -> Iterator[str]:
        """Where the model is loaded from: what a visitor typed is never a folder of this machine, nor stays on it."""
        if self._local:
            yield self.name
        elif not _fetching.acquire(timeout=PATIENCE):
            raise NoModel("Other models are being fetched. Try again in a moment.")
        else:
            try:
                with tempfile.TemporaryDirectory(prefix="ser-hub-", ignore_cleanup_errors=True) as folder:
                    yield download(self.name, folder)
            finally:
                _fetching.release()


def download(repo_id: str, folder: str) -> str:
    """Copies a model of the Hub into a folder; foreign and very large ones are refused before they are fetched.

    Models whose code is part of transformers are not foreign. What their files ask for is checked when they are loaded.

    Returns:
        Where its files lie, below the folder.

    Raises:
        NoModel: It is not there, needs code of its own, or is too large, or the Hub cannot be reached.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, HTTPError

    from ser_model.inference.foreign import ARCHITECTURES
    from ser_model.models.registration import FAMILIES

    def fetch(name: str, most: int) -> Path:
        size = get_hf_file_metadata(hf_hub_url(repo_id, name)).size or 0
        if size > most:
            raise NoModel(f"{repo_id} has {size / 1e6:,.0f} MB of {name}; at most {most / 1e6:,.0f} MB are loaded.")
        return Path(hf_hub_download(repo_id, name, cache_dir=folder))

    try:
        config = fetch("config.json", MAX_JSON_BYTES)
        if json.loads(config.read_text(encoding="utf-8")).get("model_type") not in {*FAMILIES, *ARCHITECTURES}:
            raise NoModel(
                f"{repo_id} is neither one of this project's models nor an audio classifier of transformers, and code "
                "of other people is not run here."
            )
        fetch("preprocessor_config.json", MAX_JSON_BYTES)
        with suppress(EntryNotFoundError):
            fetch("report.json", MAX_JSON_BYTES)
        fetch("model.safetensors", MAX_BYTES)
        return str(config.parent)
    except (HTTPError, OSError, RuntimeError, ValueError, AttributeError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        if isinstance(error, HTTPError) and not isinstance(error, HfHubHTTPError):
            reason = f"the Hub cannot be reached: {reason}"
        raise NoModel(f"No model could be loaded from {repo_id}: {reason}.") from None
