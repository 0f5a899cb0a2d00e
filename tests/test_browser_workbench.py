"""The workbench in a real browser, on a desk by day and on a phone by night."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from app_helpers import PATIENCE, tone_file
from browser_helpers import at_rest, drawn, fits, go, is_open
from conftest import ROOT
from demo_helpers import recording

pytest_plugins = ("browser_fixtures",)
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright for Python is not installed")
expect = playwright.expect
expect.set_options(timeout=1000 * PATIENCE)
SCREENS = {
    "desk by day": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "phone by night": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark", "has_touch": True},
}
PLAYER = "document.querySelector('.ser-wave > div').shadowRoot.querySelector('audio')"
ODD = '<b>amused</b> ${1+1} {{2}} "so"'


def with_recording(page: playwright.Page, file: Path) -> playwright.Locator:
    """The tab Recording with a file analysed; its workbench."""
    go(page, "Recording")
    page.set_input_files("#ser-recording-audio input[type=file]", file)
    return drawn(page, "#ser-recording-bench")


def drag(page: playwright.Page, bench: playwright.Locator, start: float, end: float, height: float = 100) -> None:
    """Drags over the picture, from and to shares of its width."""
    wave = bench.locator(".ser-wave")
    wave.scroll_into_view_if_needed()
    box = at_rest(page, wave)
    page.mouse.move(box["x"] + start * box["width"], box["y"] + height)
    page.mouse.down()
    page.wait_for_timeout(300)  # on a phone a part is selected by holding, since a swipe scrolls
    page.mouse.move(box["x"] + end * box["width"], box["y"] + height, steps=6)
    page.mouse.up()


def seconds(text: str) -> float:
    minutes, rest = text.split(":")
    return 60 * int(minutes) + float(rest)


@pytest.mark.parametrize("screen", SCREENS)
def test_a_recording_is_seen_played_corrected_and_saved(open_page, tmp_path, screen):
    page = open_page(**SCREENS[screen])
    bench = with_recording(page, recording(tmp_path / "my talk.wav", 2.0, 3.0, 2.5))
    segments = bench.locator(".lane-segments button")
    assert segments.count() >= 3 and bench.locator("tbody tr").count() == segments.count()
    check_a_part(page, bench)
    check_zoom(page, bench)
    check_playing(page, bench, segments.nth(1))
    check_correction(page, bench, segments.nth(1), tmp_path)
    assert fits(page)


def check_a_part(page, bench) -> None:
    """Of the recording, 11.5 s: what is dragged over is predicted, and the next part takes its place."""
    part = bench.locator(".ser-part")
    drag(page, bench, 0.05, 0.3)
    expect(part.locator(".ser-label")).to_be_visible()
    expect(part.locator(".ser-bar")).to_have_count(8)
    start, end = map(seconds, part.locator(".ser-part-title").inner_text().split(" to "))
    assert (start, end) == pytest.approx((0.05 * 11.5, 0.3 * 11.5), abs=0.2)
    drag(page, bench, 0.97, 0.999, height=30)
    expect(part).to_contain_text("No speech")
    assert bench.locator("[part~=region]").count() == 1


def check_zoom(page, bench) -> None:
    width = "document.querySelector('.ser-wave > div').shadowRoot.querySelector('.wrapper').clientWidth"
    whole = page.evaluate(width)
    bench.get_by_role("button", name="Zoom in").click()
    page.wait_for_function(f"{width} > {1.9 * whole}")
    box = at_rest(page, bench.locator(".ser-wave"))
    page.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 30)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -200)
    page.keyboard.up("Control")
    page.wait_for_function(f"{width} > {4 * whole}")
    expect(bench.locator(".ser-seen")).to_be_visible()
    bench.get_by_role("button", name="Whole").click()
    page.wait_for_function(f"{width} === {whole}")
    expect(bench.locator(".ser-seen")).to_be_hidden()


def check_playing(page, bench, segment) -> None:
    segment.click()
    title = bench.locator(".ser-segment-title")
    expect(title).to_contain_text("Segment 2 of")
    start, end = map(seconds, re.findall(r"\d+:[\d.]+", title.inner_text()))
    page.wait_for_function(f"{PLAYER}.paused && {PLAYER}.currentTime > {end - 0.3}")
    assert start < page.evaluate(f"{PLAYER}.currentTime") < end + 0.3
    expect(bench.get_by_role("button", name="▶ Play")).to_be_visible()


def check_correction(page, bench, segment, folder: Path) -> None:
    predicted = segment.inner_text()
    bench.get_by_label("Another label").fill(ODD)
    page.keyboard.press("Enter")
    expect(segment).to_have_text(ODD)
    row = bench.locator("tbody tr").nth(1)
    expect(row).to_contain_text(ODD)
    expect(row).to_contain_text("corrected")
    expect(bench.locator(".ser-corrected")).to_have_text("1 label corrected")
    assert ODD.replace('"', '""') in saved(page, bench, "TextGrid", folder / "my talk.TextGrid").replace("\n", " ")
    assert f'"{ODD.replace(chr(34), chr(34) * 2)}",,False' in saved(page, bench, "CSV", folder / "my talk.csv")
    bench.get_by_role("group", name="Label").get_by_role("button", name=predicted, exact=True).click()
    expect(row).not_to_contain_text("corrected")
    assert ODD not in saved(page, bench, "JSON", folder / "my talk.json")
    assert page.locator(".ser-workbench b").count() == 0


def saved(page, bench, button: str, path: Path) -> str:
    with page.expect_download() as download:
        bench.get_by_role("button", name=button).click()
    assert download.value.suggested_filename == path.name
    download.value.save_as(path)
    return path.read_text(encoding="utf-8")


def test_a_clip_opens_in_it_and_another_clip_closes_it(page, tmp_path):
    page.set_input_files("#ser-audio input[type=file]", tone_file(tmp_path / "clip.wav"))
    expect(page.locator("#ser-emotion .ser-label")).to_be_visible()
    page.get_by_role("button", name="Open the clip in the workbench").click()
    bench = drawn(page, "#ser-clip-bench")
    expect(bench.locator(".lane-segments button")).to_have_count(1)
    drag(page, bench, 0.2, 0.7)
    expect(bench.locator(".ser-part .ser-label")).to_be_visible()
    page.locator("#ser-audio").get_by_role("button", name="Clear").click()
    expect(bench).to_have_count(0)


def test_a_finished_live_session_opens_in_it(page):
    go(page, "Recording").locator("#ser-recording-audio").get_by_role("button", name="Record audio").click()
    go(page, "Live")
    page.get_by_role("button", name="Start the microphone").click()
    expect(page.locator("#ser-live-seconds")).to_have_text(re.compile(r"^[5-9] s"))
    expect(page.get_by_role("button", name="Open the session")).to_be_hidden()
    page.get_by_role("button", name="Stop the microphone").click()
    page.get_by_role("button", name="Open the session").click()
    bench = drawn(page, "#ser-recording-bench")
    assert bench.get_attribute("data-stem") == "live session" and bench.locator(".lane-segments button").count() >= 1
    is_open(page, "Recording")


def test_page_scripts_stay_small():
    assert sum(path.stat().st_size for path in (ROOT / "demo" / "static").glob("*.js")) < 150_000
