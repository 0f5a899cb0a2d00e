"""How a program ends that is asked to."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any


def end_when_asked() -> None:
    """SIGTERM, by which services and job schedulers stop a program, ends it as Ctrl-C does, with what it started.

    Processes that it forks end at once, and where it is killed, too. Those that a launcher such as torchrun starts end
    at once as well: one of them that waits for another, which has failed, cannot be interrupted.
    """
    if "LOCAL_RANK" in os.environ:
        return

    def end(*_: Any) -> None:
        interrupt = signal.getsignal(signal.SIGINT)
        if callable(interrupt):
            interrupt(signal.SIGINT, None)
        raise KeyboardInterrupt  # where Ctrl-C is ignored, as in a background process of a shell

    signal.signal(signal.SIGTERM, end)
    if hasattr(os, "register_at_fork"):  # not on Windows
        os.register_at_fork(after_in_child=_is_forked)


def _is_forked() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    end_with_parent()


def end_with_parent() -> None:
    """Ends this process within a second of the one that started it, which can end no other when it is killed."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
