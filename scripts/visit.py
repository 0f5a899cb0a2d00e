"""A running app and a Chromium that visits it, for pictures and timings of the page.

Clips are those of test actors where `SER_DATA_DIR` is set, else the examples that ship.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile
from playwright.sync_api import Browser

from demo.examples import real, shipped
from ser_model.audio import load_audio

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 120  # seconds


def clips() -> dict[str, Path]:
    """Clips of the examples by the emotion that is acted."""
    found = real(os.environ.get("SER_DATA_DIR")) or shipped()
    return {example.acted: example.path for example in found}


def talk(path: Path, rate: int, pause: float) -> Path:
    """One recording of all clips with pauses between."""
    waves = [np.pad(load_audio(clip, rate), (0, int(pause * rate))) for clip in clips().values()]
    soundfile.write(path, np.concatenate(waves), rate, subtype="PCM_16")
    return path


@contextmanager
def running_app(folder: Path) -> Iterator[tuple[str, int]]:
    """The app on a free port: its address once it answers, and its process id."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    settings = {"GRADIO_SERVER_PORT": port, "GRADIO_TEMP_DIR": str(folder / "temporary"), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([sys.executable, ROOT / "app.py"], env=os.environ | settings)
    try:
        while process.poll() is None:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=PATIENCE)
                break
            except urllib.error.URLError:
                time.sleep(0.05)
        else:
            sys.exit("The app did not start; it says above why.")
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        process.wait(PATIENCE)


def browser_with_microphone(player, spoken: Path) -> Browser:
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("chromium is not installed: apt-get install chromium")
    flags = ["--no-sandbox", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    return player.chromium.launch(
        executable_path=chromium, args=[*flags, f"--use-file-for-fake-audio-capture={spoken}"]
    )
