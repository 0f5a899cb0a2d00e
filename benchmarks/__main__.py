"""Measures the speed of everything and writes the table: `python -m benchmarks [NAME ...]`.

`make benchmark` runs it, on a machine that does nothing else. The corpora are looked for in SER_DATA_DIR. With names
only those are measured, and nothing is written.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict

from .rows import measured
from .table import RESULTS, hardware, shown, write_table

NAMES = (
    "imports", "features", "voice_quality", "encoder_frames", "caches", "training", "warm_start", "single_clip", "onnx",
    "timeline", "app",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"what to measure (default: all): {', '.join(NAMES)}")
    names = parser.parse_args().names
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    rows = []
    for name in names or NAMES:
        since = time.monotonic()
        # A process each: threads, memory and caches of one do not reach the next.
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
            found = process.submit(measured, name).result()
        for row in found:
            print(shown(row), flush=True)
        print(f"  ({name}: {time.monotonic() - since:.0f} s)", flush=True)
        rows += found
    if not names:
        results = {"hardware": hardware(), "rows": [asdict(row) for row in rows]}
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")
        print(f"wrote {RESULTS} and {write_table()}")


if __name__ == "__main__":
    main()
