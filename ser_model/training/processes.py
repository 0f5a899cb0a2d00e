"""Processes that train: one in a folder at a time, and the end of one, alone or as one of several."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

from filelock import FileLock, Timeout
from transformers.training_args import ParallelMode

from .trainer import RunError, SerTrainer

LOCK = ".lock"
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # of glibc's malloc.h
_KEPT: list[SerTrainer] = []


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keeps other processes from training in a folder; the system ends this where the process is killed.

    A folder in which nothing was written does not stay, nor do folders above it that were made for it.

    Raises:
        RunError: Another process trains there.
    """
    made = [above for above in (folder, *folder.parents) if not above.exists()]
    try:
        with FileLock(folder / LOCK, timeout=0):
            try:
                yield
            finally:
                with suppress(OSError):
                    (folder / LOCK).unlink()
                    folder.rmdir()
                    for above in made[1:]:
                        above.rmdir()
    except Timeout:
        raise RunError(
            f"Another process is training in {folder}: wait for it, or choose another --output_dir."
        ) from None


def is_in_use(folder: Path) -> bool:
    """Whether a process trains in a folder."""
    if not (folder / LOCK).exists():
        return False
    try:
        with alone_in(folder):
            return False
    except RunError:
        return True


def keep_if_distributed(trainer: SerTrainer) -> None:
    """Keeps the trainer of one of several processes alive until the process ends.

    Gloo's threads may want the interpreter's lock while the interpreter, holding it, waits for
    them to end; so nothing of such a trainer is torn down.
    """
    if trainer.args.parallel_mode == ParallelMode.DISTRIBUTED:
        _KEPT.append(trainer)


def keep_freed_memory() -> None:
    """Has glibc keep the memory of a step for the next one: to get it from the system anew took a fifth of the time."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt:
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, 2**31 - 1)


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
