"""The server: the page, its live audio, and `/health`."""

from __future__ import annotations

import threading
from pathlib import Path

import gradio as gr
from fastapi import APIRouter
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
from .uploads import UploadGate, Uploads


def launch(models: Models, host: str, port: int) -> gr.Blocks:
    """Starts the server in threads of its own; `close()` of what is returned ends it.

    Args:
        models: The page's own model, and those to compare it with.
        host, port: Where it answers.
    """
    page = build_page(models)
    folder = Path(get_upload_folder())
    folder.mkdir(parents=True, exist_ok=True)
    vendor = Mount("/vendor", StaticFiles(directory=STATIC / "vendor"))
    routes = [*act.routes(models.main).routes, *live.routes(models.main).routes, *health(models).routes, vendor]
    preview = Middleware(SharePreview, TITLE, INTRODUCTION)
    page.launch(
        server_name=host,
        server_port=port,
        prevent_thread_lock=True,
        quiet=True,
        share=False,
        state_session_capacity=40,  # pages whose last decoded clip is kept, 38 MB at most each
        footer_links=["api", "settings"],
        run_history=False,
        max_file_size=MAX_FILE_SIZE,
        favicon_path=STATIC / "favicon.svg",
        show_error=False,  # sentences meant for people come through all the same; other errors stay in the log
        ssr_mode=False,
        mcp_server=False,
        app_kwargs={
            "routes": routes,  # before gradio's own
            "middleware": [Middleware(ArrivalTime), Middleware(UploadGate, Uploads(folder)), preview],
            "docs_url": None,
            "redoc_url": None,
            "openapi_url": None,
        },
        **appearance(),
    )
    threading.Thread(target=clip.warm_up, daemon=True).start()  # the first picture imports much
    return page


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
