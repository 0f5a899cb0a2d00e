"""What visitors may name and leave on the server: their uploads, within quotas, and nothing else."""

from __future__ import annotations

import json
import os
import stat
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_JSON = 10 * 2**20  # bytes of a request that is not an upload
DELETE_OLDER = 3000.0  # seconds; files that an earlier server left behind are covered too
NOT_UPLOADED = "Only files that were uploaded through this page can be analysed."


@dataclass(frozen=True)
class Quota:
    """How many files, and how many bytes in all."""

    files: int
    bytes: int

    def is_exceeded(self, sizes: list[int]) -> bool:
        return len(sizes) > self.files or sum(sizes) > self.bytes


PER_VISITOR = Quota(files=600, bytes=1_500_000_000)
IN_ALL = Quota(files=20_000, bytes=8_000_000_000)


class Uploads:
    """The uploaded files of all visitors; where a quota is exceeded, the oldest are deleted.

    Args:
        folder: Where they lie, with the copies that gradio makes.
        per_visitor, in_all: The quotas.
    """

    def __init__(self, folder: Path, per_visitor: Quota = PER_VISITOR, in_all: Quota = IN_ALL):
        self.folder = Path(os.path.realpath(folder))
        self._per_visitor, self._in_all = per_visitor, in_all
        self._of: OrderedDict[str, list[Path]] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, visitor: str, paths: list[str]) -> None:
        """Counts new files of a visitor and keeps the quotas."""
        with self._lock:
            own = [path for path in [*self._of.pop(visitor, []), *map(Path, paths)] if path.is_file()]
            sizes = [path.stat().st_size for path in own]
            while len(own) > len(paths) and self._per_visitor.is_exceeded(sizes):
                own.pop(0).unlink(missing_ok=True)
                sizes.pop(0)
            self._of[visitor] = own
            self._sweep({Path(path) for path in paths})

    def may_be_named(self, path: str) -> bool:
        """Whether a request may name a file: it lies in the folder, and is a file, no link, pipe or device."""
        try:
            inside = self.folder in Path(os.path.realpath(path)).parents
            return inside and stat.S_ISREG(os.lstat(path).st_mode)
        except (OSError, ValueError):
            return False

    def _sweep(self, fresh: set[Path]) -> None:
        found = sorted((path.stat().st_mtime, path) for path in self.folder.rglob("*") if path.is_file())
        kept = [path for changed, path in found if path in fresh or time.time() - changed < DELETE_OLDER]
        sizes = [path.stat().st_size for path in kept]
        surplus = [path for _, path in found if path not in set(kept)]
        while kept and kept[0] not in fresh and self._in_all.is_exceeded(sizes):
            surplus.append(kept.pop(0))
            sizes.pop(0)
        for path in surplus:
            path.unlink(missing_ok=True)


class UploadGate:
    """Middleware: refuses requests that name other files than uploads, and counts uploads.

    Args:
        app: What it stands before.
        uploads: The files that there are.
    """

    def __init__(self, app: ASGIApp, uploads: Uploads):
        self.app, self.uploads = app, uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or "/gradio_api/" not in scope["path"]:
            await self.app(scope, receive, send)
        elif scope["path"].endswith("/gradio_api/upload"):
            await self._count(scope, receive, send)
        else:
            await self._check(scope, receive, send)

    async def _check(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = bytearray()
        async for part in Request(scope, receive).stream():
            body += part
            if len(body) > MAX_JSON:
                await _refuse(413, "The request is too large.", scope, receive, send)
                return
        try:
            named = list(paths_in(json.loads(body or b"null")))
        except (ValueError, RecursionError):
            await _refuse(400, "The request is not JSON.", scope, receive, send)
            return
        if not all(isinstance(path, str) and self.uploads.may_be_named(path) for path in named):
            await _refuse(403, NOT_UPLOADED, scope, receive, send)
            return
        whole: list[Message] = [{"type": "http.request", "body": bytes(body), "more_body": False}]

        async def again() -> Message:
            return whole.pop() if whole else await receive()

        await self.app(scope, again, send)

    async def _count(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, status = bytearray(), 0

        async def watched(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            body.extend(message.get("body", b""))
            if message["type"] == "http.response.body" and not message.get("more_body") and status == 200:
                self.uploads.add(visitor_of(scope), json.loads(body))
            await send(message)

        await self.app(scope, receive, watched)


def paths_in(data: Any) -> Iterator[Any]:
    """Every `path` that a request's data name, however deep."""
    if isinstance(data, dict):
        yield from (data["path"],) if data.get("path") is not None else ()
        for value in data.values():
            yield from paths_in(value)
    elif isinstance(data, list):
        for value in data:
            yield from paths_in(value)


def visitor_of(scope: Scope) -> str:
    """A visitor's address; on a Space, where all requests come through its proxy, the one that this names."""
    named = Request(scope).headers.get("x-forwarded-for", "") if os.environ.get("SPACE_ID") else ""
    return named.split(",")[0].strip() or (scope.get("client") or ("unknown",))[0]


async def _refuse(status: int, reason: str, scope: Scope, receive: Receive, send: Send) -> None:
    await JSONResponse({"detail": reason, "error": reason}, status)(scope, receive, send)
