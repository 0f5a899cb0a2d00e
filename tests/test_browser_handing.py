"""What the page tells of a clip and hands on to other tabs, and what it says where it cannot listen, in every look."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile
from app_helpers import PATIENCE, tone_file
from browser_helpers import go, in_every_look, is_open, is_within
from conftest import spoken

from demo import messages

pytest_plugins = ("browser_fixtures",)
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright for Python is not installed")
expect = playwright.expect
expect.set_options(timeout=1000 * PATIENCE)


def test_a_long_quiet_clip_is_opened_in_recording(page, tmp_path):
    wave = np.tile(np.pad(spoken(3.0), (0, 16_000)), 16)
    soundfile.write(tmp_path / "talk.wav", 10 ** (-31 / 20) * wave / np.abs(wave).max(), 16_000)
    page.set_input_files("#ser-audio input[type=file]", tmp_path / "talk.wav")
    expect(page.locator(".ser-measure").first).to_be_visible()
    hand_on = page.get_by_role("button", name="Open in Recording")
    for _ in in_every_look(page):
        is_within(page, page.locator("#ser-emotion").get_by_text("The clip is quiet"))
        is_within(page, page.locator("#ser-voice").get_by_text(messages.FIRST_MINUTE))
        is_within(page, hand_on)
    hand_on.click()
    is_open(page, "Recording")
    status = page.locator("#ser-recording-status")
    expect(status).to_contain_text("of speech in 64 s")
    for _ in in_every_look(page):
        is_within(page, status)


def test_a_clip_is_carried_to_compare(page, tmp_path):
    page.set_input_files("#ser-audio input[type=file]", tone_file(tmp_path / "tone.wav", 1.0))
    hand_on = page.get_by_role("button", name="Compare models")
    for _ in in_every_look(page):
        is_within(page, hand_on)
        expect(page.get_by_role("button", name="Open in Recording")).to_be_hidden()
    hand_on.click()
    is_open(page, "Compare")
    expect(page.locator("#ser-compared .ser-label").first).to_be_visible()
    for _ in in_every_look(page):
        is_within(page, page.locator("#ser-compared .ser-side"))


def test_a_denied_microphone_is_explained(browser, app_url):
    page = browser.new_page()
    page.set_default_timeout(1000 * PATIENCE)
    page.add_init_script(
        "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'));"
    )
    page.goto(f"{app_url}#clip")
    page.get_by_role("button", name="Record audio").click()
    told = page.get_by_role("alert")
    for _ in in_every_look(page):
        page.locator("#ser-audio").get_by_role("button", name="Record", exact=True).click()
        expect(told).to_contain_text("The microphone is blocked for this page. Allow it")
        is_within(page, told)
        go(page, "About")
        expect(told).to_be_hidden()
        go(page, "Clip")
    page.close()


def test_live_says_that_nobody_spoke_and_that_the_microphone_has_gone(open_page):
    page = open_page("Live")
    page.evaluate(
        """() => { navigator.mediaDevices.getUserMedia = async () =>
            window.silent = new AudioContext().createMediaStreamDestination().stream; }"""
    )
    for way in ("stopped", "gone"):
        page.get_by_role("button", name="Start the microphone").click()
        expect(page.locator("#ser-live-emotion .ser-lead")).to_have_text(messages.SILENCE_LEAD)
        if way == "stopped":
            page.get_by_role("button", name="Stop the microphone").click()
            expect(page.locator("#ser-live-emotion .ser-lead")).to_have_text("Stopped.")
        else:
            page.evaluate("() => { window.silent.getTracks()[0].dispatchEvent(new Event('ended')); }")
            expect(page.locator("#ser-live-emotion").get_by_role("alert")).to_contain_text("no longer there")
    expect(page.get_by_role("button", name="Start the microphone")).to_be_visible()


def test_the_api_page_offers_nothing_that_is_not_there(browser, app_url):
    page = browser.new_page()
    page.set_default_timeout(1000 * PATIENCE)
    page.goto(app_url)
    page.get_by_role("button", name="Use via API").click()
    offered = page.locator(".api-docs .snippet", has_text="Python")
    expect(offered).to_be_visible()
    for _ in in_every_look(page):
        expect(offered).to_be_visible()
        expect(page.locator(".api-docs .snippet", has_text="MCP")).to_have_count(1)
        expect(page.locator(".api-docs .snippet", has_text="MCP")).to_be_hidden()
    page.close()
