"""What browser tests do on the page, and the looks in which they look at it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright for Python is not installed")
expect = playwright.expect

HEIGHT = 844
# The first two have both widths and both colours.
LOOKS = [(1280, "light"), (390, "dark"), (1280, "dark"), (390, "light")]
# Nothing fades or slides; what turns for ever does not count.
STILL = """document.getAnimations().every((each) => each.playState !== "running"
    || each.effect.getTiming().iterations === Infinity)"""
Box = dict[str, float]


def in_every_look(page: playwright.Page) -> Iterator[int]:
    """Turns the open page to a desk and a phone, by day and by night; gives each width."""
    for width, scheme in LOOKS:
        turn(page, width, scheme)
        yield width


def turn(page: playwright.Page, width: int, scheme: str, height: int = HEIGHT) -> None:
    """Turns the open page to a width in pixels, and to "light" or "dark"."""
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=scheme)
    page.wait_for_function("dark => document.body.classList.contains('dark') === dark", arg=scheme == "dark")
    page.wait_for_function(STILL)


def empty(page: playwright.Page) -> None:
    """Takes the clip from the open tab Clip, and with it all that is told of it; files may be chosen."""
    place = page.locator("#ser-audio")
    if place.get_by_role("button", name="Clear").is_visible():
        place.get_by_role("button", name="Clear").click()
    expect(page.locator("#ser-emotion .ser-card:not(.ser-waiting)")).to_have_count(0)
    place.get_by_role("button", name="Upload file").click()


def go(page: playwright.Page, tab: str) -> playwright.Page:
    page.get_by_role("tab", name=tab, exact=True).click()
    is_open(page, tab)
    return page


def is_open(page: playwright.Page, tab: str) -> None:
    expect(page.get_by_role("tab", name=tab, exact=True)).to_have_attribute("aria-selected", "true")


def tabs(page: playwright.Page) -> list[str]:
    return [tab.inner_text() for tab in page.get_by_role("tab").all()]


def at_rest(page: playwright.Page, place: playwright.Locator) -> Box:
    """Where an element is once nothing moves any more: on a phone the page scrolls to a new answer."""
    box = None
    while box != (box := place.bounding_box()):
        page.wait_for_timeout(200)
    return box


def is_within(page: playwright.Page, place: playwright.Locator) -> None:
    """Asserts that something is shown and does not reach over the page's edges."""
    expect(place).to_be_visible()
    box = place.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= page.viewport_size["width"]


def fits(page: playwright.Page) -> bool:
    """Whether the page needs no sideways scrolling."""
    return page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


def record_take(page: playwright.Page) -> None:
    """Acts an emotion for two and a half seconds."""
    button = page.locator("#ser-act-record")
    button.click()
    expect(button).to_have_attribute("data-on", "true")
    expect(page.locator("#ser-act-seconds")).to_have_text(re.compile(r"^(2\.[5-9]|[3-9])"))
    button.click()


def drawn(page: playwright.Page, place: str) -> playwright.Locator:
    """The workbench in a place of the page, once it is drawn."""
    bench = page.locator(f"{place} .ser-workbench")
    bench.locator(".lane-canvas").wait_for()
    page.wait_for_function(
        f"document.querySelector('{place} .ser-wave > div').shadowRoot.querySelector('.lane-canvas').width > 300"
    )
    return bench


def fill(page: playwright.Page, clip: Path, talk: Path, bad: Path) -> None:
    """Puts a result on every tab that holds one, with the workbench open on Clip and on Recording."""
    go(page, "Act an emotion")
    record_take(page)
    expect(page.locator("#ser-act-answer .ser-card")).to_be_visible()
    for tab, place, file, shown in (
        ("Clip", "#ser-audio", clip, ".ser-measure"),
        ("Recording", "#ser-recording-audio", talk, "#ser-recording-bench .lane-canvas"),
        ("Compare", "#ser-compare-audio", clip, "#ser-compared .ser-side .ser-label"),
    ):
        go(page, tab)
        page.set_input_files(f"{place} input[type=file]", file)
        expect(page.locator(shown).first).to_be_visible()
    expect(page.locator(".ser-awaited")).to_have_count(0)
    go(page, "Clip").get_by_role("button", name="Open the clip in the workbench").click()
    drawn(page, "#ser-clip-bench")
    go(page, "Batch")
    page.set_input_files("#ser-files input[type=file]", [clip, bad])
    page.get_by_role("button", name="Predict all").click()
    expect(page.locator("#ser-batch-table table").first).to_be_visible()
