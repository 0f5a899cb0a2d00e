"""Samples that a page's script posts as they are: checks of such requests, and errors as their answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from fastapi import HTTPException, Request
from fastapi.concurrency import run_in_threadpool

from ser_model.audio import MAX_RATE

from .loading import NoModel

LEAST_RATE = 8_000
BAD_SAMPLES = f"Samples are 16-bit, {LEAST_RATE} to {MAX_RATE} a second."


class Refused(Exception):
    """A request that cannot be served; the text is one sentence."""

    def __init__(self, status: int, reason: str):
        super().__init__(reason)
        self.status = status


async def body_of(request: Request, rate: int, most: int, too_much: str) -> bytes:
    """The body of a request of this page, at most `most` bytes; `rate` is that of its samples, in Hz."""
    if is_cross_origin(request):
        raise HTTPException(403, "Only this page may send live audio.")
    if not LEAST_RATE <= rate <= MAX_RATE:
        raise HTTPException(400, BAD_SAMPLES)
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most:
            raise HTTPException(413, too_much)
    return bytes(body)


async def samples_of(request: Request, rate: int, most_seconds: int) -> bytes:
    """16-bit samples of one channel, at most `most_seconds` of them."""
    pcm = await body_of(request, rate, most_seconds * 2 * rate, f"At most {most_seconds} seconds at a time.")
    if len(pcm) % 2:
        raise HTTPException(400, BAD_SAMPLES)
    return pcm


async def served(work: Callable[..., Any], *args: Any) -> Any:
    """Runs what answers a request, in a thread; errors for people become its status and text."""
    try:
        return await run_in_threadpool(work, *args)
    except NoModel as error:
        raise HTTPException(503, str(error)) from error
    except Refused as error:
        raise HTTPException(error.status, str(error)) from error


def is_cross_origin(request: Request) -> bool:
    """Whether another site's page sends the request; programs name no origin."""
    origin = request.headers.get("origin")
    hosts = {request.headers.get("host"), request.headers.get("x-forwarded-host")}
    return origin is not None and urlsplit(origin).netloc not in hosts
