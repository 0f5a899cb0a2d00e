"""Which jobs visitors have cancelled, whether these run or still wait in gradio's queue."""

from __future__ import annotations

import time
from collections import OrderedDict

import gradio as gr
from starlette.types import ASGIApp, Receive, Scope, Send

MOST_SESSIONS = 1000  # whose last cancellation is remembered


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


class Cancelled:
    """The jobs of one kind that are to end: all that their session asked for before it last cancelled."""

    def __init__(self) -> None:
        self._at: OrderedDict[str | None, float] = OrderedDict()

    def add(self, request: gr.Request) -> None:
        """Cancels what the session has asked for so far."""
        self._at[request.session_hash] = request.state.arrived
        self._at.move_to_end(request.session_hash)
        while len(self._at) > MOST_SESSIONS:
            self._at.popitem(last=False)

    def __contains__(self, request: gr.Request) -> bool:
        """Whether the job that a request asked for is to end."""
        return request.state.arrived < self._at.get(request.session_hash, 0.0)
