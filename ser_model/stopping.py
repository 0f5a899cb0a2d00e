"""How a program ends that is asked to."""

from __future__ import annotations

import os
import signal
from typing import Any


def end_when_asked() -> None:
    """SIGTERM, by which services and job schedulers stop a program, ends it as Ctrl-C does, with what it started.

    Processes that it forks end at once. So do those that a launcher such as torchrun starts: one of them that waits
    for another, which has failed, cannot be interrupted.
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
        os.register_at_fork(after_in_child=lambda: signal.signal(signal.SIGTERM, signal.SIG_DFL))
