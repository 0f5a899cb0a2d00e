"""Recordings as a stream of blocks, decoded as they are asked for: never a whole recording in memory."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from os import fsencode
from typing import BinaryIO

import numpy as np
import soundfile

from . import ffmpeg
from .containers import demuxer_of, is_cut, reason_not_audio, tells_length, unfilled_size
from .files import shortened
from .limits import BLOCK_SAMPLES, CUT_OFF, MAX_SECONDS, MIN_SECONDS, AudioError, check_length, check_rate
from .sources import AudioSource, Samples, identify

UNKNOWN_FRAMES = 2**60  # from here on libsndfile means that a stream does not say how long it is


@dataclass(frozen=True)
class Stream:
    """An opened recording.

    Attributes:
        rate: Sampling rate in Hz.
        channels: Number of channels.
        blocks: float32 `(num_frames, num_channels)` each, as recorded; each is valid until the next one is taken.
    """

    rate: int
    channels: int
    blocks: Iterator[np.ndarray]


@contextmanager
def open_audio(
    source: AudioSource, source_rate: int | None = None, max_seconds: float = MAX_SECONDS
) -> Iterator[Stream]:
    """Opens a recording; its blocks are to be taken within the context.

    Args:
        source: See `load_audio`.
        source_rate: Sampling rate of samples in Hz; files bring their own.
        max_seconds: Longer recordings are refused, at once where they say how long they are.

    Raises:
        AudioError: The recording cannot be opened or, while its blocks are taken, decoded.
    """
    given = identify(source, source_rate)
    if isinstance(given, Samples):
        yield _limited(given.rate, given.values.shape[1], given.blocks(), max_seconds)
        return
    with closing(_opened(given)) as raw:
        size = raw.seek(0, io.SEEK_END)
        if is_cut(raw, size):
            raise AudioError(CUT_OFF)
        demuxer, told = demuxer_of(raw), tells_length(raw, size)
        sound = _soundfile(given, raw, size)
        with nullcontext() if sound is None else sound:
            if sound is not None and (told or not _estimates(sound)):
                rate = check_rate(sound.samplerate)
                if sound.frames < UNKNOWN_FRAMES:
                    check_length(sound.frames, sound.channels, rate, max_seconds)
                yield _limited(rate, sound.channels, _blocks(sound), max_seconds)
                return
        if sound is not None:
            demuxer = demuxer or "mp3"  # behind bytes that are none of its frames
        if demuxer is None:
            raise AudioError(reason_not_audio(raw))
        with ffmpeg.decoded(given, demuxer, max_seconds, strict=sound is None) as (rate, channels, blocks):
            yield _limited(rate, channels, blocks, max_seconds)


def _opened(given: str | bytes) -> BinaryIO:
    if isinstance(given, bytes):
        return io.BytesIO(given)
    try:
        return open(given, "rb")
    except OSError as error:
        raise AudioError(f"{shortened(given)} cannot be opened: {error.strerror}.") from None


def _soundfile(given: str | bytes, raw: BinaryIO, size: int) -> soundfile.SoundFile | None:
    """The file in libsndfile, or None where that does not know it."""
    unfilled = unfilled_size(raw, size)
    raw.seek(0)
    try:
        if unfilled is not None:
            return _Forward(_Overlay(raw, *unfilled))
        return _Forward(fsencode(given) if isinstance(given, str) else raw)
    except (soundfile.LibsndfileError, RuntimeError, TypeError):  # TypeError: named .raw
        return None


def _estimates(sound: soundfile.SoundFile) -> bool:
    """Whether libsndfile may stop early: it estimates the length of MPEG audio, and knows one recording per Ogg."""
    return sound.format == "OGG" or sound.subtype.startswith("MPEG_LAYER")


class _Forward(soundfile.SoundFile):
    """Read from its start to its end: soundfile looks for its place after each block, which not every stream can."""

    def seekable(self) -> bool:
        return False


class _Overlay:
    """A file with some of its bytes replaced, as far as libsndfile looks at it."""

    def __init__(self, raw: BinaryIO, place: int, replacement: bytes):
        self.seek, self.tell, self.raw = raw.seek, raw.tell, raw
        self.place, self.replacement = place, replacement

    def read(self, count: int) -> bytes:
        start = self.tell()
        content = bytearray(self.raw.read(count))
        for place, byte in enumerate(self.replacement, self.place - start):
            if 0 <= place < len(content):
                content[place] = byte
        return bytes(content)


def _blocks(sound: soundfile.SoundFile) -> Iterator[np.ndarray]:
    """Decodes with libsndfile, which takes what a cut file still has for the whole."""
    promised, count = sound.frames, 0
    size = min(BLOCK_SAMPLES // sound.channels, promised)  # libsndfile writes zeros over what it cannot fill
    buffer = np.empty((max(1, size), sound.channels), dtype=np.float32)
    try:
        while len(block := sound.read(out=buffer)):
            count += len(block)
            yield block
    except soundfile.LibsndfileError:
        raise AudioError(CUT_OFF) from None
    missing = promised - count if promised < UNKNOWN_FRAMES else 0
    if missing > MIN_SECONDS * sound.samplerate:
        raise AudioError(CUT_OFF)


def _limited(rate: int, channels: int, blocks: Iterator[np.ndarray], max_seconds: float) -> Stream:
    """A stream that ends with an error where it goes on past the limits."""

    def counted() -> Iterator[np.ndarray]:
        count = 0
        for block in blocks:
            count += len(block)
            check_length(count, channels, rate, max_seconds)
            yield block

    return Stream(rate, channels, counted())
