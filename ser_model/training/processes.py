"""The end of a process that trains, alone or as one of several."""

from __future__ import annotations

import os
import sys
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


def end_process(status: int) -> NoReturn:
    """Ends the process, at once where a trainer was kept."""
    if _KEPT:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)
