"""The tab Act an emotion: what the server makes of a take, and what it says about how often the model is right."""

from __future__ import annotations

import json
import re

import httpx
import numpy as np
import pytest
from conftest import ROOT, spoken
from demo_helpers import LABELS, RATE, tiny_recognizer
from fastapi import FastAPI
from starlette.testclient import TestClient

from demo import act_texts, cards
from demo.tabs import act

REPORT = json.loads((ROOT / "checkpoints" / "default" / "report.json").read_text())


@pytest.fixture(scope="module")
def server() -> TestClient:
    app = FastAPI()
    app.include_router(act.routes(tiny_recognizer))
    return TestClient(app)


def post(server: TestClient, wave: np.ndarray, rate: int = RATE, **headers: str) -> httpx.Response:
    pcm = (32767 * wave).astype("<i2").tobytes()
    return server.post(f"/act?rate={rate}", content=pcm, headers=headers)


def test_a_take_is_predicted(server):
    answer = post(server, spoken(2.0, 48_000), 48_000).json()
    assert answer["label"] in LABELS and answer["label"] in answer["answer"]


def test_a_take_without_speech_has_no_label(server):
    answer = post(server, 0.1 * np.random.default_rng(0).standard_normal(2 * RATE).clip(-1, 1)).json()
    assert answer["label"] is None and "No speech found" in answer["answer"]


def test_what_is_no_take_is_refused_in_one_sentence(server):
    assert post(server, np.zeros(RATE * (act.MOST_SECONDS + 1))).status_code == 413
    assert post(server, spoken(1.0), rate=100).status_code == 400
    assert post(server, spoken(1.0), origin="https://elsewhere.example").status_code == 403
    assert server.post(f"/act?rate={RATE}", content=b"odd").status_code == 400
    empty = post(server, np.zeros(0))
    assert empty.status_code == 400 and empty.json()["detail"].endswith(".")


def test_how_often_it_is_right_compares_like_with_like():
    line = act_texts.how_often_right(REPORT)
    of_all, on_crema, of_listeners = map(int, re.findall(r"in (\d+) %", line, re.IGNORECASE))
    assert of_all == round(100 * REPORT["test"]["accuracy"])
    assert on_crema == round(100 * REPORT["test"]["per_corpus"]["crema_d"]["accuracy"])
    assert of_listeners == 41
    unknown = act_texts.how_often_right(None)
    assert "Unknown" in unknown and "41 %" in unknown and "trained" not in act_texts.listeners_note(None)


def test_a_confusion_matrix_shows_counts_and_shares_of_rows():
    markup = cards.confusion("Matrix", ["calm", "sad"], [[3, 1], [0, 0]])
    cells = re.findall(r'data-acted="(\w+)" data-predicted="(\w+)" style="--share: ([\d.]+)">(\d*)<', markup)
    assert cells == [("calm", "calm", "0.750", "3"), ("calm", "sad", "0.250", "1"),
                     ("sad", "calm", "0.000", ""), ("sad", "sad", "0.000", "")]  # fmt: skip
