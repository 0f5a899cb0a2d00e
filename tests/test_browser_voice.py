"""The tab My voice in a real browser: a profile is made, used, kept by the browser, and forgotten."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from app_helpers import PATIENCE, shipped_checkpoint, tone_file
from browser_helpers import go

from demo import messages
from demo.voices import STORAGE_KEY

pytest_plugins = ("browser_fixtures",)
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright for Python is not installed")
expect = playwright.expect
expect.set_options(timeout=1000 * PATIENCE)

MADE = re.compile(r"Your voice profile, from \d+ s of audio, is in this browser")


@pytest.fixture
def clips(tmp_path) -> list[Path]:
    return [tone_file(tmp_path / f"{seconds} s.wav", seconds) for seconds in (1.0, 2.0, 3.0)]


@pytest.fixture
def page(open_page) -> playwright.Page:
    """The tab My voice, of a model that takes profiles."""
    if "speech_encoder" not in (shipped_checkpoint() / "config.json").read_text():
        pytest.skip("the checkpoint takes no voice profiles")
    return go(open_page(), "My voice")


def make(page: playwright.Page, clips: list[Path]) -> None:
    page.set_input_files("#ser-my-voice-files input[type=file]", clips)
    expect(page.locator("#ser-my-voice-files")).to_contain_text(clips[-1].stem)
    page.get_by_role("button", name="Make my profile").click()


def test_a_profile_from_three_clips_is_used_survives_a_reload_and_is_forgotten(page, clips):
    status = page.locator("#ser-my-voice-status")
    expect(status).to_contain_text(messages.NO_VOICE)
    expect(page.get_by_role("button", name="Forget")).to_be_disabled()
    make(page, clips)
    expect(status).to_contain_text(MADE)
    for again in (False, True):
        if again:
            page.reload()
        go(page, "Clip")
        if not again:  # afterwards the clip is still there
            page.set_input_files("#ser-audio input[type=file]", clips[0])
        expect(page.locator("#ser-emotion")).to_contain_text(messages.VOICE_USED)
    switch = page.locator("#ser-clip-voice input")
    switch.uncheck()
    expect(page.locator("#ser-emotion")).not_to_contain_text(messages.VOICE_USED)
    expect(page.locator("#ser-emotion .ser-label")).to_be_visible()
    switch.check()
    expect(page.locator("#ser-emotion")).to_contain_text(messages.VOICE_USED)
    go(page, "My voice")
    expect(status).to_contain_text(MADE)
    page.get_by_role("button", name="Forget").click()
    expect(status).to_contain_text(messages.NO_VOICE)
    assert page.evaluate(f"localStorage.getItem('{STORAGE_KEY}')") is None
    go(page, "Clip")
    expect(page.locator("#ser-clip-voice")).to_be_hidden()
    page.get_by_role("button", name="Predict the emotion").click()
    expect(page.locator("#ser-emotion")).not_to_contain_text(messages.VOICE_USED)
    page.reload()
    expect(go(page, "My voice").locator("#ser-my-voice-status")).to_contain_text(messages.NO_VOICE)


def test_sentences_are_recorded_one_after_the_other(page):
    recorder, files = page.locator("#ser-my-voice-recorder"), page.locator("#ser-my-voice-files")
    for number in range(1, 4):
        recorder.get_by_role("button", name="Record", exact=True).click()
        page.wait_for_timeout(1200)
        recorder.get_by_role("button", name="Stop", exact=True).click()
        expect(files).to_contain_text(f"recording {number}")
        if number < 3:
            page.get_by_role("button", name="Make my profile").click()
            expect(page.locator("#ser-my-voice-status").get_by_role("alert")).to_have_text(messages.FEW_CLIPS)
    page.get_by_role("button", name="Make my profile").click()
    expect(page.locator("#ser-my-voice-status")).to_contain_text(MADE)


def test_live_and_compare_use_it(page, clips):
    make(page, clips)
    expect(page.locator("#ser-my-voice-status")).to_contain_text(MADE)
    go(page, "Live")
    page.get_by_role("button", name="Start the microphone").click()
    expect(page.locator("#ser-live-emotion")).to_contain_text(messages.VOICE_USED)
    page.locator("#ser-live-voice input").uncheck()
    expect(page.locator("#ser-live-emotion .ser-share")).to_be_visible()
    expect(page.locator("#ser-live-emotion")).not_to_contain_text(messages.VOICE_USED)
    page.get_by_role("button", name="Stop the microphone").click()
    go(page, "Compare")
    page.set_input_files("#ser-compare-audio input[type=file]", clips[0])
    expect(page.locator("#ser-compared .ser-side")).to_contain_text(messages.VOICE_USED)


def test_a_profile_of_another_model_is_refused_and_can_be_replaced(page, clips):
    """As after the served checkpoint has changed."""

    def change(route):
        answer = route.fetch()
        body = answer.json()
        if body.get("data") and isinstance(body["data"][0], dict) and "checkpoint" in body["data"][0]:
            body["data"][0]["checkpoint"] = "0" * 64
        route.fulfill(response=answer, json=body)

    page.route("**/gradio_api/run/**", change)
    make(page, clips)
    status = page.locator("#ser-my-voice-status")
    expect(status.get_by_role("alert")).to_have_text(messages.VOICE_FOREIGN)
    page.unroute("**/gradio_api/run/**")
    page.reload()
    expect(go(page, "My voice").locator("#ser-my-voice-status").get_by_role("alert")).to_have_text(
        messages.VOICE_FOREIGN
    )
    go(page, "Clip")
    expect(page.locator("#ser-clip-voice")).to_be_hidden()
    page.set_input_files("#ser-audio input[type=file]", clips[0])
    expect(page.locator("#ser-emotion")).to_contain_text(messages.VOICE_NOT_USED)
    go(page, "Live").get_by_role("button", name="Start the microphone").click()
    expect(page.locator("#ser-live-emotion")).to_contain_text(messages.VOICE_NOT_USED)
    page.get_by_role("button", name="Stop the microphone").click()
    make(go(page, "My voice"), clips)
    expect(status).to_contain_text(MADE)
