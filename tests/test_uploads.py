"""The quotas of uploaded files, and which files a request may name."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.formparsers import MultiPartException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from demo import uploads as uploads_module
from demo.uploads import Quota, UploadGate, Uploads, files_alone


def files_of(folder: Path, visitor: str, count: int, size: int = 10) -> list[str]:
    paths = []
    for number in range(count):
        path = folder / f"{visitor}-{number}-{time.monotonic_ns()}"
        path.write_bytes(bytes(size))
        paths.append(str(path))
    return paths


def test_a_visitors_oldest_uploads_go_first(tmp_path):
    uploads = Uploads(tmp_path, per_visitor=Quota(files=3, bytes=1000))
    first, second = files_of(tmp_path, "a", 2), files_of(tmp_path, "b", 2)
    uploads.add("a", first)
    uploads.add("b", second)
    uploads.add("a", third := files_of(tmp_path, "a", 2))
    assert [Path(path).exists() for path in (*first, *second, *third)] == [False, True, True, True, True, True]
    uploads.add("a", fourth := files_of(tmp_path, "a", 1, size=990))
    left = sum(path.stat().st_size for path in tmp_path.glob("a-*"))
    assert Path(fourth[0]).exists() and left <= 1000


def test_all_visitors_together_have_a_quota(tmp_path):
    uploads = Uploads(tmp_path, in_all=Quota(files=4, bytes=1000))
    for visitor in "abcdef":
        uploads.add(visitor, files_of(tmp_path, visitor, 1))
        time.sleep(0.02)  # further than the clock of the files ticks
    assert sorted(path.name[0] for path in tmp_path.iterdir()) == list("cdef")


def test_old_is_what_came_long_ago_not_what_was_made_long_ago(tmp_path, monkeypatch):
    """Gradio copies an example with the time at which its file was written."""
    uploads = Uploads(tmp_path)
    example = files_of(tmp_path, "example", 1)[0]
    os.utime(example, (0, 0))
    uploads.add("a", files_of(tmp_path, "a", 1))
    uploads.delete_old()
    assert len(list(tmp_path.iterdir())) == 2
    later = time.time() + uploads_module.DELETE_OLDER + 60
    monkeypatch.setattr(uploads_module.time, "time", lambda: later)
    (tmp_path / "tmpabc").mkdir()
    files_of(tmp_path / "tmpabc", "interrupted", 1)
    uploads.delete_old()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_file_that_is_uploaded_again_counts_once_and_stays(tmp_path):
    uploads = Uploads(tmp_path, per_visitor=Quota(files=3, bytes=25))
    same, other = files_of(tmp_path, "same", 1), files_of(tmp_path, "other", 1)
    for paths in (same, same, other, same, same):
        uploads.add("a", paths)
        assert Path(same[0]).exists()
    assert Path(other[0]).exists()
    uploads.add("a", files_of(tmp_path, "new", 1))
    assert Path(same[0]).exists() and not Path(other[0]).exists()  # the oldest, since the other came again


def test_a_visitors_quota_takes_no_file_that_another_has_uploaded_since(tmp_path):
    uploads = Uploads(tmp_path, per_visitor=Quota(files=1, bytes=1000))
    same = files_of(tmp_path, "same", 1)
    for visitor in "ab":
        uploads.add(visitor, same)
    uploads.add("a", files_of(tmp_path, "new", 1))
    assert Path(same[0]).exists()


def test_files_may_vanish_while_they_are_counted(tmp_path):
    """As gradio deletes what is old, in a thread of its own."""
    uploads = Uploads(tmp_path)
    for number in range(5):
        paths = files_of(tmp_path, "a", 400)
        uploads.add("a", paths)
        cleaner = threading.Thread(target=lambda paths=paths: [Path(path).unlink() for path in paths])
        cleaner.start()
        while cleaner.is_alive():
            uploads.add("a", paths[-1:])
        assert not any(tmp_path.iterdir()), number


def test_an_upload_is_counted_while_the_server_answers_others(tmp_path):
    answered, in_time = threading.Event(), []

    class Slow(Uploads):
        def add(self, visitor, paths):
            in_time.append(answered.wait(5))

    async def upload(request):
        return JSONResponse([])

    async def health(request):
        answered.set()
        return JSONResponse({})

    routes = [Route("/gradio_api/upload", upload, methods=["POST"]), Route("/health", health)]
    app = Starlette(routes=routes, middleware=[Middleware(UploadGate, Slow(tmp_path))])

    async def both():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://page") as client:
            await asyncio.gather(client.post("/gradio_api/upload"), client.get("/health"))

    asyncio.run(both())
    assert in_time == [True]


class Sender:
    """A visitor who uploads in parts, to gradio's own reader behind the gate; `answers` has what came back."""

    def __init__(self, folder: Path, bytes_allowed: int = 10**6):
        self.folder, self.answers = folder, []
        self.uploads = Uploads(folder, per_visitor=Quota(files=3, bytes=bytes_allowed))
        self.gate = UploadGate(self.read, self.uploads)

    async def read(self, scope, receive, send):
        request = Request(scope, receive)
        reader = files_alone(request.headers, request.stream(), upload_dir=self.folder, max_file_size=10**9)
        try:
            await reader.parse()
        except MultiPartException as error:
            await JSONResponse(str(error), 400)(scope, receive, send)

    def send(self, *parts: bytes, whole: bool = True) -> list[Path]:
        """Sends the parts of a body, then its end or that the visitor has gone; returns the files that are left."""
        messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
        messages.append({"type": "http.request", "body": b""} if whole else {"type": "http.disconnect"})
        scope = {"type": "http", "method": "POST", "path": "/gradio_api/upload", "client": ("visitor", 1),
                 "headers": [(b"content-type", b"multipart/form-data; boundary=x")]}  # fmt: skip

        async def receive():
            return messages.pop(0)

        async def send(message):
            self.answers.append(message.get("body", b"").decode())

        asyncio.run(self.gate(scope, receive, send))
        return [path for path in self.folder.iterdir() if path.is_file()]


def part(name: str, content: bytes = b"") -> bytes:
    named = f'name="files"; filename="{name}"' if name else 'name="field"'
    return b"--x\r\nContent-Disposition: form-data; %s\r\n\r\n%s" % (named.encode(), content)


END = b"\r\n--x--\r\n"


def test_an_interrupted_upload_leaves_no_file(tmp_path):
    assert Sender(tmp_path).send(part("a.wav", bytes(1000)), bytes(1000), whole=False) == []


@pytest.mark.parametrize("path", ["/gradio_api/queue/join", "/login", "/act"])
def test_a_visitor_who_leaves_while_a_request_comes_is_no_error(tmp_path, path):
    async def act(request):
        return JSONResponse(len(await request.body()))

    own = Route("/act", act, methods=["POST"])
    gate = UploadGate(own, Uploads(tmp_path), [own])
    messages = [{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}]
    answers = []

    async def receive():
        return messages.pop(0)

    async def send(message):
        answers.append(message)

    asyncio.run(gate({"type": "http", "method": "POST", "path": path, "headers": []}, receive, send))
    assert messages == answers == []


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ([part("a.wav", bytes(600)), bytes(600), END], "maximum allowed size"),
        ([part("", bytes(10)), END], "Too many fields"),
        ([part(f"{number}.wav") + b"\r\n" for number in range(601)], "Too many files"),
    ],
)
def test_an_upload_is_bounded_while_it_comes_and_then_leaves_nothing(tmp_path, parts, said):
    sender = Sender(tmp_path, bytes_allowed=1000 if "size" in said else 10**6)
    assert sender.send(*parts) == [] and any(said in answer for answer in sender.answers)
    assert len(sender.send(part("b.wav", bytes(500)), END)) == 1  # nothing of it counts any more


def test_uploads_of_a_visitor_that_come_at_once_share_the_quota(tmp_path):
    uploads = Uploads(tmp_path, Quota(10, bytes=1000), Quota(10, bytes=2000))
    assert uploads.arrives("a", 900) and not uploads.arrives("a", 200) and uploads.arrives("b", 900)
    assert not uploads.arrives("c", 900)
    for visitor, size in (("a", 1100), ("b", 900), ("c", 900)):
        uploads.arrived(visitor, size)
    assert uploads.arrives("c", 1000)


def test_only_regular_files_of_the_folder_may_be_named(tmp_path):
    inside, outside = tmp_path / "in", tmp_path / "out"
    for each in (inside, outside):
        each.mkdir()
        (each / "clip.wav").write_bytes(b"x")
    (inside / "link.wav").symlink_to(outside / "clip.wav")
    uploads = Uploads(inside)
    assert uploads.may_be_named(str(inside / "clip.wav"))
    for path in (
        inside / "link.wav",
        outside / "clip.wav",
        inside,
        inside / "nowhere.wav",
        "clip.wav",
        "\0",
        "x" * 5000,
    ):
        assert not uploads.may_be_named(str(path)), path
