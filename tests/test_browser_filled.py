"""Every tab with a result on it, on a desk and on a phone, by day and by night: one page, turned to each look."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from app_helpers import PATIENCE, tone_file
from browser_helpers import STILL, fill, fits, go, in_every_look, tabs
from demo_helpers import recording

pytest_plugins = ("browser_fixtures",)
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright for Python is not installed")
axe = pytest.importorskip("axe_playwright_python.base", reason="axe-playwright-python is not installed")
expect = playwright.expect
expect.set_options(timeout=1000 * PATIENCE)


@pytest.fixture(scope="module")
def page(browser, app_url, tmp_path_factory) -> Iterator[playwright.Page]:
    """The page with all its tabs filled."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "bad.wav").write_text("These are words, not sound.")
    visit = browser.new_context()
    visit.set_default_timeout(1000 * PATIENCE)
    page, errors = visit.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(app_url)
    page.locator("#ser-act-target:not(:empty)").wait_for()
    fill(page, tone_file(folder / "tone.wav", 1.0), recording(folder / "talk.wav", 2.0, 2.0), folder / "bad.wav")
    yield page
    visit.close()
    assert errors == []


# Of what is seen on a tab: texts that hardly stand out, and cells of tables beside the page.
UNREADABLE = """() => {
    const dark = document.body.classList.contains("dark");
    return ["p", "td", "th", "text"]
        .flatMap((kind) => [...document.querySelectorAll(`[class*=ser-] ${kind}`)])
        .filter((e) => e.checkVisibility() && e.textContent.trim() && !e.closest(".ser-primary"))
        .filter((e) => {
            const [r, g, b] = getComputedStyle(e)[e.matches("text") ? "fill" : "color"].match(/[\\d.]+/g).map(Number);
            return dark ? 0 < r + g + b && r + g + b < 400 : 400 < r + g + b && r + g + b < 765;
        }).map((e) => e.textContent);
}"""
# Serious and critical violations. A rule's own impact goes before those of its checks, so that rules which can find
# nothing of that kind need not run.
SERIOUS = """async () => {
    const slight = axe._audit.rules.filter((rule) => ["minor", "moderate"].includes(rule.impact));
    const rules = Object.fromEntries(slight.map((rule) => [rule.id, { enabled: false }]));
    const { violations } = await axe.run({ resultTypes: ["violations"], rules });
    return violations.filter((each) => ["serious", "critical"].includes(each.impact))
        .map((each) => [each.id, each.nodes[0].html.slice(0, 150)]);
}"""
OUTSIDE = """() => [...document.querySelectorAll(".ser-table td")].filter((cell) => cell.checkVisibility()
    && cell.getBoundingClientRect().right > innerWidth).map((cell) => cell.textContent)"""


@pytest.fixture(scope="module")
def seen(page) -> list[dict]:
    """What each tab shows in each look: every one is opened once, for all tests."""
    go(page, "About").get_by_role("button", name="Model card of").first.click()
    expect(page.locator(".ser-prose table").first).to_be_visible()
    names = tabs(page)
    page.evaluate(axe.AXE_SCRIPT)
    return [seen_of(page, width, name) for width in in_every_look(page) for name in names]


def seen_of(page: playwright.Page, width: int, name: str) -> dict:
    go(page, name)
    page.wait_for_function(STILL)  # what fades in has come
    return {
        "at": (width, name),
        "serious": page.evaluate(SERIOUS),
        "title": page.locator("h1").bounding_box()["x"],
        "fits": fits(page),
        "unreadable": page.evaluate(UNREADABLE),
        "outside": page.evaluate(OUTSIDE),
    }


@pytest.mark.parametrize("fault", ["serious", "unreadable", "outside"])
def test_no_tab_has_a_violation_text_that_is_hard_to_read_or_a_column_out_of_sight(seen, fault):
    assert [(each["at"], each[fault]) for each in seen if each[fault]] == []


def test_nothing_moves_sideways_between_tabs_nor_leaves_the_page(page, seen):
    assert [each["at"] for each in seen if not each["fits"]] == []
    assert len({(each["at"][0], each["title"]) for each in seen}) == 2, "one place on a desk, and one on a phone"
    assert page.evaluate("getComputedStyle(document.documentElement).scrollbarGutter") == "stable"


# Where title and button are, in each frame of a second and until no job runs any more: a short one may end unseen.
WATCH = """() => {
    window.places = [];
    window.done = false;
    const status = document.querySelector("#ser-recording-status"), since = performance.now();
    const look = () => {
        const title = document.querySelector("h1").getBoundingClientRect();
        const button = document.querySelector("#ser-analyse").getBoundingClientRect();
        window.places.push([title.x, button.x, button.y - title.y]);
        window.done = performance.now() - since > 1000 && !status.querySelector("[role=progressbar]");
        if (!window.done) requestAnimationFrame(look);
    };
    look();
}"""


def test_nothing_moves_while_a_job_runs(page):
    go(page, "Recording")
    for width in in_every_look(page):
        page.evaluate(WATCH)
        page.get_by_role("button", name="Analyse the recording").click()
        page.wait_for_function("window.done")
        assert (np.ptp(page.evaluate("window.places"), axis=0) <= 1).all(), width


def test_a_column_of_buttons_is_not_sorted(page):
    go(page, "Batch")
    heads = page.locator("#ser-batch-table").get_by_role("table", name="Files", exact=True).locator("th")
    assert heads.all_text_contents()[:2] == ["play", "file"]
    assert [heads.nth(place).locator("button").count() for place in range(2)] == [0, 1]
