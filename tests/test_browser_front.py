"""Examples, Batch and Compare in a real browser."""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from app_helpers import PATIENCE, running_app, tone_file
from browser_helpers import HEIGHT, at_rest, fits, go, in_every_look
from conftest import ROOT, need_program

from demo import messages

pytest_plugins = ("browser_fixtures",)
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright for Python is not installed")
expect = playwright.expect
expect.set_options(timeout=1000 * PATIENCE)


class SilentHub(ThreadingHTTPServer):
    """A Hub that takes requests and says nothing until `answers` is set; then, that it has no such model."""

    daemon_threads = True

    def __init__(self) -> None:
        self.answers = threading.Event()
        super().__init__(("127.0.0.1", 0), _Silence)


class _Silence(BaseHTTPRequestHandler):
    server: SilentHub

    def do_GET(self) -> None:
        self.server.answers.wait(PATIENCE)
        self.send_error(404)

    do_HEAD = do_GET

    def log_message(self, *_: object) -> None:
        """Says nothing on the terminal either."""


@pytest.fixture(scope="module")
def hub() -> Iterator[SilentHub]:
    with SilentHub() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.answers.set()
        server.shutdown()


@pytest.fixture(scope="module")
def app_url(hub, tmp_path_factory) -> Iterator[str]:
    """An app of its own, for which the Hub cannot be reached."""
    need_program("chromium")
    settings = {"HF_ENDPOINT": f"http://127.0.0.1:{hub.server_port}", "HF_HUB_OFFLINE": "0"}
    patience = {"HF_HUB_ETAG_TIMEOUT": str(PATIENCE), "HF_HUB_DOWNLOAD_TIMEOUT": str(PATIENCE)}
    with running_app(tmp_path_factory.mktemp("app"), **settings, **patience) as url:
        yield url


KEPT = "sessionStorage.getItem('ser-clip-clip')"
FROM_TOP = "e => e.getBoundingClientRect().y + scrollY"  # wherever the page is scrolled to


def places(pills: playwright.Locator) -> list[list[float]]:
    """Left and upper edge and size of each, wherever the page is scrolled to."""
    return pills.evaluate_all(
        "all => all.map(e => e.getBoundingClientRect()).map(box => [box.x, box.y + scrollY, box.width, box.height])"
    )


def test_examples_stay_in_place_and_tell_afterwards_what_was_acted(page):
    for _ in in_every_look(page):
        check_an_example(page)


def check_an_example(page: playwright.Page) -> None:
    pills, chosen = page.locator("#ser-examples label"), page.get_by_role("radio", name="German 2")
    at_rest(page, pills.last)
    before = places(pills)
    pills.nth(1).hover()
    chosen.check()
    expect(page.locator("#ser-truth")).to_contain_text(
        re.compile(r"Acted: neutral\. The prediction is (right|wrong)\.")
    )
    answer = at_rest(page, page.locator("#ser-emotion .ser-label"))
    assert 0 <= answer["y"] < answer["y"] + answer["height"] <= HEIGHT, "the answer is out of sight"
    assert places(pills) == before and before[0][1] < page.locator("#ser-audio").evaluate(FROM_TOP)
    expect(chosen).to_be_checked()
    colours = [pills.nth(place).evaluate("e => getComputedStyle(e).backgroundColor") for place in (0, 1)]
    assert colours[0] != colours[1]
    page.get_by_role("button", name="Clear").click()
    expect(chosen).not_to_be_checked()
    expect(page.locator("#ser-truth")).to_be_empty()
    expect(page.locator("#ser-emotion .ser-label")).to_have_count(0)


def test_an_example_chosen_at_once_after_another_clip_stays_chosen(page):
    """However slow the network is: what the taking away of the clip before asked the server for comes last."""
    page.get_by_role("radio", name="German 1").check()
    told(page)
    held: list[playwright.Route] = []
    slow, chosen = True, page.get_by_role("radio", name="German 2")
    page.route(re.compile("/gradio_api/run/"), lambda asked: held.append(asked) if slow else asked.continue_())
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#ser-audio #waveform")).to_have_count(0)
    slow = False
    chosen.check()
    expect(page.locator("#ser-audio #waveform")).to_be_visible()
    for asked in held:
        asked.continue_()
    told(page)
    expect(chosen).to_be_checked()
    page.unroute_all()


@pytest.mark.parametrize("asked_for", ["Predict the emotion", "Open the clip in the workbench"])
def test_what_was_asked_for_an_earlier_clip_is_not_shown_with_the_present_one(page, tmp_path, asked_for):
    emotion, bench = page.locator("#ser-emotion"), page.locator("#ser-clip-bench .ser-workbench")
    page.set_input_files("#ser-audio input[type=file]", tone_file(tmp_path / "long.wav", 60.0))
    expect(page.locator(".ser-measure").first).to_be_visible()
    with page.expect_request(re.compile("/gradio_api/run/")) as asked:
        page.get_by_role("button", name=asked_for).click()
    page.get_by_role("button", name="Clear").click()
    page.set_input_files("#ser-audio input[type=file]", tone_file(tmp_path / "short.wav", 1.0))
    asked.value.response().finished()
    page.wait_for_timeout(500)  # time enough for it to be shown
    expect(emotion).to_contain_text("The clip: 1.0 s")
    expect(bench).to_have_count(0)


def test_an_example_chosen_after_a_reload_is_not_replaced_by_the_clip_kept_before(page):
    page.get_by_role("radio", name="German 1").check()
    told(page)
    held: list[playwright.Route] = []
    page.route(
        re.compile("/gradio_api/file="),
        lambda asked: held.append(asked) if asked.request.method == "HEAD" else asked.continue_(),
    )
    page.reload()
    go(page, "Clip").get_by_role("radio", name="German 2").check()
    told(page)
    given = page.evaluate(KEPT)
    with page.expect_response(held[0].request.url):
        held[0].continue_()
    page.wait_for_timeout(1000)  # time enough for a clip to come back
    assert page.evaluate(KEPT) == given
    page.unroute_all()


def told(page: playwright.Page) -> None:
    """Waits for what was acted in the chosen example."""
    expect(page.locator("#ser-truth")).to_contain_text(re.compile(r"Acted: \w+\. The prediction is (right|wrong)\."))


def test_a_folder_is_played_sorted_and_measured_against_its_name(page, tmp_path):
    folder = tmp_path / "angry"
    folder.mkdir()
    for name in ("03a01Wa", "03a01Nc"):
        (folder / f"{name}.flac").write_bytes((ROOT / "examples" / f"{name}.flac").read_bytes())
    (folder / "bad.wav").write_text("These are words, not sound.")
    go(page, "Batch")
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


def test_cards_of_compare_come_one_by_one_and_do_not_overlap(page, hub, tmp_path):
    go(page, "Compare")
    expect(page.locator("#ser-models .token")).to_have_count(4)
    page.locator("#ser-models .token-remove").first.click()
    page.locator("#ser-models input").fill("nobody/silent")
    page.keyboard.press("Enter")
    page.set_input_files("#ser-compare-audio input[type=file]", tone_file(tmp_path / "tone.wav"))
    shown = page.locator("#ser-compared")
    expect(shown.locator(".ser-emotion")).to_have_count(3)
    expect(shown.locator(".ser-awaited")).to_have_count(1)  # the Hub says nothing, and holds up no other
    expect(shown).to_contain_text(re.compile(r"accuracy \d+ %, UAR \d+ % \(95 % interval"))
    expect(page.locator("#ser-compare")).to_be_disabled()
    check_cards(page)
    hub.answers.set()
    expect(shown.get_by_role("alert")).to_contain_text("nobody/silent")
    check_cards(page)
    hub.answers.clear()
    page.locator("#ser-compare").click()
    expect(shown.locator(".ser-emotion")).to_have_count(3)
    page.locator("#ser-compare-audio").get_by_role("button", name="Clear").click()
    expect(shown).to_have_text(messages.COMPARE_NOTE)
    hub.answers.set()
    expect(page.locator("#ser-compare")).to_be_enabled()
    page.wait_for_timeout(1000)  # in which the one that was under way ends
    expect(shown).to_have_text(messages.COMPARE_NOTE)


def check_cards(page: playwright.Page) -> None:
    """In every look no two parts of Compare overlap."""
    boxes = "all => all.map(e => e.getBoundingClientRect()).map(box => [box.left, box.top, box.right, box.bottom])"
    for _ in in_every_look(page):
        parts = page.locator("#ser-compared .ser-heading, #ser-compared .ser-card, #ser-compared .ser-bar")
        for one, other in itertools.combinations(parts.evaluate_all(boxes), 2):
            beside = one[2] <= other[0] or other[2] <= one[0]
            assert beside or one[3] <= other[1] or other[3] <= one[1]
        assert fits(page)
