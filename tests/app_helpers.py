"""Starts `python app.py` as its users do, and makes what is given to it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import soundfile
from conftest import ROOT, spoken, take_ctrl_c

PATIENCE = 120  # seconds; the machine may be busy


def shipped_checkpoint() -> Path:
    """The checkpoint that ships, or the one of SER_TEST_CHECKPOINT; skips where there is neither."""
    folder = Path(os.environ.get("SER_TEST_CHECKPOINT") or ROOT / "checkpoints" / "default")
    if not (folder / "config.json").is_file():
        pytest.skip(f"there is no checkpoint at {folder}")
    return folder.resolve()


def app_process(folder: Path, **environment: str) -> subprocess.Popen:
    """Starts the app in a folder that holds its temporary files and its log, `app.log`."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("GRADIO_", "SPACE_"))}
    (folder / "temporary").mkdir(exist_ok=True)
    settings = {"GRADIO_TEMP_DIR": str(folder / "temporary"), "OMP_NUM_THREADS": "1", **environment}
    with open(folder / "app.log", "w") as log:
        process = subprocess.Popen(
            [sys.executable, ROOT / "app.py"], cwd=folder, env=inherited | settings, stdout=log, stderr=log,
            preexec_fn=take_ctrl_c,
        )  # fmt: skip
    (folder / "app.pid").write_text(str(process.pid))
    return process


@contextmanager
def running_app(folder: Path, stopped_by: int = signal.SIGINT, **environment: str) -> Iterator[str]:
    """Runs the app on a free port and gives its address once it answers; in the end stops it, by Ctrl-C as a rule."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = app_process(folder, MODEL_ID=str(shipped_checkpoint()), GRADIO_SERVER_PORT=str(port), **environment)
    try:
        wait_for(f"http://127.0.0.1:{port}/health", process, folder / "app.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(stopped_by)
        process.wait(PATIENCE)


def wait_for(url: str, process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(url, timeout=PATIENCE).raise_for_status()
            return
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail(f"app.py did not come up:\n{log.read_text()}")


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def answer_of(app: httpx.Client, name: str, data: list) -> Any:
    """What an endpoint answers to a program, which waits in the queue as the page does."""
    event = app.post(f"/gradio_api/call/{name}", json={"data": data}).raise_for_status().json()["event_id"]
    lines = app.get(f"/gradio_api/call/{name}/{event}").raise_for_status().text.splitlines()
    said = lines.index("event: complete")
    return json.loads(lines[said + 1].removeprefix("data: "))


def tone_file(path: Path, seconds: float = 3.0) -> Path:
    soundfile.write(path, spoken(seconds), 16_000)
    return path


def second_checkpoint(folder: Path) -> Path:
    """A copy of the checkpoint under another name, to compare it with."""
    files = (path for path in shipped_checkpoint().iterdir() if path.is_file())
    (folder / "second").mkdir(parents=True)
    for path in files:
        shutil.copyfile(path, folder / "second" / path.name)
    return folder / "second"
