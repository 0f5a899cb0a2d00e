"""Examples, Batch and Compare in a real browser."""

from __future__ import annotations

import itertools
import re

import pytest
from conftest import ROOT
from test_app import PATIENCE, tone_file

pytest_plugins = ("browser_fixtures",)
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright for Python is not installed")
expect = playwright.expect
expect.set_options(timeout=1000 * PATIENCE)

LOOKS = [({"width": 1280, "height": 900}, "light"), ({"width": 390, "height": 844}, "dark")]


def places(pills: playwright.Locator) -> list[list[float]]:
    """Left and upper edge and size of each, wherever the page is scrolled to."""
    return pills.evaluate_all(
        "all => all.map(e => e.getBoundingClientRect()).map(box => [box.x, box.y + scrollY, box.width, box.height])"
    )


@pytest.mark.parametrize(("viewport", "scheme"), LOOKS)
def test_examples_stay_in_place_and_tell_afterwards_what_was_acted(open_page, viewport, scheme):
    page = open_page(viewport=viewport, color_scheme=scheme)
    pills = page.locator("#ser-examples label")
    before = places(pills)
    pills.nth(1).hover()
    page.get_by_role("radio", name="German 2").check()
    expect(page.locator("#ser-truth")).to_contain_text(
        re.compile(r"Acted: neutral\. The prediction is (right|wrong)\.")
    )
    assert places(pills) == before
    expect(page.get_by_role("radio", name="German 2")).to_be_checked()
    colours = [pills.nth(place).evaluate("e => getComputedStyle(e).backgroundColor") for place in (0, 1)]
    assert colours[0] != colours[1]
    answer = page.locator("#ser-emotion .ser-label").bounding_box()
    assert 0 <= answer["y"] < answer["y"] + answer["height"] <= viewport["height"], "the answer is out of sight"
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_role("radio", name="German 2")).not_to_be_checked()
    expect(page.locator("#ser-truth")).to_be_empty()


def test_a_folder_is_played_sorted_and_measured_against_its_name(open_page, tmp_path):
    folder = tmp_path / "angry"
    folder.mkdir()
    for name in ("03a01Wa", "03a01Nc"):
        (folder / f"{name}.flac").write_bytes((ROOT / "examples" / f"{name}.flac").read_bytes())
    (folder / "bad.wav").write_text("These are words, not sound.")
    page = open_page("Batch")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Add a folder").click()
    chooser.value.set_files(folder)
    expect(page.locator("#ser-files")).to_contain_text("angry")
    page.get_by_role("radio", name="names of folders or files").check()
    page.get_by_role("button", name="Predict all").click()
    table = page.locator("#ser-batch-table")
    expect(table).to_contain_text(re.compile(r"Accuracy \d+ % \([012] of 2 files\), UAR"))
    expect(table.get_by_role("table", name="Confusion matrix")).to_be_visible()
    expect(table.get_by_role("list", name="Files of each emotion")).to_be_visible()
    rows = table.get_by_role("table", name="Files", exact=True).locator("tbody tr")
    expect(rows).to_have_count(3)
    expect(table.locator("tr.ser-failed")).to_contain_text("This file is not audio")
    table.get_by_role("button", name=re.compile("^file")).click()
    assert "bad.wav" in rows.last.inner_text()
    rows.first.get_by_role("button", name="Play").click()
    page.wait_for_function("document.querySelector('.ser-batch audio').currentTime > 0")


@pytest.mark.parametrize(("viewport", "scheme"), LOOKS)
def test_cards_of_compare_do_not_overlap(open_page, tmp_path, viewport, scheme):
    page = open_page("Compare", viewport=viewport, color_scheme=scheme)
    page.set_input_files("#ser-compare-audio input[type=file]", tone_file(tmp_path / "tone.wav"))
    expect(page.locator("#ser-compared")).to_contain_text(re.compile(r"models predict|The models disagree"))
    boxes = [part.bounding_box() for part in page.locator("#ser-compared .ser-card, #ser-compared .ser-bar").all()]
    for one, other in itertools.combinations(boxes, 2):
        beside = one["x"] + one["width"] <= other["x"] or other["x"] + other["width"] <= one["x"]
        below = one["y"] + one["height"] <= other["y"] or other["y"] + other["height"] <= one["y"]
        assert beside or below
    expect(page.locator("#ser-compared")).to_contain_text(re.compile(r"accuracy \d+ %, UAR \d+ % \(95 % interval"))
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
