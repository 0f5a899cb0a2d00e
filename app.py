"""The page: `python app.py`, then a browser. Hears the shipped checkpoint, or the one that MODEL_ID names."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from pathlib import Path

# Before the imports that read them: one thread for the network, and no request that leaves the machine.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

import gradio as gr
import uvicorn
from fastapi import FastAPI

from ser_model.demo import clip, live
from ser_model.demo.loading import RecognizerLoader, missing_model
from ser_model.demo.models import Models, others_beside
from ser_model.demo.page import MAX_FILE_SIZE, appearance, build_page

PAGE_FIRST = 3.0  # seconds in which a browser that waits gets the page, before the model is loaded
CHECKPOINTS = Path(__file__).resolve().parent / "checkpoints"


def build_app(models: Models) -> FastAPI:
    """The server: the page at `/`, its live sound, and `/health`, which answers without running the model."""
    load = models.main

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI):
        load.start(PAGE_FIRST, clip.warm_up)
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


class PageServer(uvicorn.Server):
    """Ends the streams of open pages before it waits for connections to close: by themselves they never would."""

    def __init__(self, app: FastAPI):
        super().__init__(uvicorn.Config(app, log_level="warning"))
        self._end_of_pages = app.state.end_of_pages

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._end_of_pages.set()
        await super().shutdown(sockets)


def address() -> tuple[str, int]:
    """Host and port: this machine only, unless the environment says otherwise or this is a Space."""
    host = os.environ.get("GRADIO_SERVER_NAME") or ("0.0.0.0" if os.environ.get("SPACE_ID") else "127.0.0.1")
    return host, int(os.environ.get("GRADIO_SERVER_PORT") or 7860)


def main() -> None:
    name = os.environ.get("MODEL_ID") or str(CHECKPOINTS / "default")
    others = others_beside(name, CHECKPOINTS, os.environ.get("COMPARE_IDS", ""))
    for each in (name, *others):
        if problem := missing_model(each):
            sys.exit(problem)
    host, port = address()
    try:
        listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        reason = str(error.strerror).split(" (")[0]
        sys.exit(f"Port {port} of {host} cannot be used ({reason}): set GRADIO_SERVER_PORT to another one.")
    # Whoever runs the server may trust the code of the model named here; ids that visitors type never run theirs.
    trusted = os.environ.get("TRUST_REMOTE_CODE") == "1"
    models = Models(RecognizerLoader(name, trusted), others)
    server = PageServer(build_app(models))
    print(f"Open http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port} in a browser; Ctrl-C stops.", flush=True)
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn hands Ctrl-C on once it is through
        server.run(sockets=[listening])


if __name__ == "__main__":
    main()
