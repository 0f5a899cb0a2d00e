"""The tab Act an emotion in a real browser, on a desk and on a phone."""

from __future__ import annotations

import json

import pytest
from app_helpers import PATIENCE, shipped_checkpoint
from browser_helpers import HEIGHT, at_rest, fits, in_every_look, record_take

from demo import cards, messages
from ser_model.inference.results import EmotionResult, Speech
from ser_model.labels import EMOTIONS

pytest_plugins = ("browser_fixtures",)
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright for Python is not installed")
expect = playwright.expect
expect.set_options(timeout=1000 * PATIENCE)

ACT, PHONE = "Act an emotion", {"width": 390, "height": HEIGHT}
SLACK = 20  # pixels that a longer sentence or another font may take


# Clicks the button, and once more as soon as it records, however busy the machine is.
STOP_AT_ONCE = """button => {
  new MutationObserver((_, observer) => {
    if (button.dataset.on !== "true") return;
    observer.disconnect();
    button.click();
  }).observe(button, { attributes: true });
  button.click();
}"""


def kept(page: playwright.Page) -> list[dict[str, str]]:
    """What the browser keeps of the takes."""
    return json.loads(page.evaluate(f"localStorage.getItem('ser-takes:{shipped_checkpoint().name}')") or "[]")


def test_from_opening_to_how_often_it_is_right_without_scrolling(open_page):
    page = open_page(ACT, viewport=PHONE)
    expect(page.locator("#ser-tabs").get_by_role("tab").first).to_have_text(ACT)
    asked = page.inner_text("#ser-act-target")
    assert asked in EMOTIONS
    record_take(page)
    expect(page.locator("#ser-act-answer .ser-label")).to_be_visible()
    expect(page.locator("#ser-act-verdict")).to_contain_text(f"Was it right? You acted {asked}.")
    expect(page.locator(".ser-act-right")).to_contain_text("human listeners, by voice alone, in 41 %")
    for _ in in_every_look(page):
        check_no_scrolling(page)
    page.evaluate("card => { document.querySelector('#ser-act-answer').innerHTML = card; }", longest_answer())
    for _ in in_every_look(page):
        check_no_scrolling(page)


def check_no_scrolling(page: playwright.Page) -> None:
    at_rest(page, page.locator(".ser-act-right"))
    for element in ("#ser-act-target", "#ser-act-record", "#ser-act-answer", "#ser-act-verdict", ".ser-act-right"):
        box = page.locator(element).bounding_box()
        assert box["y"] >= 0 and box["y"] + box["height"] <= HEIGHT - SLACK, element
    assert page.evaluate("scrollY") == 0 and fits(page)


def longest_answer() -> str:
    """The card of two emotions in doubt, with the sentences that say so."""
    shares = {"surprise": 0.38, "disgust": 0.37, "neutral": 0.25}
    result = EmotionResult("surprise", shares, None, 3.0, Speech(0.9, 0.3), unsure_below=0.52)
    report = json.loads((shipped_checkpoint() / "report.json").read_text())
    predicted = result.as_data()
    return cards.emotion_card(predicted, messages.of_prediction(report, predicted))


def test_after_eight_takes_the_visitors_matrix_stands_beside_the_models(open_page):
    page = open_page(ACT, viewport=PHONE)
    takes = [{"target": "sad", "acted": "sad", "predicted": "calm"}] * 7
    key = f"ser-takes:{shipped_checkpoint().name}"
    page.evaluate("([key, takes]) => localStorage.setItem(key, JSON.stringify(takes))", [key, takes])
    page.reload()
    expect(page.locator("#ser-act-tally")).to_have_text("7 takes, 0 right. 1 to go until your confusion matrix.")
    expect(page.locator("#ser-act-report")).to_be_hidden()
    record_take(page)
    page.get_by_role("button", name="Yes", exact=True).click()
    report = page.locator("#ser-act-report")
    expect(report).to_be_visible()
    assert len(kept(page)) == 8 and kept(page)[-1]["acted"] == kept(page)[-1]["predicted"]
    yours = report.get_by_role("table", name="Your takes")
    expect(yours.locator("td[data-acted=sad][data-predicted=calm]")).to_have_text("7")
    expect(report.get_by_role("table", name="The model on test speakers")).to_contain_text("neutral")
    expect(report).to_contain_text("Human listeners")
    page.reload()
    expect(page.locator("#ser-act-tally")).to_have_text("8 takes, 1 right.")
    page.get_by_role("button", name="Forget my takes").click()
    expect(report).to_be_hidden()
    assert kept(page) == [] and page.evaluate("Object.keys(localStorage).join()").count("ser-takes") == 0


def test_a_wrong_prediction_a_short_take_and_a_discarded_one(open_page):
    page = open_page(ACT)
    page.locator("#ser-act-record").evaluate(STOP_AT_ONCE)
    expect(page.locator("#ser-act-answer")).to_contain_text("too short")
    record_take(page)
    page.get_by_role("button", name="Discard").click()
    expect(page.locator("#ser-act-answer")).to_be_empty()
    assert kept(page) == []
    asked = page.inner_text("#ser-act-target")
    record_take(page)
    page.get_by_role("button", name="No", exact=True).click()
    which = page.locator("#ser-act-which")
    if which.is_visible():  # the model said what was asked for
        which.get_by_role("button").first.click()
    expect(page.locator("#ser-act-tally")).to_contain_text("1 take, ")
    (take,) = kept(page)
    assert take["target"] == asked and page.inner_text("#ser-act-target") != asked
    expect(page.locator("#ser-act-held")).to_be_hidden()
    page.evaluate("() => { Storage.prototype.setItem = () => { throw new DOMException('', 'QuotaExceededError'); }; }")
    record_take(page)
    page.get_by_role("button", name="Yes", exact=True).click()
    expect(page.locator("#ser-act-tally")).to_contain_text("2 takes, ")
    expect(page.locator("#ser-act-held")).to_be_visible()
    page.get_by_role("button", name="Forget my takes").click()
    expect(page.locator("#ser-act-held")).to_be_hidden()


def test_the_microphone_ends_with_the_tab_and_a_denied_one_is_explained(open_page):
    page = open_page(ACT)
    page.evaluate(
        """() => {
            const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
            navigator.mediaDevices.getUserMedia = async (wish) => window.stream = await ask(wish);
        }"""
    )
    page.locator("#ser-act-record").click()
    expect(page.locator("#ser-act-record")).to_have_attribute("data-on", "true")
    page.get_by_role("tab", name="Clip", exact=True).click()
    page.wait_for_function("window.stream.getTracks().every((track) => track.readyState === 'ended')")
    page.get_by_role("tab", name=ACT, exact=True).click()
    page.evaluate("() => { navigator.mediaDevices.getUserMedia = () => Promise.reject(new Error('no')); }")
    page.locator("#ser-act-record").click()
    expect(page.locator("#ser-act-answer")).to_contain_text("microphone cannot be used")
    expect(page.locator("#ser-act-record")).to_have_text("Record")
