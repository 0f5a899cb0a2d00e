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
            start, cancel = gr.Button(), gr.Button()
            long_job([start.click], self.steps, given, option, shown, cancel, "waiting")
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

    def ask(self, name: str, session: str, address: str = "run/predict", data: tuple = ()) -> None:
        body = {"data": data, "fn_index": self.events[name], "session_hash": session}
        self.client.post(f"gradio_api/{address}", json=body).raise_for_status()

    def start(self, session: str) -> None:
        self.ask("run", session, "queue/join", (None, False))

    def outcome(self, session: str) -> str:
        """What a session's job shows at last."""
        told = self.client.get("gradio_api/queue/data", params={"session_hash": session}).text
        seen = [json.loads(line.removeprefix("data: ")) for line in told.splitlines() if line.startswith("data: ")]
        (completed,) = (each for each in seen if each["msg"] == "process_completed")
        return completed["output"]["data"][0]


@pytest.fixture
def page():
    page = Page()
    yield page
    page.go_on.set()
    page.client.close()
    page.blocks.close()


@pytest.mark.parametrize("way", ["end", "clear"])
def test_a_job_may_be_cancelled_while_it_waits(page, way):
    sessions = [*(f"running {number}" for number in range(PLACES)), "cancelled", "kept"]
    for earlier in sessions:
        page.ask("clear", earlier)  # before there is a job: none of those to come
    with ThreadPoolExecutor() as readers:
        for session in sessions:
            page.start(session)
        for _ in range(PLACES):
            assert page.running.acquire(timeout=60)
        page.ask(way, "cancelled")
        page.ask(way, "running 1")
        outcomes = [readers.submit(page.outcome, session) for session in sessions]
        page.go_on.set()
        shown = [outcome.result(60) for outcome in outcomes]
    assert [messages.CANCELLED in each for each in shown] == [False, True, True, False], shown
    assert shown[0] == shown[3] == "result" and page.running.acquire(timeout=1)  # that of the one kept
    assert not page.running.acquire(blocking=False)  # the one cancelled got no further than its first step


def test_few_cancellations_are_remembered(monkeypatch):
    monkeypatch.setattr(cancelling, "MOST_SESSIONS", 3)
    cancelled = cancelling.Cancelled()

    def request(session: int, arrived: float) -> gr.Request:
        return gr.Request(Request({"type": "http", "state": {"arrived": arrived}}), session_hash=str(session))

    for session in range(5):
        cancelled.add(request(session, 2.0))
    assert [request(session, 1.0) in cancelled for session in range(5)] == [False, False, True, True, True]
