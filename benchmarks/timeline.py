"""A long recording to its timeline: speed over real time, and memory by length."""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
import soundfile
import torch

from .data import ROOT, all_clips
from .rows import Row, ratio_row

RATE = 16_000
MINUTES = (10, 60)  # an hour is the longest that is taken
THREADS = 2


def rows() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        paths = [talk(Path(folder, f"{minutes}.flac"), 60 * minutes) for minutes in MINUTES]
        found = [_in_a_process(path) for path in paths]
    (_, short), (seconds, long) = found
    detail = f"{MINUTES[1]} minutes in {seconds:.0f} s, {THREADS} threads; decoding included"
    samples = 4 * RATE * 60 * MINUTES[1] / 1e6
    return [
        ratio_row("An hour of speech to its timeline: `default`, faster than real time", 60 * MINUTES[1] / seconds,
                  detail, least=20),
        ratio_row(
            "Memory that it takes beyond an idle recognizer", long,
            f"{MINUTES[0]} minutes {short:.0f} MB; an hour's samples alone are {samples:.0f} MB", most=300, unit=" MB",
        ),
    ]  # fmt: skip


def talk(path: Path, seconds: int) -> Path:
    """A recording of clips one after the other with short pauses, of so many seconds."""
    from ser_model import load_audio

    with soundfile.SoundFile(path, "w", RATE, 1) as file:
        left = seconds * RATE
        for clip in all_clips() * 4:
            wave = np.pad(load_audio(clip, RATE), (0, RATE // 4))[:left]
            file.write(wave)
            left -= len(wave)
            if not left:
                break
    return path


def _in_a_process(path: Path) -> tuple[float, float]:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_predict, (path,))


def _predict(path: Path) -> tuple[float, float]:
    """Seconds from file to timeline, and the highest memory beyond that of the idle recognizer in MB."""
    from ser_model import EmotionRecognizer, load_audio
    from ser_model.inference.timeline import predict_timeline

    torch.set_num_threads(THREADS)
    recognizer = EmotionRecognizer.from_pretrained(ROOT / "checkpoints" / "default")
    idle = psutil.Process().memory_info().rss
    Path("/proc/self/clear_refs").write_text("5")  # the peak from here on
    since = time.perf_counter()
    predict_timeline(recognizer, load_audio(path, recognizer.sampling_rate))
    seconds = time.perf_counter() - since
    status = Path("/proc/self/status").read_text()
    peak = int(status.split("VmHWM:")[1].split()[0]) * 1024
    return seconds, (peak - idle) / 1e6
