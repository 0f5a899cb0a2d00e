"""The process in which the models live.

It imports torch and transformers while the page's process imports gradio. In one process the two would take turns, and
a first clip would wait for both.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from multiprocessing.connection import Connection
from multiprocessing.managers import BaseManager, BaseProxy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from ser_model.audio import AudioSource
    from ser_model.inference.recognizer import EmotionRecognizer
    from ser_model.inference.results import EmotionResult

KEPT_PRIMITIVES = "32"  # an answer needs fewer; oneDNN keeps 1024, some for each length heard, which grows by 100 MB
ENDED = "The model stopped before it could answer. Please try again."


class NoModel(Exception):
    """There is no model to hear with; the text says why."""


@contextlib.contextmanager
def quick_imports() -> Iterator[None]:
    """Spares imports the search for garbage, of which they make none: a tenth of their time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class Shelf:
    """What that process does for the page's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # transformers cannot be imported by two threads at once

    def load(self, name: str, trust_remote_code: bool) -> EmotionRecognizer:
        """Loads a model and lets it hear a made-up second, since what is heard first pays for further imports."""
        with self._lock:
            with quick_imports():
                import torch
                from transformers.utils.logging import disable_progress_bar

                from ser_model.inference.recognizer import EmotionRecognizer, ModelError

            disable_progress_bar()
            torch.set_num_threads(1)  # two OpenMP threads on a busy machine starve each other
            try:
                recognizer = EmotionRecognizer.from_pretrained(name, trust_remote_code)
            except ModelError as error:
                raise NoModel(str(error)) from None
            recognizer(torch.rand(recognizer.sampling_rate).numpy(), recognizer.sampling_rate)
            return recognizer

    def refuse_foreign(self, name: str) -> None:
        """Looks at the configuration alone, before weights are fetched; code that comes with a model never runs."""
        with self._lock:
            from transformers import PretrainedConfig

            from ser_model.models.registration import FAMILIES

            try:
                content, _ = PretrainedConfig.get_config_dict(name)
            except (OSError, ValueError) as error:
                reason = str(error).strip().splitlines()[0]
                raise NoModel(f"No model could be loaded from {name}: {reason}") from None
        if content.get("model_type") not in FAMILIES:
            raise NoModel(f"{name} is not one of this project's models, and code of other people is not run here.")


class _Proxy(BaseProxy):
    def _callmethod(self, methodname: str, args: Any = (), kwds: Mapping[str, Any] | None = None) -> Any:
        try:
            return super()._callmethod(methodname, args, dict(kwds or {}))
        except (EOFError, ConnectionError, FileNotFoundError) as error:  # what is at the other end raises none of these
            raise NoModel(ENDED) from error


class ShelfProxy(_Proxy):
    """A `Shelf` in the other process."""

    _exposed_ = ("load", "refuse_foreign")

    def load(self, name: str, trust_remote_code: bool) -> EmotionRecognizer:
        return self._callmethod("load", (name, trust_remote_code))

    def refuse_foreign(self, name: str) -> None:
        self._callmethod("refuse_foreign", (name,))


class RecognizerProxy(_Proxy):
    """An `EmotionRecognizer` in the other process: what the page uses of one."""

    _exposed_ = ("__call__", "__getattribute__", "predict_batch")

    def __call__(self, audio: AudioSource, sampling_rate: int | None = None) -> EmotionResult:
        return self._callmethod("__call__", (audio, sampling_rate))

    def predict_batch(self, waves: Sequence[np.ndarray]) -> list[EmotionResult]:
        return self._callmethod("predict_batch", (waves,))

    @cached_property
    def labels(self) -> list[str]:
        return self._callmethod("__getattribute__", ("labels",))

    @cached_property
    def sampling_rate(self) -> int:
        return self._callmethod("__getattribute__", ("sampling_rate",))

    @cached_property
    def report(self) -> dict[str, Any] | None:
        return self._callmethod("__getattribute__", ("report",))


class _Manager(BaseManager):
    pass


_Manager.register("shelf", Shelf, ShelfProxy, method_to_typeid={"load": "recognizer"})
_Manager.register("recognizer", None, RecognizerProxy, create_method=False)


class ModelProcess:
    """The running process, which ends when this one does, however that is.

    Attributes:
        shelf: What it offers.
    """

    def __init__(self) -> None:
        address, announce = multiprocessing.Pipe(duplex=False)
        self._process = multiprocessing.get_context("spawn").Process(target=_serve, args=(announce,), daemon=True)
        self._process.start()
        announce.close()
        try:
            manager = _Manager(address.recv())
        except EOFError as error:
            raise NoModel(ENDED) from error
        manager.connect()
        self.shelf: ShelfProxy = manager.shelf()  # type: ignore[attr-defined]

    @property
    def is_alive(self) -> bool:
        return self._process.is_alive()


def _serve(announce: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is meant for the page
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # so that the socket's folder is removed
    os.environ["ONEDNN_PRIMITIVE_CACHE_CAPACITY"] = KEPT_PRIMITIVES  # read when torch is imported
    atexit.register(os._exit, 0)  # torch's threads do not bear an interpreter that ends around them
    threading.Thread(target=_end_with_the_page, daemon=True).start()
    server = _Manager().get_server()
    announce.send(server.address)
    server.serve_forever()


def _end_with_the_page() -> None:
    page = multiprocessing.parent_process()
    assert page is not None
    page.join()
    os.kill(os.getpid(), signal.SIGTERM)


_running: ModelProcess | None = None
_starting = threading.Lock()


def model_process() -> ModelProcess:
    """The process; started when it is first asked for, and again if it has died."""
    global _running
    with _starting:
        if _running is None or not _running.is_alive:
            _running = ModelProcess()
        return _running
