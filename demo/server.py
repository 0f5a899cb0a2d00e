"""The server: the page, its live audio, `/health`, and what it has to forget."""

from __future__ import annotations

import logging
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import gradio as gr
from fastapi import APIRouter
from gradio import route_utils
from gradio.utils import get_upload_folder
from starlette.middleware import Middleware
from starlette.responses import FileResponse
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from .cancelling import ArrivalTime
from .models import Models
from .page import INTRODUCTION, MAX_FILE_SIZE, STATIC, TITLE, appearance, build_page
from .share_preview import PICTURE, SharePreview
from .tabs import act, clip, live
from .uploads import UploadGate, Uploads, files_alone

logger = logging.getLogger(__name__)

FORGET_EVERY, DELETE_EVERY = 10.0, 60.0  # seconds; together with the ages, within what the page promises
MOST_WAITING = 64  # requests in gradio's queue, of 10 MB at most each
MOST_THREADS = 32  # of gradio's functions: not those in which files, /health and live audio are answered


@contextmanager
def serving(models: Models, host: str, port: int) -> Iterator[None]:
    """Serves in threads of its own until the context ends, upon which every upload is deleted.

    Args:
        models: The page's own model, and those to compare it with.
        host, port: Where it answers.
    """
    folder = Path(get_upload_folder())
    folder.mkdir(parents=True, exist_ok=True)
    # Below it one of this server's own, which is deleted whole; other servers have theirs beside it.
    uploads, sessions = Uploads(folder), live.LiveSessions(models.main)
    with (
        tempfile.TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as own,
        repeated(FORGET_EVERY, sessions.forget_idle),
        repeated(DELETE_EVERY, uploads.delete_old),
    ):
        os.environ["GRADIO_TEMP_DIR"] = own
        page = launch(models, host, port, uploads, sessions)
        try:
            yield
        finally:
            page.close(verbose=False)
            sessions.forget_all()


def launch(models: Models, host: str, port: int, uploads: Uploads, sessions: live.LiveSessions) -> gr.Blocks:
    """Starts the server; `close()` of what is returned ends it."""
    page = build_page(models)
    # No request can pass by the queue and its limits, and few wait in it, since each is kept in memory until its turn.
    page.queue(api_open=False, max_size=MOST_WAITING)
    route_utils.GradioMultiPartParser = files_alone  # type: ignore
    vendor = Mount("/vendor", StaticFiles(directory=STATIC / "vendor"))
    samples = [*act.routes(models.main).routes, *live.routes(sessions).routes]
    routes = [*samples, *health(models).routes, vendor]
    gate = Middleware(UploadGate, uploads, samples)
    preview = Middleware(SharePreview, TITLE, INTRODUCTION)
    page.launch(
        server_name=f"[{host}]" if ":" in host else host,
        server_port=port,
        prevent_thread_lock=True,
        quiet=True,
        share=False,
        state_session_capacity=40,  # pages whose last decoded clip is kept, 38 MB at most each
        footer_links=["api", "settings"],
        run_history=False,
        max_file_size=MAX_FILE_SIZE,
        max_threads=MOST_THREADS,
        favicon_path=STATIC / "favicon.svg",
        show_error=False,  # sentences meant for people come through all the same; other errors stay in the log
        ssr_mode=False,
        mcp_server=False,
        app_kwargs={
            "routes": routes,  # before gradio's own
            "middleware": [Middleware(ArrivalTime), gate, preview],
            "docs_url": None,
            "redoc_url": None,
            "openapi_url": None,
        },
        **appearance(),
    )
    threading.Thread(target=clip.warm_up, daemon=True).start()  # the first picture imports much
    return page


@contextmanager
def repeated(seconds: float, task: Callable[[], None]) -> Iterator[None]:
    """Runs a task now and every so many seconds, whether or not it succeeds, until the context ends."""
    ended = threading.Event()

    def work() -> None:
        while True:
            try:
                task()
            except Exception:  # what is wrong now may be right the next time
                logger.exception("The server could not tidy up.")
            if ended.wait(seconds):
                return

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def health(models: Models) -> APIRouter:
    """`GET /health`, which answers without running the model, and the picture that goes with a link to the page."""
    router = APIRouter()

    @router.get(f"/{PICTURE}")
    def picture() -> FileResponse:
        return FileResponse(STATIC / PICTURE)

    @router.get("/health")
    def answer() -> dict[str, str | bool]:
        return {"status": "ok", "model": models.main.title, "loaded": models.main.is_loaded}

    return router
