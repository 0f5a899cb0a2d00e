"""Ways that a recording takes: telephone, codecs, rooms, other rates; and small cuts and errors on it."""

from __future__ import annotations

import functools
import itertools
import shutil
import subprocess

import numpy as np
import soxr
from scipy.signal import fftconvolve

from ser_model.audio import load_audio

from .scene import Scene, Transform, chain, high_pass, low_pass

SPEED_OF_SOUND = 343.0  # m/s
MU = 255
CODEC_SECONDS = 60


def through(rate: int) -> Transform:
    """To another sampling rate in Hz and back."""

    def apply(wave: np.ndarray, scene: Scene) -> np.ndarray:
        there = soxr.resample(wave, scene.rate, rate)
        return _fitted(soxr.resample(there, rate, scene.rate), len(wave))

    return apply


def band(low: float, high: float) -> Transform:
    """Only what lies between two frequencies in Hz, 24 dB an octave outside."""
    return chain(high_pass(low), low_pass(high))


def mu_law(wave: np.ndarray, scene: Scene) -> np.ndarray:
    """G.711: 8 kHz, samples as 8 bits on a logarithmic scale."""
    there = np.clip(soxr.resample(wave, scene.rate, 8_000), -1, 1)
    coded = np.round(127 * np.sign(there) * np.log1p(MU * np.abs(there)) / np.log1p(MU)) / 127
    decoded = np.sign(coded) * np.expm1(np.abs(coded) * np.log1p(MU)) / MU
    return _fitted(soxr.resample(decoded.astype(np.float32), 8_000, scene.rate), len(wave))


def codec(encoder: str, container: str, kbit: int) -> Transform:
    """Encodes with a lossy codec of the ffmpeg program and decodes again.

    Args:
        encoder: ffmpeg's name of it, see `missing_encoder`.
        container: ffmpeg's name of the file format.
        kbit: Bit rate in kbit/s.
    """

    def apply(wave: np.ndarray, scene: Scene) -> np.ndarray:
        command = ["ffmpeg", "-v", "error", "-nostdin", "-f", "f32le", "-ar", str(scene.rate), "-ac", "1", "-i", "-",
                   "-c:a", encoder, "-b:a", f"{kbit}k", "-f", container, "-"]  # fmt: skip
        samples = np.clip(wave, -1, 1).astype("<f4").tobytes()
        done = subprocess.run(command, input=samples, capture_output=True, timeout=CODEC_SECONDS, check=True)
        return load_audio(done.stdout, scene.rate)

    return apply


@functools.cache
def missing_encoder(encoder: str) -> str | None:
    """Why an encoder of the ffmpeg program cannot be used, or None."""
    if shutil.which("ffmpeg") is None:
        return "the program ffmpeg is not installed"
    listed = subprocess.run(["ffmpeg", "-v", "error", "-encoders"], capture_output=True, text=True, check=True).stdout
    return None if f" {encoder} " in listed else f"ffmpeg is built without {encoder}"


def room(size: tuple[float, float, float], distance: float, rt60: float) -> Transform:
    """A shoebox room, by the image method (Allen and Berkley 1979); the clip keeps its length and level.

    Args:
        size: Length, width and height in m.
        distance: From mouth to microphone, in m.
        rt60: Seconds in which sound falls by 60 dB; all six walls absorb alike (Sabine).
    """

    def apply(wave: np.ndarray, scene: Scene) -> np.ndarray:
        response = room_response(size, distance, rt60, scene.rate)
        return _as_loud(fftconvolve(wave, response)[: len(wave)], wave)

    return apply


@functools.lru_cache(maxsize=16)
def room_response(size: tuple[float, float, float], distance: float, rt60: float, rate: int) -> np.ndarray:
    """Impulse response `(num_samples,)` of a room, starting with the direct sound; arguments as for `room`."""
    walls = np.array(size)
    surface = 2 * sum(first * second for first, second in itertools.combinations(size, 2))
    absorbed = 0.161 * walls.prod() / (surface * rt60)
    if absorbed >= 1:
        raise ValueError(f"a room of {size} m is never as dry as {rt60} s")
    reflected = np.sqrt(1 - absorbed)
    microphone = walls * (0.45, 0.4, 0.45)
    mouth = microphone + distance * np.array([0.8, 0.6, 0.0])
    spans = [np.arange(-reach, reach + 1) for reach in np.ceil(rt60 * SPEED_OF_SOUND / (2 * walls)).astype(int)]
    cells = np.stack(np.meshgrid(*spans, indexing="ij"), axis=-1).reshape(-1, 3)
    count = round(rt60 * rate)
    response = np.zeros(count)
    for mirrored in itertools.product((0, 1), repeat=3):  # (Allen and Berkley's p)
        image = (1 - 2 * np.array(mirrored)) * mouth + 2 * cells * walls - microphone
        far = np.linalg.norm(image, axis=1)
        bounces = np.abs(cells - mirrored).sum(axis=1) + np.abs(cells).sum(axis=1)
        delay = np.round((far - distance) / SPEED_OF_SOUND * rate).astype(int)
        near = delay < count
        np.add.at(response, delay[near], reflected ** bounces[near] / far[near])
    return response * distance


def tilt(db_per_octave: float) -> Transform:
    """Raises or lowers high frequencies against low ones, from 100 Hz on; the level stays."""

    def apply(wave: np.ndarray, scene: Scene) -> np.ndarray:
        octaves = np.log2(np.maximum(np.fft.rfftfreq(len(wave), 1 / scene.rate), 100.0) / 1_000)
        spectrum = np.fft.rfft(wave) * 10 ** (db_per_octave * octaves / 20)
        return _as_loud(np.fft.irfft(spectrum, len(wave)), wave)

    return apply


def speed(factor: float) -> Transform:
    """Faster (above 1) or slower; pitch and formants move along, as on a tape."""
    return lambda wave, scene: soxr.resample(wave, factor, 1.0)


def offset(value: float) -> Transform:
    """Adds a constant."""
    return lambda wave, scene: wave + np.float32(value)


def crop(at_start: int = 0, at_end: int = 0) -> Transform:
    """Takes samples away."""
    return lambda wave, scene: wave[at_start : len(wave) - at_end]


def pad(at_start: float = 0, at_end: float = 0) -> Transform:
    """Adds silence, in samples."""
    return lambda wave, scene: np.pad(wave, (int(at_start), int(at_end)))


def silence(at_start: float = 0, at_end: float = 0) -> Transform:
    """Adds silence, in seconds."""
    return lambda wave, scene: pad(at_start * scene.rate, at_end * scene.rate)(wave, scene)


def clip_loudest(share: float) -> Transform:
    """Clips so that this share of the samples is cut off."""

    def apply(wave: np.ndarray, scene: Scene) -> np.ndarray:
        ceiling = np.quantile(np.abs(wave), 1 - share)
        return np.clip(wave, -ceiling, ceiling).astype(np.float32)

    return apply


def _as_loud(changed: np.ndarray, wave: np.ndarray) -> np.ndarray:
    """At the mean power of `wave`."""
    power = np.mean(np.square(changed))
    return (changed * np.sqrt(np.mean(np.square(wave)) / max(power, 1e-20))).astype(np.float32)


def _fitted(wave: np.ndarray, count: int) -> np.ndarray:
    """Cut or padded to a length: resampling there and back rounds."""
    return np.pad(wave[:count], (0, max(0, count - len(wave))))
