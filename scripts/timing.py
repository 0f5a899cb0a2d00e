"""How quickly the page answers: `python -m scripts.timing [--minutes 3]`, on a machine that does nothing else.

Starts the app, visits it with Debian's chromium, and prints seconds from the start to a page that can be used, from a
click on an example to the answer and to its picture, and how steadily Live goes on.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from statistics import median

import psutil
from playwright.sync_api import Page, sync_playwright

from .visit import PATIENCE, browser_with_microphone, running_app, talk

CLICKS = 20
ANSWER, PICTURE = "#ser-bars .ser-bar", "#ser-picture svg"
DRAWN = "document.querySelector(selector)?.parentElement.innerHTML ?? ''"


def click_an_example(page: Page, number: int) -> tuple[float, float]:
    """Seconds from the click to the answer and to the picture; the example must be another than the one before."""
    before = {selector: page.evaluate(f"selector => {DRAWN}", selector) for selector in (ANSWER, PICTURE)}
    examples = page.locator("#ser-examples label")
    examples.first.wait_for()
    since = time.monotonic()
    examples.nth(number % examples.count()).click()
    seconds = []
    for selector, old in before.items():
        page.wait_for_function(f"([selector, old]) => ![old, ''].includes({DRAWN})", arg=[selector, old])
        seconds.append(time.monotonic() - since)
    return seconds[0], seconds[1]


def clicks(page: Page) -> None:
    print("first clip, at once: answer {:.2f} s after the click, picture {:.2f} s".format(*click_an_example(page, 0)))
    page.wait_for_timeout(5000)  # what is loaded behind the page is there
    answers, pictures = zip(*(click_an_example(page, 1 + number) for number in range(CLICKS)), strict=True)
    print(
        f"{CLICKS} further clips: answer {median(answers):.2f} s after the click (longest {max(answers):.2f} s), "
        f"picture {median(pictures):.2f} s (longest {max(pictures):.2f} s)"
    )


def live(page: Page, minutes: int, process: int) -> None:
    """Prints updates a second, the longest wait between two, and the server's memory, minute by minute."""
    moments: list[float] = []
    page.on("response", lambda response: moments.append(time.monotonic()) if "/live/" in response.url else None)
    page.get_by_role("tab", name="Live").click()
    page.get_by_role("button", name="Start the microphone").click()
    page.wait_for_timeout(5000)
    for minute in range(1, minutes + 1):
        moments.clear()
        page.wait_for_timeout(60_000)
        waits = [later - earlier for earlier, later in pairwise(moments)]
        print(
            f"Live, minute {minute}: {len(waits) / sum(waits):.2f} updates a second, longest wait {max(waits):.2f} s, "
            f"server {resident_megabytes(process):.0f} MB",
            flush=True,
        )
    page.get_by_role("button", name="Stop the microphone").click()


def resident_megabytes(process: int) -> float:
    """Of the app's process and its children."""
    page = psutil.Process(process)
    return sum(each.memory_info().rss for each in (page, *page.children())) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, default=3, help="how long Live runs (default: 3)")
    minutes = parser.parse_args().minutes
    with tempfile.TemporaryDirectory() as name, sync_playwright() as player:
        folder = Path(name)
        browser = browser_with_microphone(player, talk(folder / "spoken.wav", 48_000, 0.8))
        page = browser.new_page()
        page.set_default_timeout(1000 * PATIENCE)
        since = time.monotonic()
        with running_app(folder) as (url, process):
            page.goto(url)
            page.get_by_role("tab", name="Clip").click()
            page.get_by_role("button", name="Predict the emotion").wait_for()
            print(f"page usable {time.monotonic() - since:.1f} s after the start")
            clicks(page)
            live(page, minutes, process)
            browser.close()


if __name__ == "__main__":
    main()
