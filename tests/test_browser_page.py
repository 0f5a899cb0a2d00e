"""The page's frame and the answer, on a desk and on a phone, by day and by night."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from app_helpers import PATIENCE, tone_file
from browser_helpers import LOOKS, at_rest, empty, go, is_open, tabs, turn
from PIL import Image

from demo.page import TITLE

pytest_plugins = ("browser_fixtures",)
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright for Python is not installed")
expect = playwright.expect
expect.set_options(timeout=1000 * PATIENCE)

LABEL = "#ser-emotion .ser-label"
SECONDS = 2.0
LOOK_NAMES = [f"{width}-{scheme}" for width, scheme in LOOKS]
# For what hardly depends on the look: both widths and both colours, but not each with each.
in_two_looks = pytest.mark.parametrize("page", LOOKS[:2], ids=LOOK_NAMES[:2], indirect=True)


@pytest.fixture(scope="module")
def opened(browser, app_url) -> Iterator[playwright.Page]:
    """The page, opened once for all looks; nothing in it may fail."""
    visit = browser.new_context()
    visit.set_default_timeout(1000 * PATIENCE)
    page, errors = visit.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(app_url)
    yield page
    visit.close()
    assert errors == []


@pytest.fixture(scope="module", params=LOOKS, ids=LOOK_NAMES)
def page(request, opened, tmp_path_factory) -> playwright.Page:
    """The page with an answer on the tab Clip, turned to a look for all tests that look at it in this one."""
    turn(opened, *request.param)
    give(opened, tone_file(tmp_path_factory.mktemp("clip") / "tone.wav", SECONDS))
    return opened


def give(page: playwright.Page, clip: Path) -> None:
    """Puts a clip on the tab Clip, whatever was there, and waits for all that is told of it."""
    empty(go(page, "Clip"))
    page.set_input_files("#ser-audio input[type=file]", clip)
    expect(page.locator(LABEL)).to_be_visible()
    expect(page.locator(".ser-measure").first).to_be_visible()  # the last to come


def test_native_players_follow_the_look(page):
    wanted = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'")
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme").replace("normal", "light") == wanted


def test_no_word_of_the_run_tables_is_broken(page):
    go(page, "About")
    heads = page.locator(".ser-prose th")
    if not heads.first.is_visible():  # opened in another look
        page.get_by_role("button", name="Every measured run").click()
    heads.first.wait_for()
    broken = """() => [...document.querySelectorAll('.ser-prose th')].filter((cell) => cell.checkVisibility()
        && /^\\w+$/.test(cell.innerText)).filter((cell) => {
            const range = document.createRange();
            range.selectNodeContents(cell);
            return range.getBoundingClientRect().height > 2 * parseFloat(getComputedStyle(cell).fontSize);
        }).map((cell) => cell.innerText)"""
    assert page.evaluate(broken) == []


@in_two_looks
def test_arrow_keys_move_between_tabs_and_back_returns(page):
    go(page, "Clip")
    page.get_by_role("tab", name="Clip", exact=True).focus()
    names = tabs(page)
    following = names[names.index("Clip") + 1]
    page.keyboard.press("ArrowRight")
    is_open(page, following)
    assert page.evaluate("document.activeElement.textContent.trim()") == following
    page.keyboard.press("End")
    is_open(page, names[-1])
    page.go_back()
    is_open(page, following)
    page.keyboard.press("Home")
    is_open(page, names[0])


@in_two_looks
def test_a_reload_keeps_the_tab_and_the_clip(page):
    told = page.text_content("#ser-emotion .ser-how")
    go(page, "About")
    page.reload()
    is_open(page, "About")
    go(page, "Clip")
    expect(page.locator(LABEL)).to_be_visible()
    assert page.text_content("#ser-emotion .ser-how") == told


def test_the_answer_is_announced_and_in_sight(page, tmp_path):
    go(page, "Clip")
    filled = at_rest(page, page.locator("#ser-audio"))
    page.get_by_role("button", name="Clear").click()
    expect(page.locator(LABEL)).to_have_count(0)
    expect(page.locator("#ser-said")).to_have_text("")
    empty = at_rest(page, page.locator("#ser-audio"))
    assert filled["height"] == pytest.approx(empty["height"], abs=1)  # nothing below moves under the pointer
    page.evaluate("scrollTo(0, 0)")
    give(page, tone_file(tmp_path / "tone.wav", SECONDS))
    said = re.compile(rf"{page.inner_text(LABEL)}\. \d+ % .* confidence\. .*")
    expect(page.locator("#ser-said")).to_have_text(said)
    in_sight = """() => { const box = document.querySelector('#ser-emotion .ser-emotion').getBoundingClientRect();
        return box.top >= 0 && box.top < innerHeight / 2 + 200 && box.bottom <= innerHeight; }"""
    page.wait_for_function(in_sight)


def test_the_picture_is_played_from_where_it_is_clicked(page):
    go(page, "Clip")
    drawn = page.locator(".ser-played > div:visible")
    box, head = drawn.bounding_box(), drawn.locator(".ser-playhead")
    drawn.click(position={"x": 0.4 * box["width"], "y": 0.5 * box["height"]})
    expect(head).to_be_visible()
    # It may have moved on by now, but not have gone back.
    assert head.bounding_box()["x"] - box["x"] >= 0.39 * box["width"]
    expect(page.locator(".ser-caption")).to_contain_text("Attention: where")


@in_two_looks
def test_an_answer_is_saved_as_picture_and_as_data(page, tmp_path):
    go(page, "Clip")
    saved = {}
    for button in ("Save picture", "Save as JSON"):
        with page.expect_download() as download:
            page.get_by_role("button", name=button).click()
        saved[button] = tmp_path / download.value.suggested_filename
        download.value.save_as(saved[button])
    assert saved["Save picture"].name == "tone emotion.png" and saved["Save as JSON"].name == "tone emotion.json"
    data = json.loads(saved["Save as JSON"].read_text())
    assert data["label"] in page.inner_text(LABEL) and len(data["attention"]["times"]) > 10
    with Image.open(saved["Save picture"]) as picture:
        assert picture.size == (1200, 675)
        pixels = np.asarray(picture.convert("RGB")).reshape(-1, 3)
    assert len(np.unique(pixels, axis=0)) > 50  # bars in their colours and letters


@in_two_looks
def test_the_microphone_goes_off_when_live_is_left(page):
    go(page, "Live")
    page.get_by_role("button", name="Start the microphone").click()
    expect(page.locator("#ser-live-emotion .ser-share")).to_be_visible()
    go(page, "About")
    go(page, "Live")
    expect(page.get_by_role("button", name="Start the microphone")).to_have_attribute("data-on", "false")
    expect(page.locator("#ser-live-emotion .ser-lead")).to_contain_text("Stopped. The last prediction was")
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "/live/" in request.url else None)
    page.wait_for_timeout(800)
    assert asked == []


@in_two_looks
def test_trimming_a_clip_predicts_it_anew(page, tmp_path):
    give(page, tone_file(tmp_path / "tone.wav", 3.0))
    how = page.locator("#ser-emotion .ser-how")
    expect(how).to_contain_text("3.0 s")
    page.get_by_role("button", name="Trim audio to selection").click()
    page.get_by_role("button", name="Trim", exact=True).click()
    expect(how).to_contain_text(re.compile(r"\b[012]\.\d s, peak"))
    expect(page.locator(LABEL)).to_be_visible()


# Whether the meter's bars reach over a third of its height: a flat line would not.
BARS = """() => {
    const meter = document.querySelector(".ser-meter");
    if (!meter?.checkVisibility()) return false;
    const { data } = meter.getContext("2d").getImageData(0, 0, meter.width, meter.height), rows = new Set();
    for (let place = 3; place < data.length; place += 4) if (data[place]) rows.add(Math.floor(place / 4 / meter.width));
    return rows.size > meter.height / 3;
}"""


@in_two_looks
def test_recording_shows_its_level_and_ends_when_the_tab_is_left(page):
    go(page, "Clip")
    if page.locator(LABEL).is_visible():
        page.get_by_role("button", name="Clear").click()
    page.get_by_role("button", name="Record audio").click()
    page.locator("#ser-audio").get_by_role("button", name="Record", exact=True).click()
    page.wait_for_function(BARS)
    go(page, "About")
    go(page, "Clip")
    expect(page.locator(".ser-meter")).to_have_count(0)
    expect(page.locator("#ser-emotion .ser-card:not(.ser-waiting)")).to_be_visible()


@in_two_looks
def test_the_page_has_its_title_and_icon(page):
    assert "Gradio" not in page.title()
    assert page.locator('meta[property="og:title"]').get_attribute("content") == TITLE
    icon = page.evaluate("fetch(document.querySelector('link[rel~=icon]').href).then((answer) => answer.text())")
    assert icon.startswith("<svg")


def test_a_link_to_the_page_shows_its_title_picture_and_icon(app_url):
    head = httpx.get(app_url, headers={"x-forwarded-proto": "https", "x-forwarded-host": 'a.example"><b>'}).text
    tags = dict(re.findall(r'<meta (?:property|name)="((?:og|twitter):\w+)" content="([^"]*)">', head))
    assert tags["og:title"] == TITLE and head.count("og:title") == 1
    assert tags["og:image"].startswith("https://a.example&quot;&gt;") and "Gradio" not in str(tags)
    assert httpx.get(f"{app_url}/preview.png").headers["content-type"] == "image/png"
    icon = httpx.get(f"{app_url}/favicon.ico")
    assert icon.headers["content-type"].startswith("image/svg") and "#1d4ed8" in icon.text
