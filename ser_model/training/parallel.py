"""Work on every clip of a table, in one process or several."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import multiprocess
from datasets import Dataset

from .trainer import RunError

SECONDS_TO_END = 5.0  # of a pool of processes, before it is left as it is
ROWS_AT_ONCE = 100  # that a process keeps before it writes them: a thousand, as is usual, are 100 MB of log-mels


def map_clips(clips: Dataset, function: Callable, num_proc: int, **options: Any) -> Dataset:
    """`Dataset.map` that ends in one sentence where a process dies, and at once on Ctrl-C.

    A result in the cache is found whatever number of processes made it.

    Args:
        clips: The table.
        function: Called in each process; torch's threads are not inherited, so it has to keep to one.
        num_proc: Processes.
        options: As for `Dataset.map`.

    Raises:
        RunError: A process died.
    """
    try:
        with _interrupted_alone():
            processes = num_proc if num_proc > 1 else None
            return clips.map(function, num_proc=processes, writer_batch_size=ROWS_AT_ONCE, **options)
    except Exception as error:
        if isinstance(error.__context__, KeyboardInterrupt):  # what map raises on its way out
            raise KeyboardInterrupt from None
        if "subprocesses has abruptly died" in str(error):
            raise RunError(
                "A process that prepared features died, as happens when memory runs out: try a smaller --num_proc."
            ) from error
        raise


@contextmanager
def _interrupted_alone() -> Iterator[None]:
    """Ctrl-C, which a terminal sends to every process, interrupts this one and none that it starts."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before, unraisable, here = signal.getsignal(signal.SIGINT), sys.unraisablehook, os.getpid()
    # A pool that ends while a process of it hands over a result waits for that process's lock for ever.
    again = threading.Timer(SECONDS_TO_END, os.kill, (here, signal.SIGINT))
    again.daemon = True

    def interrupt(*_: Any) -> None:
        if os.getpid() == here:
            if again.ident is None:
                again.start()
            sys.unraisablehook = lambda _: None  # what map's generator raises when it is closed
            raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        again.cancel()
        for child in multiprocess.active_children() if again.ident else ():  # of a pool that was only beginning
            child.kill()
        signal.signal(signal.SIGINT, before)
        sys.unraisablehook = unraisable
