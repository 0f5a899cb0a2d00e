"""The end of a process that trains, alone or as one of several."""

from __future__ import annotations

import os
import sys
import threading
from typing import NoReturn

from transformers.training_args import ParallelMode

from .trainer import SerTrainer

_KEPT: list[SerTrainer] = []


def keep_if_distributed(trainer: SerTrainer) -> None:
    """Keeps the trainer of one of several processes alive until the process ends.

    Gloo's threads may want the interpreter's lock while the interpreter, holding it, waits for
    them to end; so nothing of such a trainer is torn down.
    """
    if trainer.args.parallel_mode == ParallelMode.DISTRIBUTED:
        _KEPT.append(trainer)


def leave_write_errors_to_the_main_thread() -> None:
    """Keeps threads from printing an OSError: TensorBoard's raises it again in the main thread's next call."""

    def report(args: threading.ExceptHookArgs) -> None:
        if not isinstance(args.exc_value, OSError):
            threading.__excepthook__(args)

    threading.excepthook = report


def end_process(status: int) -> NoReturn:
    """Ends the process, at once where a trainer was kept."""
    if _KEPT:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)
