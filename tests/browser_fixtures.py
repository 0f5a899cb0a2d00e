"""A running app, and a Chromium that visits it with a microphone that speaks and pauses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlparse

import numpy as np
import pytest
import soundfile
from conftest import need_program, spoken
from demo_helpers import SPOKEN_PEAK
from test_app import PATIENCE, running_app, second_checkpoint

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright for Python is not installed")

OpenPage = Callable[..., "playwright.Page"]


@pytest.fixture(scope="session")
def app_folder(tmp_path_factory) -> Path:
    """Where the app has its log, its process id and its temporary files."""
    return tmp_path_factory.mktemp("app")


@pytest.fixture(scope="session")
def app_url(app_folder, tmp_path_factory) -> Iterator[str]:
    need_program("chromium")
    second = second_checkpoint(tmp_path_factory.mktemp("checkpoints"))
    with running_app(app_folder, COMPARE_IDS=str(second)) as url:
        yield url


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Iterator[playwright.Browser]:
    """Chromium whose microphone plays three seconds of a voice and two of silence, over and over."""
    path = tmp_path_factory.mktemp("microphone") / "spoken.wav"
    wave = spoken(3.0, rate=48_000)
    wave = np.pad(SPOKEN_PEAK * wave / np.abs(wave).max(), (0, 2 * 48_000))
    soundfile.write(path, wave, 48_000, subtype="PCM_16")
    flags = [
        "--no-sandbox",
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={path}",
    ]
    with playwright.sync_playwright() as player:
        chromium = player.chromium.launch(executable_path=need_program("chromium"), args=flags,
                                           ignore_default_args=["--hide-scrollbars"])  # fmt: skip
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser, app_url) -> Iterator[OpenPage]:
    """Opens a tab for a new visitor; afterwards no request may have left the machine, nor anything failed."""
    visits, hosts, errors = [], set(), []

    def open_it(tab: str = "Clip", **options) -> playwright.Page:
        visit = browser.new_context(**options)
        visits.append(visit)
        visit.set_default_timeout(1000 * PATIENCE)
        page = visit.new_page()
        page.on("request", lambda request: hosts.add(urlparse(request.url).hostname))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(app_url)
        page.get_by_role("tab", name=tab, exact=True).click()
        page.locator("#ser-act-target:not(:empty)").wait_for(state="attached")  # the model is loaded
        return page

    yield open_it
    for visit in visits:
        visit.close()
    assert hosts <= {"127.0.0.1", None}, "the page asked another host"
    # The player says so itself when it is given what is not audio.
    assert [error for error in errors if "Waveform load error" not in error] == []
