"""Decoding with the program ffmpeg: named containers only, through a pipe, within limits."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import numpy as np

from .containers import NOT_AUDIO
from .limits import BLOCK_SAMPLES, CUT_OFF, AudioError, check_rate

TIME_LIMIT = 120.0  # seconds for one recording, and as long for a place in the queue
MAX_ALLOCATION = 2**27  # bytes that ffmpeg may ask for at once
AT_ONCE = 2
CUT_WORDS = ("partial file", "ended prematurely", "Error while decoding")

_places = threading.BoundedSemaphore(AT_ONCE)


@contextmanager
def decoded(
    original: str | bytes, demuxer: str, max_seconds: float, strict: bool = True
) -> Iterator[tuple[int, int, Iterator[np.ndarray]]]:
    """Runs ffmpeg on one recording; it is gone when the context ends.

    Args:
        original: Path, or the file's bytes.
        demuxer: ffmpeg's name of the only container it may take the file for.
        max_seconds: Nothing is decoded beyond one second past it.
        strict: Whether what ffmpeg cannot decode is taken for the sign of a cut file; otherwise it is skipped.

    Yields:
        Sampling rate in Hz, number of channels, blocks of float32 samples `(num_frames, num_channels)`.

    Raises:
        AudioError: ffmpeg is missing or busy, or cannot decode the file within its limits.
    """
    program = shutil.which("ffmpeg")
    if program is None:
        raise AudioError(
            "This file needs the program ffmpeg, which is not installed here. "
            "WAV, FLAC, and OGG and MP3 files that say how long they are work without it."
        )
    with tempfile.TemporaryDirectory() as folder:
        if isinstance(original, bytes):
            path = os.path.join(folder, "given")
            with open(path, "wb") as file:
                file.write(original)
        else:
            path = os.path.abspath(original)
        if not _places.acquire(timeout=TIME_LIMIT):
            raise AudioError("Other recordings are being decoded; try again in a moment.")
        try:
            with _Run(_command(program, demuxer, path, max_seconds), CUT_WORDS if strict else ()) as run:
                rate, channels = run.header()
                yield check_rate(rate), channels, run.blocks(channels)
        finally:
            _places.release()


def _command(program: str, demuxer: str, path: str, max_seconds: float) -> list[str]:
    """Decodes to Sun AU, whose header is short and does not need to be filled in at the end."""
    return [
        program, "-v", "error", "-nostdin", "-threads", "1",
        "-timelimit", f"{TIME_LIMIT:.0f}", "-max_alloc", str(MAX_ALLOCATION),
        "-protocol_whitelist", "file", "-format_whitelist", demuxer, "-f", demuxer, "-i", f"file:{path}",
        "-vn", "-sn", "-dn", "-map_metadata", "-1", "-t", f"{max_seconds + 1:g}",
        "-c:a", "pcm_f32be", "-f", "au", "pipe:1",
    ]  # fmt: skip


class _Run:
    """One ffmpeg process; killed when its time is over or its context ends."""

    def __init__(self, command: list[str], cut_words: tuple[str, ...]):
        self.cut_words = cut_words
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.last_lines: deque[bytes] = deque(maxlen=20)
        self.out_of_time = False
        self.timer = threading.Timer(TIME_LIMIT, self._end_late)
        self.errors = threading.Thread(target=self._collect_errors, daemon=True)

    def __enter__(self) -> _Run:
        self.timer.daemon = True
        self.timer.start()
        self.errors.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.timer.cancel()
        self.process.kill()
        self.process.wait()
        self.errors.join()
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()

    def header(self) -> tuple[int, int]:
        """Rate in Hz and number of channels of what ffmpeg writes."""
        head = self._output.read(24)
        if len(head) < 24:
            self._check_end()
            raise AudioError(NOT_AUDIO)
        _, start, _, _, rate, channels = struct.unpack(">4s5I", head)
        self._output.read(start - 24)
        return rate, channels

    def blocks(self, channels: int) -> Iterator[np.ndarray]:
        frame = 4 * channels
        size = max(1, BLOCK_SAMPLES // channels) * frame
        while block := self._output.read(size):
            whole = len(block) // frame * frame
            yield np.frombuffer(block[:whole], dtype=">f4").astype(np.float32).reshape(-1, channels)
        self._check_end()

    @property
    def _output(self) -> IO[bytes]:
        assert self.process.stdout is not None
        return self.process.stdout

    def _check_end(self) -> None:
        status = self.process.wait()
        self.errors.join()
        said = b"".join(self.last_lines).decode("utf-8", "replace")
        if self.out_of_time:
            raise AudioError(f"The recording could not be decoded within {TIME_LIMIT:.0f} s.")
        if any(words in said for words in self.cut_words):
            raise AudioError(CUT_OFF)
        if status:
            raise AudioError(NOT_AUDIO)

    def _collect_errors(self) -> None:
        assert self.process.stderr is not None
        while line := self.process.stderr.readline(4096):
            self.last_lines.append(line)

    def _end_late(self) -> None:
        self.out_of_time = True
        self.process.kill()
