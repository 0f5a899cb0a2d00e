"""Long jobs of several visitors at once, cancelled while they run or wait in gradio's queue."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import gradio as gr
import httpx
import pytest
from starlette.middleware import Middleware
from starlette.requests import Request

from demo import cancelling, messages
from demo.cancelling import ArrivalTime
from demo.components import long_job

PLACES = 2  # jobs that run at once


class Page:
    """A page with one long job, which waits after its first step until it may go on."""

    def __init__(self) -> None:
        self.running = threading.Semaphore(0)
        self.go_on = threading.Event()
        with gr.Blocks() as self.blocks:
            given, option, shown = gr.File(), gr.Checkbox(), [gr.HTML(), gr.HTML()]
            buttons = gr.Button(), gr.Button()
            long_job([buttons[0].click], self.steps, given, option, shown, buttons, "waiting")
        self.events = {function.fn.__name__: number for number, function in self.blocks.fns.items()}
        self.blocks.launch(
            server_name="127.0.0.1", prevent_thread_lock=True, quiet=True, ssr_mode=False,
            app_kwargs={"middleware": [Middleware(ArrivalTime)]},
        )  # fmt: skip
        self.client = httpx.Client(base_url=self.blocks.local_url, timeout=60)

    def steps(self, given, option):
        yield "first", ""
        self.running.release()
        assert self.go_on.wait(60)
        yield "result", ""

    def ask(self, name: str, session: str, address: str = "run/predict", data: tuple = ()) -> list:
        body = {"data": data, "fn_index": self.events[name], "session_hash": session}
        answer = self.client.post(f"gradio_api/{address}", json=body).raise_for_status().json()
        return answer.get("data", [])

    def start(self, session: str) -> list:
        """Clicks on start as the page does; returns what is shown until the job has a place."""
        shown = self.ask("start", session)
        self.ask("run", session, "queue/join", (None, False))
        return shown

    def outcome(self, session: str) -> list:
        """What a session's job leaves at last: two texts, and two buttons."""
        told = self.client.get("gradio_api/queue/data", params={"session_hash": session}).text
        seen = [json.loads(line.removeprefix("data: ")) for line in told.splitlines() if line.startswith("data: ")]
        (completed,) = (each for each in seen if each["msg"] == "process_completed")
        return completed["output"]["data"]


@pytest.fixture
def page():
    page = Page()
    yield page
    page.go_on.set()
    page.client.close()
    page.blocks.close()


def clickable(shown: list) -> list[bool]:
    return [button["interactive"] for button in shown[2:]]


@pytest.mark.parametrize(("way", "told"), [("end", messages.CANCELLED), ("clear", "waiting")])
def test_a_job_may_be_cancelled_while_it_waits(page, way, told):
    sessions = [*(f"running {number}" for number in range(PLACES)), "cancelled", "kept"]
    for earlier in sessions:
        page.ask("clear", earlier)  # before there is a job: none of those to come
    with ThreadPoolExecutor() as readers:
        for session in sessions:
            shown = page.start(session)
            assert messages.WAITING in shown[0] and clickable(shown) == [False, True]
        for _ in range(PLACES):
            assert page.running.acquire(timeout=60)
        for session in ("cancelled", "running 1"):
            shown = page.ask(way, session)
            assert told in shown[0] and clickable(shown) == [True, False]
        outcomes = [readers.submit(page.outcome, session) for session in sessions]
        page.go_on.set()
        shown = [outcome.result(60) for outcome in outcomes]
    assert [told in each[0] for each in shown] == [False, True, True, False], shown
    assert all(clickable(each) == [True, False] for each in shown)
    assert shown[0][0] == shown[3][0] == "result" and page.running.acquire(timeout=1)  # that of the one kept
    assert not page.running.acquire(blocking=False)  # the one cancelled got no further than its first step


def test_a_cancelled_job_leaves_what_was_started_since(page):
    with ThreadPoolExecutor() as readers:
        page.start("someone")
        assert page.running.acquire(timeout=60)
        page.ask("end", "someone")
        page.ask("start", "someone")  # whose job the page asks for when the one cancelled has ended
        outcome = readers.submit(page.outcome, "someone")
        page.go_on.set()
        shown = outcome.result(60)
    assert messages.WAITING in shown[0] and clickable(shown) == [False, True]


def test_after_a_fault_another_job_may_be_started(page):
    (fail,) = (function for function in page.blocks.fns.values() if function.fn.__name__ == "fail")
    assert [trigger for _, trigger in fail.targets] == ["failure"]
    shown = page.ask("fail", "someone")
    assert messages.FAILED in shown[0] and clickable(shown) == [True, False]


def test_few_last_words_are_remembered(monkeypatch):
    monkeypatch.setattr(cancelling, "MOST_SESSIONS", 3)
    words = cancelling.LastWords()

    def request(session: int, arrived: float) -> gr.Request:
        return gr.Request(Request({"type": "http", "state": {"arrived": arrived}}), session_hash=str(session))

    for session in range(5):
        words.say(request(session, 2.0), session)
    assert [words.since(request(session, 1.0)) for session in range(5)] == [None, None, (2,), (3,), (4,)]
    assert words.since(request(4, 3.0)) is None
