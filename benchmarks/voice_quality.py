"""Voice quality beside plain Praat calls for the same measures."""

from __future__ import annotations

import numpy as np
import parselmouth
from parselmouth.praat import call

from ser_model import load_audio, voice_quality

from .data import all_clips
from .rows import Row, alternate, milliseconds, ratio_row

CLIPS = 60
RATES = (16_000, 22_050)


def rows() -> list[Row]:
    found = []
    for rate in RATES:
        waves = [load_audio(path, rate) for path in all_clips()[:CLIPS]]
        sides = {"here": lambda wave, rate=rate: voice_quality(wave, rate),
                 "plain Praat calls": lambda wave, rate=rate: plain_calls(wave, rate)}  # fmt: skip
        seconds = alternate(sides, waves)
        hnr = [abs(voice_quality(wave, rate)["hnr"] / plain_calls(wave, rate)["hnr"] - 1) for wave in waves[:20]]
        detail = f"per clip: {milliseconds(seconds)}; largest difference of a clip's HNR {np.nanmax(hnr):.3%}"
        what = f"Voice quality at {rate / 1000:g} kHz, faster than plain Praat calls"
        found.append(ratio_row(what, seconds["plain Praat calls"] / seconds["here"], detail, least=2))
    return found


def plain_calls(wave: np.ndarray, rate: int) -> dict[str, float]:
    """Jitter, shimmer, HNR and pitch by the commands of Praat's menus."""
    sound = parselmouth.Sound(wave.astype(np.float64), rate)
    pitch = call(sound, "To Pitch", 0.0, 75, 600)
    pulses = call(sound, "To PointProcess (periodic, cc)", 75, 600)
    times = (0, 0, 1e-4, 0.02, 1.3)
    found = {f"jitter_{name}": call(pulses, f"Get jitter ({name})", *times) for name in ("local", "rap", "ppq5")}
    for name in ("local", "apq3", "apq5", "apq11"):
        found[f"shimmer_{name}"] = call([sound, pulses], f"Get shimmer ({name})", *times, 1.6)
    found["hnr"] = call(call(sound, "To Harmonicity (cc)", 0.01, 75, 0.1, 1.0), "Get mean", 0, 0)
    return found | {"f0_mean": call(pitch, "Get mean", 0, 0, "Hertz")}
