"""What visitors may name and leave on the server: their uploads, within quotas, and nothing else."""

from __future__ import annotations

import json
import os
import stat
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradio.route_utils import GradioMultiPartParser
from starlette.concurrency import run_in_threadpool
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_JSON = 10 * 2**20  # bytes of a request that is not an upload
WITHOUT_BODY = ("GET", "HEAD", "OPTIONS")  # none of whose routes reads one
DELETE_OLDER = 3300.0  # seconds since a file came: what gradio, which does so earlier, does not know to be there
NOT_UPLOADED = "This clip is not on the server: it was deleted after an hour, or never uploaded here. Upload it again."
INTERRUPTED = "The upload was interrupted."
TOO_MUCH = "Too much is uploaded at once: the maximum allowed size is 1.5 GB for all files of a visitor."


@dataclass(frozen=True)
class Quota:
    """How many files, and how many bytes in all."""

    files: int
    bytes: int

    def surplus(self, old: list[Path], sizes: dict[Path, int]) -> list[Path]:
        """The first of the `old` files, as few as must go for the rest of `sizes` to be within the quota."""
        count, size = len(sizes), sum(sizes.values())
        for index, path in enumerate(old):
            if count <= self.files and size <= self.bytes:
                return old[:index]
            count, size = count - 1, size - sizes[path]
        return old


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
        self._owners: dict[Path, str] = {}  # who uploaded a file last; oldest first
        self._arriving: Counter[str] = Counter()  # bytes of requests that are still under way
        self._lock = threading.Lock()

    def add(self, visitor: str, paths: list[str]) -> None:
        """Counts new files of a visitor and keeps the quotas.

        Gradio names a file by its content: one that is uploaded again, by whomever, is the same file, and new.
        """
        fresh = dict.fromkeys((Path(os.path.realpath(path)) for path in paths), visitor)
        with self._lock:
            there = self._there()
            owners = {path: owner for path, owner in self._owners.items() if path in there and path not in fresh}
            own = [path for path, owner in owners.items() if owner == visitor]
            self._owners = owners | fresh
            sizes = {path: there[path].st_size for path in (*own, *(fresh.keys() & there.keys()))}
            gone = set(self._per_visitor.surplus(own, sizes))
            old = [path for path in there if path not in fresh and path not in gone]  # oldest first
            sizes = {path: found.st_size for path, found in there.items() if path not in gone}
            gone |= set(self._in_all.surplus([path for path in old if path not in gone], sizes))
            for path in gone:
                path.unlink(missing_ok=True)

    def arrives(self, visitor: str, size: int) -> bool:
        """Counts bytes of an upload that is under way; whether its visitor, and all together, may send so many."""
        self._arriving[visitor] += size
        return self._arriving[visitor] <= self._per_visitor.bytes and self._arriving.total() <= self._in_all.bytes

    def arrived(self, visitor: str, size: int) -> None:
        """Ends what `arrives` began, however the upload ended."""
        self._arriving[visitor] -= size
        self._arriving += Counter()  # without those of whom nothing is under way

    def delete_old(self) -> None:
        """Deletes what came longer than `DELETE_OLDER` ago, whoever made it: an earlier server too."""
        with self._lock:
            for path, found in self._there().items():
                if time.time() - found.st_ctime >= DELETE_OLDER:
                    path.unlink(missing_ok=True)

    def may_be_named(self, path: str) -> bool:
        """Whether a request may name a file: it lies in the folder, and is a file, no link, pipe or device."""
        try:
            inside = self.folder in Path(os.path.realpath(path)).parents
            return inside and stat.S_ISREG(os.lstat(path).st_mode)
        except (OSError, ValueError):
            return False

    def _there(self) -> dict[Path, os.stat_result]:
        """The files of the folder, oldest first, whoever made them; gradio deletes some at any time."""
        found = {}
        for folder, _, names in os.walk(self.folder):
            for name in names:
                with suppress(FileNotFoundError):
                    found[Path(folder, name)] = os.lstat(Path(folder, name))
        return dict(sorted(found.items(), key=lambda each: each[1].st_ctime))


class UploadGate:
    """Middleware: refuses requests that are large or name other files than uploads, and counts uploads while they come.

    Args:
        app: What it stands before.
        uploads: The files that there are.
        bounded: Routes that read their requests themselves, no further than they take; all others are checked.
    """

    def __init__(self, app: ASGIApp, uploads: Uploads, bounded: Sequence[BaseRoute] = ()):
        self.app, self.uploads, self.bounded = app, uploads, bounded

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with suppress(ClientDisconnect):  # nobody is left to be answered
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].rstrip("/").endswith("/gradio_api/deep_link"):
            await _refuse(404, "There are no deep links.", scope, receive, send)  # which would be files without a quota
        elif scope["type"] != "http" or scope["method"] in WITHOUT_BODY or self._is_bounded(scope):
            await self.app(scope, receive, send)
        elif scope["path"].endswith("/gradio_api/upload"):
            await self._count(scope, receive, send)
        else:
            await self._check(scope, receive, send)

    def _is_bounded(self, scope: Scope) -> bool:
        return any(route.matches(scope)[0] is Match.FULL for route in self.bounded)

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
        body, status, size, whole, visitor = bytearray(), 0, 0, False, visitor_of(scope)

        async def counted() -> Message:
            nonlocal size, whole
            message = await receive()
            if message["type"] == "http.disconnect" and not whole:
                raise MultiPartException(INTERRUPTED)  # upon which gradio deletes what has come of the files
            size += (more := len(message.get("body", b"")))
            if not self.uploads.arrives(visitor, more):
                raise MultiPartException(TOO_MUCH)
            whole = not message.get("more_body")
            return message

        async def watched(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            body.extend(message.get("body", b""))
            if message["type"] == "http.response.body" and not message.get("more_body") and status == 200:
                await run_in_threadpool(self.uploads.add, visitor, json.loads(body))
            await send(message)

        try:
            await self.app(scope, counted, watched)
        finally:
            self.uploads.arrived(visitor, size)


def files_alone(*args: Any, **kwargs: Any) -> GradioMultiPartParser:
    """Gradio's reader of uploads for files alone, within a visitor's quota: it gathers other fields in memory."""
    return GradioMultiPartParser(*args, **kwargs | {"max_files": PER_VISITOR.files, "max_fields": 0})


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
