"""What other sites show of a link to the page: title, sentence and picture."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PICTURE = "preview.png"
_TAGS = re.compile(rb"\s*<meta (?:property=\"og:|name=\"twitter:)[^>]*>")


class SharePreview:
    """Middleware: replaces gradio's own tags in the head of the page, the first of which name Gradio.

    Args:
        app: What it stands before.
        title, description: Of the page.
    """

    def __init__(self, app: ASGIApp, title: str, description: str):
        self.app, self.title, self.description = app, title, description

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] != "/":
            await self.app(scope, receive, send)
            return
        start: list[Message] = []
        body = bytearray()

        async def rewritten(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.append(message)
                return
            body.extend(message.get("body", b""))
            if message.get("more_body"):
                return
            whole = self.with_tags(bytes(body), address_of(scope))
            MutableHeaders(scope=start[0])["content-length"] = str(len(whole))
            await send(start[0])
            await send({"type": "http.response.body", "body": whole})

        await self.app(scope, receive, rewritten)

    def with_tags(self, page: bytes, address: str) -> bytes:
        """The page's HTML with the tags of this page alone."""
        tags = "".join(
            f'<meta {kind}="{name}" content="{escape(content)}">'
            for kind, name, content in self._tags(address)
        ).encode()  # fmt: skip
        return _TAGS.sub(b"", page).replace(b"</head>", tags + b"</head>", 1)

    def _tags(self, address: str) -> Sequence[tuple[str, str, str]]:
        return (
            ("property", "og:type", "website"),
            ("property", "og:title", self.title),
            ("property", "og:description", self.description),
            ("property", "og:url", address),
            ("property", "og:image", address + PICTURE),
            ("name", "twitter:card", "summary_large_image"),
            ("name", "description", self.description),
        )


def address_of(scope: Scope) -> str:
    """The page's address as its visitors see it, behind a proxy too."""
    request = Request(scope)
    scheme = request.headers.get("x-forwarded-proto", request.url.scheme)
    host = request.headers.get("x-forwarded-host") or request.headers.get("host", "")
    return f"{'https' if scheme == 'https' else 'http'}://{host}/"
