"""The server: the page, its live sound, and what answers without them."""

from __future__ import annotations

import contextlib
import socket
import threading

import gradio as gr
import uvicorn
from fastapi import FastAPI

from demo.tabs import clip, live

from .models import Models
from .page import MAX_FILE_SIZE, appearance, build_page

PAGE_FIRST = 3.0  # seconds in which a browser that waits gets the page, before anything else is made ready here


def build_app(models: Models) -> FastAPI:
    """The server: the page at `/`, its live sound, and `/health`, which answers without running the model."""
    load = models.main

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI):
        later = threading.Timer(PAGE_FIRST, _warm_up)
        later.daemon = True
        later.start()
        yield

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/health")
    def health() -> dict[str, str | bool]:
        return {"status": "ok", "model": load.title, "loaded": load.is_loaded}

    app.include_router(live.routes(load))
    app = gr.mount_gradio_app(
        app,
        build_page(models),
        path="/",
        footer_links=["api", "settings"],
        run_history=False,
        max_file_size=MAX_FILE_SIZE,
        show_error=False,  # sentences meant for people come through all the same; other errors stay in the log
        ssr_mode=False,
        **appearance(),
    )
    app.state.end_of_pages = app.routes[-1].app.stop_event  # gradio's part was mounted last
    return app


def _warm_up() -> None:
    with contextlib.suppress(RuntimeError):  # of imports, where the server has been stopped meanwhile
        clip.warm_up()


class PageServer(uvicorn.Server):
    """Ends the streams of open pages before it waits for connections to close: by themselves they never would."""

    def __init__(self, app: FastAPI):
        super().__init__(uvicorn.Config(app, log_level="warning"))
        self._end_of_pages = app.state.end_of_pages

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._end_of_pages.set()
        await super().shutdown(sockets)
