"""The page in a real browser: what a visitor sees, and which messages appear."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from app_helpers import PATIENCE, tone_file
from browser_helpers import turn
from demo_helpers import SPOKEN_PEAK

from ser_model.labels import EMOTIONS

pytest_plugins = ("browser_fixtures",)
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright for Python is not installed")
playwright.expect.set_options(timeout=1000 * PATIENCE)


def upload(page: playwright.Page, path: Path) -> None:
    page.set_input_files("#ser-audio input[type=file]", path)


def answer(page: playwright.Page) -> str:
    """The most probable emotion, unsure or not."""
    return page.locator(".ser-label").inner_text().removeprefix("Unsure: ").split(" or ")[0]


def bars(page: playwright.Page) -> dict[str, float]:
    """Names and percentages as they are written beside the bars."""
    rows = page.locator(".ser-bar").all()
    return {
        row.locator(".ser-name").inner_text(): float(row.locator(".ser-percent").inner_text().split()[0])
        for row in rows
    }


def test_an_uploaded_clip_gives_emotion_bars_and_picture(page, tmp_path):
    upload(page, tone_file(tmp_path / "tone.wav"))
    label, shares = answer(page), bars(page)
    assert set(shares) == set(EMOTIONS)
    assert next(iter(shares)) == label and list(shares.values()) == sorted(shares.values(), reverse=True)
    assert sum(shares.values()) == pytest.approx(100, abs=4)  # each is rounded
    widths = [row.bounding_box()["width"] for row in page.locator("#ser-bars .ser-fill").all()]
    assert widths == sorted(widths, reverse=True)
    picture = page.get_by_role("img", name="attention over time")
    playwright.expect(picture.locator("svg").first).to_be_visible()
    assert "attention over time" in picture.inner_text()
    page.get_by_role("button", name="As data").click()
    playwright.expect(page.locator("#ser-data")).to_contain_text(label)
    check_the_fold(page)


def check_the_fold(page: playwright.Page) -> None:
    """The card says how far to rely on the answer; what is technical is there on demand."""
    card = page.locator("#ser-emotion")
    playwright.expect(card).to_contain_text(re.compile(r"\d+ %\s+(low|moderate|high|very high) confidence"))
    figures = card.get_by_text(re.compile(r"Accuracy on .*: \d+ % .*UAR \d+ %"))
    playwright.expect(figures).to_be_hidden()
    card.get_by_text("How was this measured?").click()
    playwright.expect(figures).to_be_visible()
    assert "3.0 s" in card.inner_text()
    playwright.expect(page.locator("#ser-trust")).to_contain_text("not what a person feels")


def test_a_recording_from_the_microphone_keeps_its_level(open_page):
    page = open_page()
    page.get_by_role("button", name="Record audio").click()
    page.get_by_role("button", name="Record", exact=True).click()
    page.wait_for_timeout(2500)
    page.get_by_role("button", name="Stop", exact=True).click()
    assert answer(page) in EMOTIONS
    seconds, peak = re.search(r"([\d.]+) s, peak (-?[\d.]+) dB", page.text_content("#ser-emotion")).groups()
    assert 1.5 < float(seconds) < 30
    # With the browser's gain control on it would arrive near 0 dB.
    assert float(peak) == pytest.approx(20 * np.log10(SPOKEN_PEAK), abs=2)


def test_webm_is_taken_where_ffmpeg_is(page, tmp_path, ffmpeg):
    spoken, recorded = tone_file(tmp_path / "tone.wav"), tmp_path / "recorded.webm"
    subprocess.run([ffmpeg, "-v", "error", "-i", spoken, "-c:a", "libopus", recorded], check=True)
    upload(page, recorded)
    assert answer(page) in EMOTIONS
    assert "3.0 s" in page.text_content("#ser-emotion")


@pytest.mark.parametrize("name", ["bad.wav", "notes.txt"])
def test_what_is_not_audio_is_explained_where_the_answer_would_be(page, tmp_path, name):
    path = tmp_path / name
    path.write_text("These are words, not sound.")
    upload(page, path)
    message = page.locator("#ser-emotion").get_by_role("alert")
    playwright.expect(message).to_contain_text("not audio")
    assert page.locator(".ser-bar").count() == 0
    assert "Traceback" not in page.inner_text("body")


def test_a_dropped_file_is_predicted_too(page, tmp_path):
    sound = tone_file(tmp_path / "tone.wav", 1.0).read_bytes()
    dropped = page.evaluate_handle(
        """bytes => {
            const dropped = new DataTransfer();
            dropped.items.add(new File([new Uint8Array(bytes)], "dropped.wav", { type: "audio/wav" }));
            return dropped;
        }""",
        list(sound),
    )
    page.dispatch_event("#ser-audio .upload-container", "drop", {"dataTransfer": dropped})
    assert answer(page) in EMOTIONS


def test_clearing_the_clip_clears_the_answer(page, tmp_path):
    upload(page, tone_file(tmp_path / "tone.wav"))
    answer(page)
    page.get_by_role("button", name="Clear").click()
    playwright.expect(page.locator(".ser-label")).to_have_count(0)
    playwright.expect(page.locator(".ser-bar")).to_have_count(0)


def test_the_keyboard_reaches_the_button_and_nothing_chosen_is_said(open_page):
    page = open_page()
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "ser-predict":
            break
    page.keyboard.press("Enter")
    playwright.expect(page.locator("#ser-emotion")).to_contain_text("Record or upload a clip first.")


def test_a_phone_needs_no_sideways_scrolling(page, tmp_path):
    turn(page, 375, "light", height=812)
    upload(page, tone_file(tmp_path / "tone.wav"))
    answer(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    playwright.expect(page.locator("#ser-picture .ser-narrow")).to_be_visible()
    playwright.expect(page.locator("#ser-picture .ser-wide")).to_be_hidden()
    outside = (
        "[...document.querySelectorAll('[class^=ser-]')].filter(e => e.getBoundingClientRect().right > 375).length"
    )
    assert page.evaluate(outside) == 0


def test_text_can_be_read_by_night_and_day(page, tmp_path):
    upload(page, tone_file(tmp_path / "tone.wav"))
    page.locator(".ser-picture svg").first.wait_for()
    brightness = {}
    for scheme in ("light", "dark"):
        turn(page, 1280, scheme)
        colour = "getComputedStyle(document.querySelector('.ser-picture .ser-wide svg')).color"
        brightness[scheme] = np.mean([float(part) for part in re.findall(r"[\d.]+", page.evaluate(colour))[:3]])
    assert brightness["light"] < 100 and brightness["dark"] > 180


def test_two_visitors_see_their_own_clips(open_page, tmp_path):
    one, other = open_page(), open_page()
    upload(one, tone_file(tmp_path / "short.wav", 1.0))
    upload(other, tone_file(tmp_path / "long.wav", 2.0))
    playwright.expect(one.locator("#ser-emotion")).to_contain_text("1.0 s")
    playwright.expect(other.locator("#ser-emotion")).to_contain_text("2.0 s")
    playwright.expect(one.locator("#ser-emotion")).to_contain_text("1.0 s")
