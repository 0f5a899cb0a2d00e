"""A running app, and a Chromium that visits it with a microphone that speaks and pauses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlparse

import numpy as np
import pytest
import soundfile
from app_helpers import PATIENCE
from browser_helpers import empty, go, turn
from conftest import need_program, spoken
from demo_helpers import SPOKEN_PEAK

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright for Python is not installed")

pytest_plugins = ("app_fixtures",)
OpenPage = Callable[..., "playwright.Page"]


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


@dataclass
class Noted:
    """What the pages of a test did: hosts they asked, and what failed in them."""

    hosts: set[str | None] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)

    def of(self, page: playwright.Page) -> None:
        page.on("request", lambda request: self.hosts.add(urlparse(request.url).hostname))
        page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def check(self) -> None:
        """No request may have left the machine, nor anything failed; what comes later is noted anew."""
        hosts, errors = self.hosts.copy(), self.errors.copy()
        self.hosts.clear()
        self.errors.clear()
        assert hosts <= {"127.0.0.1", None}, "the page asked another host"
        # The player says so itself when it is given what is not audio.
        assert [error for error in errors if "Waveform load error" not in error] == []


def visited(browser: playwright.Browser, url: str, noted: Noted, tab: str = "Clip", **options) -> playwright.Page:
    """A tab as a new visitor sees it, once the model is loaded."""
    visit = browser.new_context(**options)
    visit.set_default_timeout(1000 * PATIENCE)
    page = visit.new_page()
    noted.of(page)
    page.goto(url)
    page.get_by_role("tab", name=tab, exact=True).click()
    page.locator("#ser-act-target:not(:empty)").wait_for(state="attached")  # the model is loaded
    return page


@pytest.fixture
def open_page(browser, app_url) -> Iterator[OpenPage]:
    """Opens a tab for a new visitor; afterwards no request may have left the machine, nor anything failed."""
    pages, noted = [], Noted()

    def open_it(tab: str = "Clip", **options) -> playwright.Page:
        pages.append(visited(browser, app_url, noted, tab, **options))
        return pages[-1]

    yield open_it
    for page in pages:
        page.context.close()
    noted.check()


@pytest.fixture(scope="module")
def one_visit(browser, app_url) -> Iterator[tuple[playwright.Page, Noted]]:
    """A page for all tests of a file that need no new visitor."""
    noted = Noted()
    page = visited(browser, app_url, noted)
    yield page, noted
    page.context.close()


@pytest.fixture
def page(one_visit) -> Iterator[playwright.Page]:
    """The page of the file's one visitor, with an empty tab Clip; checked afterwards as those of `open_page` are.

    What a test leaves on other tabs stays there, and so does what the browser keeps.
    """
    page, noted = one_visit
    turn(page, 1280, "light", height=720)
    empty(go(page, "Clip"))
    yield page
    noted.check()
