"""The quotas of uploaded files, and which files a request may name."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from pathlib import Path

import httpx
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.routing import Route

from demo.uploads import Quota, UploadGate, Uploads


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


def test_all_visitors_together_have_a_quota_and_old_files_go(tmp_path):
    uploads = Uploads(tmp_path, in_all=Quota(files=4, bytes=1000))
    left_behind = files_of(tmp_path, "earlier", 1)[0]
    os.utime(left_behind, (time.time() - 7200,) * 2)
    for visitor in "abcdef":
        paths = files_of(tmp_path, visitor, 1)
        os.utime(paths[0], (time.time() - 100 + ord(visitor) - ord("a"),) * 2)
        uploads.add(visitor, paths)
    assert not Path(left_behind).exists()
    assert sorted(path.name[0] for path in tmp_path.iterdir()) == list("cdef")


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
