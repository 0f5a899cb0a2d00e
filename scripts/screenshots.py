"""Pictures of every tab for the documentation: `docs/clip.png`, `docs/live.png` and so on.

`python -m scripts.screenshots` starts the app, visits it with Debian's chromium, and plays it real clips where
`SER_DATA_DIR` is set, else the synthetic examples. Compare has two columns where more than one checkpoint ships or
`COMPARE_IDS` names others.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile
from playwright.sync_api import Browser, Page, sync_playwright

from ser_model.audio import load_audio
from ser_model.demo.examples import real, synthetic

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
WIDTH, HEIGHT = 1100, 900
LIVE_SECONDS = 28
PATIENCE = 120  # seconds


def clips() -> dict[str, Path]:
    """Clips by the name they have among the examples."""
    found = real(os.environ.get("SER_DATA_DIR")) or synthetic()
    return {label.split(": ")[1]: path for label, path in found}


def talk(path: Path, rate: int, pause: float) -> Path:
    """One recording of all clips with pauses between."""
    waves = [np.pad(load_audio(clip, rate), (0, int(pause * rate))) for clip in clips().values()]
    soundfile.write(path, np.concatenate(waves), rate, subtype="PCM_16")
    return path


@contextmanager
def running_app(folder: Path) -> Iterator[str]:
    """The app on a free port; its address once it answers."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    settings = {"GRADIO_SERVER_PORT": port, "GRADIO_TEMP_DIR": str(folder / "temporary"), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([sys.executable, ROOT / "app.py"], env=os.environ | settings)
    try:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=PATIENCE)
                break
            except urllib.error.URLError:
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(PATIENCE)


def picture(page: Page, name: str) -> None:
    page.mouse.move(0, 0)
    page.wait_for_timeout(700)  # what fades in has come
    path = DOCS / f"{name}.png"
    page.screenshot(path=path, full_page=True)
    print(f"wrote {path} ({path.stat().st_size / 1000:.0f} kB)")


def tour(page: Page, folder: Path) -> None:
    """Visits every tab in turn."""
    chosen = clips()
    one = chosen.get("fear") or next(iter(chosen.values()))

    page.set_input_files("#ser-audio input[type=file]", one)
    page.locator(".ser-measure").first.wait_for()
    picture(page, "clip")

    page.get_by_role("tab", name="Live").click()
    page.get_by_role("button", name="Start listening").click()
    page.wait_for_timeout(1000 * LIVE_SECONDS)
    page.locator(".ser-live-now:not(.ser-silent)").wait_for()  # not in a pause
    picture(page, "live")
    page.get_by_role("button", name="Stop listening").click()

    page.get_by_role("tab", name="Recording").click()
    page.set_input_files("#ser-recording-audio input[type=file]", talk(folder / "talk.wav", 16_000, 0.4))
    page.locator(".ser-play").nth(1).click()
    page.wait_for_function("document.querySelector('.ser-player').currentTime > 0")
    picture(page, "recording")

    page.get_by_role("tab", name="Batch").click()
    spoilt = folder / "spoilt.wav"
    spoilt.write_text("These are words, not sound.")
    page.set_input_files("#ser-files input[type=file]", [*chosen.values(), spoilt])
    page.get_by_role("button", name="Hear them all").click()
    page.locator("#ser-batch-table table").wait_for()
    picture(page, "batch")

    page.get_by_role("tab", name="Compare").click()
    page.set_input_files("#ser-compare-audio input[type=file]", one)
    page.locator(".ser-side").wait_for()
    picture(page, "compare")

    page.get_by_role("tab", name="About").click()
    page.locator("#ser-about-labels table").wait_for()
    picture(page, "about")


def browser_with_microphone(player, spoken: Path) -> Browser:
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("chromium is not installed: apt-get install chromium")
    flags = ["--no-sandbox", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    return player.chromium.launch(
        executable_path=chromium, args=[*flags, f"--use-file-for-fake-audio-capture={spoken}"]
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as name, sync_playwright() as player:
        folder = Path(name)
        browser = browser_with_microphone(player, talk(folder / "spoken.wav", 48_000, 0.8))
        with running_app(folder) as url:
            page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
            page.set_default_timeout(1000 * PATIENCE)
            page.goto(url)
            tour(page, folder)
            browser.close()


if __name__ == "__main__":
    main()
