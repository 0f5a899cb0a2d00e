"""The app under eight clients at once."""

from __future__ import annotations

import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from gradio_client import Client, handle_file

from scripts.visit import running_app

from .data import ROOT
from .rows import Row, ratio_row

CLIENTS, SECONDS = 8, 20.0


def rows() -> list[Row]:
    waits: list[float] = []
    with tempfile.TemporaryDirectory() as folder, running_app(Path(folder)) as (url, _):
        examples = sorted((ROOT / "examples").glob("*.flac"))
        clients = [Client(url, verbose=False) for _ in range(CLIENTS)]
        for client in clients[:1]:
            client.predict(handle_file(examples[0]), api_name="/predict")
        end = time.monotonic() + SECONDS
        threads = [threading.Thread(target=_visit, args=(client, examples, end, waits)) for client in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    half, nearly_all = np.percentile(waits, [50, 95])
    detail = f"{len(waits) / SECONDS:.1f} clips a second; p50 {half:.2f} s, p95 {nearly_all:.2f} s"
    return [ratio_row(f"App with {CLIENTS} clients: p95 of the wait over p50", nearly_all / half, detail, most=4)]


def _visit(client: Client, examples: list[Path], end: float, waits: list[float]) -> None:
    number = 0
    while time.monotonic() < end:
        since = time.monotonic()
        client.predict(handle_file(examples[number % len(examples)]), api_name="/predict")
        waits.append(time.monotonic() - since)
        number += 1
