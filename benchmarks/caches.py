"""Feature caches of whole corpora: two processes beside one, and memory by number of clips."""

from __future__ import annotations

import multiprocessing
import shutil
import tempfile
import threading
import time

import psutil
from datasets import Dataset, disable_progress_bars

from ser_model import SerFeatureExtractor
from ser_model.training.augmentation import Augmentation
from ser_model.training.feature_cache import ViewFrames

from .data import all_clips, one_thread
from .rows import Row, ratio_row

CLIPS = (1_000, 4_000, 12_162)


def rows() -> list[Row]:
    clips = [str(path) for path in all_clips()]
    sizes = [min(count, len(clips)) for count in CLIPS]
    made = {(size, 2): _in_a_process(clips[:size], 2) for size in sizes}
    made[sizes[-1], 1] = _in_a_process(clips[: sizes[-1]], 1)
    one, two = made[sizes[-1], 1][0], made[sizes[-1], 2][0]
    peaks = [made[size, 2][1] for size in sizes]
    memory = ", ".join(f"{size:,} clips {peak:.0f} MB" for size, peak in zip(sizes, peaks, strict=True))
    return [
        ratio_row(
            f"Log-mels of {sizes[-1]:,} clips on 2 processes, faster than on one", one / two,
            f"{one:.0f} s and {two:.0f} s", least=1.8,
        ),
        ratio_row("Memory at the most clips over that at the fewest", peaks[-1] / peaks[0], memory, most=1.1),
    ]  # fmt: skip


def _in_a_process(clips: list[str], num_proc: int) -> tuple[float, float]:
    """Seconds, and the highest private memory of all processes together in MB."""
    receiving, sending = multiprocessing.get_context("spawn").Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(target=_make, args=(clips, num_proc, sending))
    process.start()
    highest = [0.0]
    watching = threading.Thread(target=_watch, args=(process.pid, highest))
    watching.start()
    seconds = receiving.recv()
    process.join()
    watching.join()
    return seconds, highest[0]


def _make(clips: list[str], num_proc: int, sending) -> None:
    one_thread()
    disable_progress_bars()
    folder = tempfile.mkdtemp()
    try:
        path = f"{folder}/table.arrow"
        Dataset.from_dict({"audio": clips, "emotion": [0] * len(clips)}).save_to_disk(path)
        table = Dataset.load_from_disk(path)  # from a file: the cache lies beside it
        since = time.perf_counter()
        ViewFrames(table, [(0, 0)], SerFeatureExtractor(), Augmentation(), 0, num_proc)
        sending.send(time.perf_counter() - since)
    finally:
        shutil.rmtree(folder)


def _watch(pid: int, highest: list[float]) -> None:
    """Keeps the highest memory that a process and its children have for themselves."""
    try:
        process = psutil.Process(pid)
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            total = 0
            for each in (process, *process.children(recursive=True)):
                try:
                    total += each.memory_full_info().uss
                except psutil.NoSuchProcess:
                    continue
            highest[0] = max(highest[0], total / 1e6)
            time.sleep(0.2)
    except psutil.NoSuchProcess:
        pass
