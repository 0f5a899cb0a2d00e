"""The tabs beside Clip in a real browser."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import numpy as np
import parselmouth
import psutil
import pytest
import soundfile
from app_helpers import PATIENCE, tone_file
from browser_helpers import go
from conftest import spoken
from demo_helpers import RATE, recording
from parselmouth.praat import call

from demo import messages
from demo.examples import shipped
from ser_model.labels import EMOTIONS

pytest_plugins = ("browser_fixtures",)
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright for Python is not installed")
expect = playwright.expect
expect.set_options(timeout=1000 * PATIENCE)


def resident_megabytes(folder: Path) -> float:
    """Memory of the page's process and of the models'."""
    server = psutil.Process(int((folder / "app.pid").read_text()))
    return sum(each.memory_info().rss for each in (server, *server.children())) / 1e6


def columns_drawn(page: playwright.Page) -> int:
    path = page.locator("#ser-live-picture .ser-wide path[data-label]").first
    return path.get_attribute("d").count("M") if path.count() else 0


def test_live_for_twenty_seconds(open_page, app_folder, tmp_path):
    page = open_page()
    page.set_input_files("#ser-audio input[type=file]", tone_file(tmp_path / "tone.wav"))
    expect(page.locator("#ser-picture svg").first).to_be_visible()
    expect(page.locator("#ser-voice svg").first).to_be_visible()  # what the server imports late, it has by now
    go(page, "Live")
    answers: list[float] = []
    page.on("response", lambda response: answers.append(time.monotonic()) if "/live/" in response.url else None)
    files = len([path for path in (app_folder / "temporary").rglob("*") if path.is_file()])
    page.evaluate(
        """() => {
            window.said = new Set();
            const region = document.getElementById("ser-live-said");
            new MutationObserver(() => window.said.add(region.textContent)).observe(region, { childList: true });
        }"""
    )
    page.get_by_role("button", name="Start the microphone").click()
    seconds = page.locator("#ser-live-seconds")
    expect(seconds).to_have_text(re.compile(r"^[5-7] s"))
    early, memory, started = columns_drawn(page), resident_megabytes(app_folder), len(answers)
    expect(seconds).to_have_text(re.compile(r"^2\d s"))
    later = answers[started:]
    assert len(later) / (later[-1] - later[0]) >= 2, "fewer than two updates a second"
    assert columns_drawn(page) > 2 * early > 0
    # The allocator settles for a minute. A server that kept what the network computes would grow by 3 MB a look.
    assert resident_megabytes(app_folder) - memory < 2 * len(later)
    assert len([path for path in (app_folder / "temporary").rglob("*") if path.is_file()]) == files
    said = set(page.evaluate("[...window.said]"))
    assert messages.SILENCE in said and any(emotion in text for text in said for emotion in EMOTIONS)
    assert float(page.inner_text("#ser-live-decibels").split()[0]) <= 0
    page.get_by_role("button", name="Stop the microphone").click()
    expect(page.get_by_role("button", name="Start the microphone")).to_have_attribute("data-on", "false")
    stopped = len(answers)
    page.wait_for_timeout(1500)
    assert len(answers) <= stopped + 1  # one may have been under way


def test_live_without_a_microphone_is_explained(page):
    go(page, "Live")
    page.evaluate(
        """() => {
            window.ask = navigator.mediaDevices.getUserMedia;
            navigator.mediaDevices.getUserMedia = () => Promise.reject(new Error('no'));
        }"""
    )
    page.get_by_role("button", name="Start the microphone").click()
    expect(page.locator("#ser-live-emotion").get_by_role("alert")).to_contain_text("microphone cannot be used")
    expect(page.get_by_role("button", name="Start the microphone")).to_be_visible()
    page.evaluate("() => { navigator.mediaDevices.getUserMedia = window.ask; }")


@pytest.fixture(scope="module")
def long_talk(tmp_path_factory) -> Path:
    """Ten minutes: sixty phrases of different pitch with pauses between."""
    path = tmp_path_factory.mktemp("talk") / "long talk.wav"
    parts = [np.pad(spoken(7.0, number=number), (0, 3 * RATE)) for number in range(60)]
    soundfile.write(path, np.concatenate(parts), RATE, subtype="PCM_16")
    return path


def test_a_ten_minute_recording(open_page, long_talk, tmp_path):
    page = go(open_page(), "Recording")
    progress = page.locator("#ser-recording-status").get_by_role("progressbar")
    status = page.locator("#ser-recording-status")
    start, cancel = (page.get_by_role("button", name=name) for name in ("Analyse the recording", "Cancel"))
    for way, said in (("Clear", messages.RECORDING_NOTE), ("Cancel", messages.CANCELLED)):
        page.set_input_files("#ser-recording-audio input[type=file]", long_talk)
        expect(progress).to_have_attribute("aria-valuenow", re.compile(r"^[1-9]"))
        expect(start).to_be_disabled()
        page.get_by_role("button", name=way).click()
        expect(status).to_have_text(said)
        expect(cancel).to_be_disabled()
    start.click()  # at once, while the one that was cancelled ends
    expect(progress).to_be_visible()
    expect(cancel).to_be_enabled()
    expect(status).to_contain_text("segments. Predicted:")
    expect(cancel).to_be_disabled()
    expect(start).to_be_enabled()
    expect(page.get_by_role("img", name="over time")).to_be_visible()
    rows = page.locator(".ser-workbench tbody tr")
    assert rows.count() >= 60
    check_downloads(page, tmp_path, rows.count())
    check_that_it_plays(page, rows.nth(3))


def check_downloads(page: playwright.Page, folder: Path, segments: int) -> None:
    texts = {}
    for link in ("CSV", "JSON", "Praat TextGrid"):
        with page.expect_download() as download:
            page.get_by_role("button", name=link).click()
        path = folder / download.value.suggested_filename
        download.value.save_as(path)
        texts[path.name] = path
    assert list(texts) == ["long talk.csv", "long talk.json", "long talk.TextGrid"]
    lines = texts["long talk.csv"].read_text().splitlines()
    assert lines[0] == "start,end,emotion,probability,unsure" and len(lines) == segments + 1
    data = json.loads(texts["long talk.json"].read_text())
    assert len(data["segments"]) == segments and data["duration"] == pytest.approx(600)
    grid = parselmouth.read(str(texts["long talk.TextGrid"]))
    assert call(grid, "Get end time") == pytest.approx(600)
    labels = [
        call(grid, "Get label of interval", 1, place + 1) for place in range(call(grid, "Get number of intervals", 1))
    ]
    assert [label for label in labels if label] == [segment["emotion"] for segment in data["segments"]]


def check_that_it_plays(page: playwright.Page, row: playwright.Locator) -> None:
    button = row.get_by_role("button", name="Play")
    start, end = map(float, re.findall(r"[\d.]+(?= to| seconds)", button.get_attribute("aria-label")))
    button.click()
    player = "document.querySelector('.ser-wave > div').shadowRoot.querySelector('audio')"
    page.wait_for_function(f"{player}.currentTime > {start}")
    minutes, seconds = page.inner_text(".ser-time").split(":")
    assert start <= 60 * int(minutes) + float(seconds) <= end + 0.1
    expect(button).to_have_attribute("aria-current", "true")


@pytest.mark.parametrize(("tab", "shown"), [("Recording", ".ser-workbench"), ("Compare", "#ser-compared .ser-side")])
def test_the_microphone_serves_other_tabs_too(open_page, tab, shown):
    page = go(open_page(), tab)
    page.get_by_role("button", name="Record audio").click()
    page.get_by_role("button", name="Record", exact=True).click()
    page.wait_for_timeout(2500)  # of three seconds of voice and two of silence
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator(shown)).to_be_visible()


def test_a_recording_that_is_no_audio_is_explained(page, tmp_path):
    bad = tmp_path / "bad.wav"
    bad.write_text("These are words, not sound.")
    go(page, "Recording")
    page.set_input_files("#ser-recording-audio input[type=file]", bad)
    expect(page.locator("#ser-recording-status").get_by_role("alert")).to_contain_text("not audio")


def test_a_batch_with_one_bad_file(page, tmp_path):
    bad = tmp_path / "bad.wav"
    bad.write_text("These are words, not sound.")
    good = [tone_file(tmp_path / f"{seconds:.0f} s.wav", seconds) for seconds in (3.0, 1.0, 2.0)]
    go(page, "Batch")
    page.set_input_files("#ser-files input[type=file]", [*good, bad])
    page.get_by_role("button", name="Predict all").click()
    expect(page.locator("#ser-batch-status")).to_contain_text("3 files predicted, 1 failed.")
    failed = page.locator("#ser-batch-table tr.ser-failed")
    expect(failed).to_contain_text("bad.wav")
    expect(failed).to_contain_text("This file is not audio")
    durations = page.locator("#ser-batch-table tbody tr:not(.ser-failed) td[data-head^=length]")
    assert durations.all_inner_texts() == ["3.0", "1.0", "2.0"]
    sort = page.get_by_role("button", name="length")
    sort.click()
    assert durations.all_inner_texts() == ["1.0", "2.0", "3.0"]
    sort.click()
    assert durations.all_inner_texts() == ["3.0", "2.0", "1.0"]
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert len(Path(download.value.path()).read_text().splitlines()) == 5


def test_compare_shows_two_models_side_by_side(page, tmp_path):
    go(page, "Compare")
    page.set_input_files("#ser-compare-audio input[type=file]", tone_file(tmp_path / "tone.wav"))
    expect(page.locator("#ser-compared")).to_contain_text(re.compile(r"models predict|The models disagree"))
    lefts = [card.bounding_box()["x"] for card in page.locator("#ser-compared .ser-side section").all()]
    assert len(lefts) >= 2 and lefts[1] > lefts[0] + 200


def test_about_tells_limits_figures_and_labels(page):
    go(page, "About")
    text = page.locator("#ser-about")
    for said in ("must not be used", "decisions about people", "within an hour", "the same emotion"):
        expect(text).to_contain_text(said)
    expect(page.get_by_role("table", name="Test results")).to_contain_text("RAVDESS")
    expect(page.get_by_role("table", name="Label indices")).to_contain_text("surprise")
    page.get_by_role("button", name="Model card of").first.click()
    expect(page.locator(".ser-prose").first).to_contain_text("Training data and licence")


def test_an_example_is_predicted_and_its_voice_measured(page):
    page.get_by_role("radio", name="German 1").check()
    expect(page.locator("#ser-emotion .ser-label")).to_have_text(re.compile("|".join(EMOTIONS)))
    measures = page.locator(".ser-measure")
    expect(measures).to_have_count(7)
    expect(measures.first).to_contain_text("of 100 clips.")
    page.get_by_role("radio", name="women", exact=True).check()
    expect(measures.first).to_contain_text("clips by women")


def test_examples_clicked_one_after_the_other_are_predicted_without_the_queue(open_page):
    """A click in the moment in which gradio's queue closes its event stream would be lost, so none may need it."""
    page = open_page()
    examples = page.locator("#ser-examples").get_by_role("radio")
    lengths = [soundfile.info(example.path).duration for example in shipped()]
    queued: list[str] = []
    page.on("request", lambda request: queued.append(request.url) if "/queue/" in request.url else None)
    for number, length in enumerate(lengths):
        examples.nth(number).check()
        expect(page.locator("#ser-emotion .ser-card")).to_contain_text(f"{length:.1f} s")
    expect(page.locator(".ser-measure")).to_have_count(7)
    assert queued == []


def test_keyboard_alone_runs_live_and_sorts(open_page, tmp_path):
    page = open_page()

    def reach(condition: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate(f"(() => {{ const e = document.activeElement; return {condition}; }})()"):
                return
        raise AssertionError(f"no key leads to {condition}")

    reach("e.role === 'tab' && e.textContent.trim() === 'Live'")
    page.keyboard.press("Enter")
    reach("e.id === 'ser-live-toggle'")
    page.keyboard.press("Space")
    expect(page.locator("#ser-live-seconds")).to_have_text(re.compile(r"^[1-9]"))
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Start the microphone")).to_be_visible()
    go(page, "Recording")
    page.set_input_files("#ser-recording-audio input[type=file]", recording(tmp_path / "talk.wav", 2.0, 2.0))
    expect(page.locator(".ser-play")).not_to_have_count(0)
    reach("e.classList.contains('ser-play')")
    page.keyboard.press("Enter")
    expect(page.locator(".ser-play[aria-current]")).to_have_count(1)
