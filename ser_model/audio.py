"""The one door through which audio enters: decode, downmix, resample, refuse."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
import tempfile
from os import PathLike
from pathlib import Path

import numpy as np
import soundfile
import soxr

AudioSource = str | PathLike | bytes | np.ndarray

MIN_SECONDS = 0.1
MAX_SECONDS = 3600.0
MIN_RATE, MAX_RATE = 1_000, 768_000
SILENCE_PEAK = 1e-4  # -80 dB below full scale: two steps of 16-bit audio
CUT_OFF = "The recording is cut off or damaged: its file ends before the audio it promises."
AUDIO_ENDINGS = {".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".m4a", ".aac", ".webm", ".mp4", ".aif", ".aiff"}


class AudioError(ValueError):
    """A recording that cannot be used, said in the words of the person who brought it."""


def load_audio(
    source: AudioSource,
    sampling_rate: int,
    source_rate: int | None = None,
    max_seconds: float = MAX_SECONDS,
) -> np.ndarray:
    """Reads a recording as one channel at one sampling rate.

    Args:
        source: Path, bytes of a file, or an array of samples: `(num_samples,)` or two-dimensional
            with the shorter axis taken as the channels. Integer samples are scaled to [-1, 1].
        sampling_rate: Sampling rate of the result in Hz.
        source_rate: Sampling rate of an array in Hz; files bring their own.
        max_seconds: Longer recordings are refused.

    Returns:
        float32 array `(num_samples,)`.

    Raises:
        AudioError: The recording is missing, not audio, cut off, empty, shorter than 0.1 s, longer
            than `max_seconds`, silent throughout, or holds NaN or infinite samples.
    """
    samples, rate = decode(source, source_rate, max_seconds)
    mono = samples.mean(axis=1, dtype=np.float32)
    _refuse(mono, rate, max_seconds)
    if rate != sampling_rate:
        mono = soxr.resample(mono, rate, sampling_rate)
    return np.ascontiguousarray(mono, dtype=np.float32)


def decode(
    source: AudioSource, source_rate: int | None = None, max_seconds: float = MAX_SECONDS
) -> tuple[np.ndarray, int]:
    """Decodes without changing rate or channels: float32 `(num_samples, num_channels)` and Hz."""
    if isinstance(source, np.ndarray):
        if source_rate is None:
            raise AudioError("An array of samples needs its sampling rate in Hz.")
        return _from_array(source), _sane_rate(source_rate)
    if isinstance(source, (bytes, bytearray)):
        if not source:
            raise AudioError("The recording is empty: it has no bytes.")
        return _from_file(io.BytesIO(source), bytes(source), max_seconds)
    path = Path(source)
    if not path.is_file():
        raise AudioError(f"There is no file at {path}.")
    if path.stat().st_size == 0:
        raise AudioError("The recording is empty: the file has no bytes.")
    return _from_file(path, path, max_seconds)


def _from_array(samples: np.ndarray) -> np.ndarray:
    if samples.ndim not in (1, 2):
        raise AudioError(f"Samples must have one or two dimensions, not {samples.ndim}.")
    if samples.ndim == 1:
        samples = samples[:, None]
    elif samples.shape[0] < samples.shape[1]:
        samples = samples.T
    if samples.dtype == np.uint8:
        return (samples.astype(np.float32) - 128) / 128
    if np.issubdtype(samples.dtype, np.signedinteger):
        return (samples / -float(np.iinfo(samples.dtype).min)).astype(np.float32)
    if np.issubdtype(samples.dtype, np.floating):
        return samples.astype(np.float32)
    raise AudioError(f"Samples of type {samples.dtype} are not audio.")


def _from_file(handle: io.BytesIO | Path, original: bytes | Path, max_seconds: float) -> tuple[np.ndarray, int]:
    try:
        file = soundfile.SoundFile(handle)
    except soundfile.LibsndfileError:
        return _through_ffmpeg(original, max_seconds)
    with file:
        rate = _sane_rate(file.samplerate)
        _refuse_long(file.frames / rate, max_seconds)
        try:
            samples = file.read(dtype="float32", always_2d=True)
        except soundfile.LibsndfileError:
            raise AudioError(CUT_OFF) from None
        missing = file.frames - len(samples)
    if missing > MIN_SECONDS * rate or _wav_is_cut(original):
        raise AudioError(CUT_OFF)
    return samples, rate


def _wav_is_cut(original: bytes | Path) -> bool:
    """Whether a RIFF file is shorter than its header says (libsndfile reads what is left)."""
    if isinstance(original, bytes):
        head, size = original[:8], len(original)
    else:
        with original.open("rb") as file:
            head = file.read(8)
        size = original.stat().st_size
    if head[:4] != b"RIFF" or len(head) < 8:
        return False
    promised = struct.unpack("<I", head[4:8])[0]
    return promised != 0xFFFFFFFF and size < promised + 7  # an odd last byte may lack its padding


def _through_ffmpeg(original: bytes | Path, max_seconds: float) -> tuple[np.ndarray, int]:
    """Decodes what libsndfile cannot (WebM/Opus, M4A, ...), reading one second past the limit."""
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        raise AudioError(
            "This file is not audio, or of a kind that needs the program ffmpeg, which is not installed here. "
            "WAV, FLAC, OGG and MP3 work without it."
        )
    with tempfile.TemporaryDirectory() as folder:
        if isinstance(original, bytes):
            given = Path(folder, "given")
            given.write_bytes(original)
        else:
            given = original
        decoded = Path(folder, "decoded.wav")
        command = [ffmpeg, "-v", "error", "-nostdin", "-i", str(given), "-vn", "-t", str(max_seconds + 1)]
        done = subprocess.run([*command, "-c:a", "pcm_f32le", str(decoded)], capture_output=True, text=True)
        if done.returncode or not decoded.is_file():
            raise AudioError("This file is not audio that can be read, or it is damaged.")
        if any(words in done.stderr for words in ("partial file", "ended prematurely", "Error while decoding")):
            raise AudioError(CUT_OFF)
        samples, rate = soundfile.read(decoded, dtype="float32", always_2d=True)
    return samples, _sane_rate(rate)


def _sane_rate(rate: int) -> int:
    if not MIN_RATE <= rate <= MAX_RATE:
        raise AudioError(f"A sampling rate of {rate} Hz is outside {MIN_RATE} to {MAX_RATE} Hz.")
    return int(rate)


def _refuse_long(seconds: float, max_seconds: float) -> None:
    if seconds > max_seconds:
        raise AudioError(f"The recording lasts {seconds:.1f} s; at most {max_seconds:g} s are taken.")


def _refuse(mono: np.ndarray, rate: int, max_seconds: float) -> None:
    seconds = len(mono) / rate
    if len(mono) == 0:
        raise AudioError("The recording is empty: it has no samples.")
    if not np.isfinite(mono).all():
        raise AudioError("The recording holds samples that are not numbers (NaN or infinite).")
    if seconds < MIN_SECONDS:
        raise AudioError(f"The recording is too short: {seconds:.3f} s, at least {MIN_SECONDS} s are needed.")
    _refuse_long(seconds, max_seconds)
    if np.ptp(mono) < 2 * SILENCE_PEAK:
        raise AudioError("The recording is silent: there is nothing to hear in it.")
