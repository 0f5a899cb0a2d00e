"""Which jobs of visitors are over because something was asked for since, whether they run or wait in gradio's queue."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import Any

import gradio as gr
from starlette.types import ASGIApp, Receive, Scope, Send

MOST_SESSIONS = 1000  # whose last word is remembered


class ArrivalTime:
    """Middleware: notes when a request came, since the job that it asks for may start much later.

    Args:
        app: What it stands before.
    """

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope.setdefault("state", {})["arrived"] = time.monotonic()
        await self.app(scope, receive, send)


class LastWords:
    """What each session was last shown when it started, cancelled or cleared a job of one kind.

    A job that was asked for before is over, and what it shows last is that word, since something of its own may have
    reached the page after it.
    """

    def __init__(self) -> None:
        self._said: OrderedDict[str | None, tuple[float, tuple[Any, ...]]] = OrderedDict()

    def say(self, request: gr.Request, *shown: Any) -> tuple[Any, ...]:
        """Remembers what a session is shown from now on, and returns it."""
        self._said[request.session_hash] = request.state.arrived, shown
        self._said.move_to_end(request.session_hash)
        while len(self._said) > MOST_SESSIONS:
            self._said.popitem(last=False)
        return shown

    def since(self, request: gr.Request) -> tuple[Any, ...] | None:
        """What the session was shown since it asked for this job; None where the job is to go on."""
        at, shown = self._said.get(request.session_hash, (0.0, ()))
        return shown if request.state.arrived < at else None
