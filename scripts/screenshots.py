"""Pictures of every tab for the documentation, `docs/clip.png`, `docs/live.png` and so on, and of links to the page.

`python -m scripts.screenshots` starts the app and visits it with Debian's chromium. Compare has two columns where
more than one checkpoint ships or `COMPARE_IDS` names others.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from demo.page import STATIC
from demo.share_preview import PICTURE

from .visit import PATIENCE, ROOT, browser_with_microphone, clips, running_app, talk

DOCS = ROOT / "docs"
WIDTH, HEIGHT = 1100, 900
PREVIEW, PREVIEW_SIZE = STATIC / PICTURE, {"width": 1200, "height": 630}
LIVE_SECONDS = 28


def picture(page: Page, name: str) -> None:
    page.mouse.move(0, 0)
    page.wait_for_timeout(700)  # what fades in has come
    path = DOCS / f"{name}.png"
    page.screenshot(path=path, full_page=True)
    print(f"wrote {path} ({path.stat().st_size / 1000:.0f} kB)")


def preview(page: Page, url: str) -> None:
    """The top of the tab Clip with an answer, in the size that other sites show."""
    page.set_default_timeout(1000 * PATIENCE)
    page.goto(f"{url}#clip")
    page.locator("#ser-act-target:not(:empty)").wait_for(state="attached")
    page.get_by_role("radio", name="German 2").check()
    page.get_by_text("The prediction is").wait_for()
    page.mouse.move(0, 0)
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    page.wait_for_timeout(700)  # what fades in has come
    page.screenshot(path=PREVIEW)
    print(f"wrote {PREVIEW} ({PREVIEW.stat().st_size / 1000:.0f} kB)")


def act(page: Page) -> None:
    """Two takes, the second not judged yet."""
    for _ in range(2):
        page.locator("#ser-act-record").click()
        page.wait_for_timeout(3000)
        page.locator("#ser-act-record").click()
        page.get_by_text("Was it right?").wait_for()
        if not page.locator("#ser-act-forget").is_visible():
            page.get_by_role("button", name="Yes", exact=True).click()


def tour(page: Page, folder: Path) -> None:
    """Visits every tab in turn."""
    chosen = clips()
    one = chosen.get("fear") or next(iter(chosen.values()))

    page.locator("#ser-act-target:not(:empty)").wait_for()
    act(page)
    picture(page, "act")

    page.get_by_role("tab", name="Clip").click()
    page.set_input_files("#ser-audio input[type=file]", one)
    page.locator(".ser-measure").first.wait_for()
    picture(page, "clip")

    page.get_by_role("tab", name="Live").click()
    page.get_by_role("button", name="Start the microphone").click()
    page.wait_for_timeout(1000 * LIVE_SECONDS)
    page.locator(".ser-live-now:not(.ser-weak)").wait_for()  # not in a pause
    picture(page, "live")
    page.get_by_role("button", name="Stop the microphone").click()

    page.get_by_role("tab", name="Recording").click()
    page.set_input_files("#ser-recording-audio input[type=file]", talk(folder / "talk.wav", 16_000, 0.4))
    page.locator(".ser-play").nth(1).click()
    page.get_by_role("button", name="Predict this segment alone").click()
    page.locator(".ser-part .ser-label").wait_for()
    picture(page, "recording")

    page.get_by_role("tab", name="Batch").click()
    spoilt = folder / "spoilt.wav"
    spoilt.write_text("These are words, not sound.")
    page.set_input_files("#ser-files input[type=file]", [*chosen.values(), spoilt])
    page.get_by_role("button", name="Predict all").click()
    page.locator("#ser-batch-table table").wait_for()
    picture(page, "batch")

    page.get_by_role("tab", name="Compare").click()
    page.set_input_files("#ser-compare-audio input[type=file]", one)
    page.locator("#ser-compared .ser-emotion").first.wait_for()
    page.wait_for_function("!document.querySelector('.ser-awaited')")
    picture(page, "compare")

    page.get_by_role("tab", name="My voice").click()
    page.set_input_files("#ser-my-voice-files input[type=file]", list(chosen.values())[:5])
    page.get_by_role("button", name="Make my profile").click()
    page.locator(".ser-made").wait_for()
    picture(page, "my-voice")

    page.get_by_role("tab", name="About").click()
    page.locator("#ser-about-labels table").wait_for()
    picture(page, "about")


def main() -> None:
    with tempfile.TemporaryDirectory() as name, sync_playwright() as player:
        folder = Path(name)
        browser = browser_with_microphone(player, talk(folder / "spoken.wav", 48_000, 0.8))
        with running_app(folder) as (url, _):
            page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
            page.set_default_timeout(1000 * PATIENCE)
            page.goto(url)
            tour(page, folder)
            preview(browser.new_page(viewport=PREVIEW_SIZE), url)
            browser.close()


if __name__ == "__main__":
    main()
