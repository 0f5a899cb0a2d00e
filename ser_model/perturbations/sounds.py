"""Sounds that are not speech, made from a seed, and how they are mixed with a clip."""

from __future__ import annotations

import numpy as np
from scipy.signal import butter, sosfilt

from .scene import Scene, Sound, Transform

HARMONICS = np.arange(1, 11)
SEMITONE = 2 ** (1 / 12)
BABBLE_VOICES = (4, 7)  # fewest and most, as in ser-tests


def add(sound: Sound, snr_db: float) -> Transform:
    """Mixes a sound with a clip.

    Args:
        sound: Made as long as the clip.
        snr_db: Mean power of the clip over that of the sound, in dB. Of a burst only the part
            that is not silent counts; one that is silent throughout changes nothing.
    """

    def apply(wave: np.ndarray, scene: Scene) -> np.ndarray:
        noise = sound(len(wave), scene)
        if not noise.any():
            return wave
        power = np.mean(np.square(noise[noise != 0]))
        wanted = np.mean(np.square(wave, dtype=np.float64)) / 10 ** (snr_db / 10)
        return (wave + np.sqrt(wanted / power) * noise).astype(np.float32)

    return apply


def white(count: int, scene: Scene) -> np.ndarray:
    """Gaussian noise, every frequency alike."""
    return scene.draw.standard_normal(count)


def pink(count: int, scene: Scene) -> np.ndarray:
    """Noise whose power falls by 3 dB an octave, from 20 Hz on."""
    spectrum = np.fft.rfft(scene.draw.standard_normal(count))
    frequencies = np.fft.rfftfreq(count, 1 / scene.rate)
    return np.fft.irfft(spectrum / np.sqrt(np.maximum(frequencies, 20.0)), count)


def babble(count: int, scene: Scene) -> np.ndarray:
    """Four to seven clips of other speakers at once, each repeated from a drawn place, equally loud.

    Raises:
        ValueError: There is no other speaker.
    """
    if not scene.others:
        raise ValueError("babble needs clips of other speakers")
    mixed = np.zeros(count)
    for _ in range(scene.draw.integers(BABBLE_VOICES[0], BABBLE_VOICES[1] + 1)):
        voice = scene.others[int(scene.draw.integers(len(scene.others)))]
        start = scene.draw.integers(len(voice))
        mixed += np.resize(np.roll(voice, -start), count) / np.sqrt(np.mean(np.square(voice)))
    return mixed


def hum(count: int, scene: Scene) -> np.ndarray:
    """A machine: ten harmonics of 50 or 60 Hz that fall by 6 dB an octave."""
    return _tone(count, scene, float(scene.draw.choice([50, 60])), 1 / HARMONICS)


def sine(count: int, scene: Scene) -> np.ndarray:
    """A pure tone between 200 and 4,000 Hz."""
    hz = float(np.exp(scene.draw.uniform(np.log(200), np.log(4_000))))
    return _tone(count, scene, min(hz, _highest(scene)), np.ones(1))


def high_sine(count: int, scene: Scene) -> np.ndarray:
    """A pure tone between 5 and 7 kHz, or as high as the sampling rate allows."""
    return _tone(count, scene, min(scene.draw.uniform(5_000, 7_000), _highest(scene)), np.ones(1))


def music(count: int, scene: Scene) -> np.ndarray:
    """Plucked major and minor chords, two a second, in one key."""
    step, key = scene.rate // 2, 110 * SEMITONE ** scene.draw.integers(12)
    mixed = np.zeros(count + 2 * step)
    for start in range(0, count, step):
        root = key * SEMITONE ** scene.draw.choice([0, 2, 4, 5, 7, 9])
        third = scene.draw.choice([3, 4])
        for interval in (0, third, 7, 12):
            note = _tone(2 * step, scene, root * SEMITONE**interval, 1 / HARMONICS[:5] ** 1.5)
            mixed[start : start + 2 * step] += note * np.exp(-4 * np.arange(2 * step) / scene.rate)
    return mixed[:count]


def breath(count: int, scene: Scene) -> np.ndarray:
    """Breathing: noise between 300 and 3,000 Hz that swells 0.3 to 0.6 times a second."""
    noise = _band(scene.draw.standard_normal(count), scene, 300, 3_000)
    time = np.arange(count) / scene.rate
    swell = np.sin(np.pi * scene.draw.uniform(0.3, 0.6) * time + scene.draw.uniform(0, np.pi)) ** 2
    return noise * swell


def cough(count: int, scene: Scene) -> np.ndarray:
    """One cough-like burst of 0.35 s at a drawn place: noise between 200 and 4,000 Hz that dies away."""
    size = min(count, round(0.35 * scene.rate))
    noise = _band(scene.draw.standard_normal(size), scene, 200, 4_000)
    return _placed(count, scene, noise * np.exp(-10 * np.arange(size) / scene.rate))


def clicks(count: int, scene: Scene) -> np.ndarray:
    """Five clicks of 3 ms at drawn places."""
    size = min(count, round(0.003 * scene.rate))
    return sum((_placed(count, scene, scene.draw.standard_normal(size)) for _ in range(5)), np.zeros(count))


def _tone(count: int, scene: Scene, hz: float, amplitudes: np.ndarray) -> np.ndarray:
    """Harmonics of a frequency below half the sampling rate, phases drawn."""
    orders = 1 + np.arange(len(amplitudes))
    audible = orders * hz < scene.rate / 2
    phases = scene.draw.uniform(0, 2 * np.pi, len(orders))[audible, None]
    angle = 2 * np.pi * hz * np.arange(count) / scene.rate
    return amplitudes[audible] @ np.sin(orders[audible, None] * angle + phases)


def _band(noise: np.ndarray, scene: Scene, low: float, high: float) -> np.ndarray:
    high = min(high, _highest(scene))
    return sosfilt(butter(2, [low, high], "bandpass", fs=scene.rate, output="sos"), noise)


def _highest(scene: Scene) -> float:
    """The highest frequency in Hz that a sampling rate holds well."""
    return 0.45 * scene.rate


def _placed(count: int, scene: Scene, burst: np.ndarray) -> np.ndarray:
    """A burst at a drawn place in silence."""
    start = scene.draw.integers(count - len(burst) + 1)
    return np.pad(burst, (start, count - start - len(burst)))
