"""Voice measures of clinical phonetics, through Praat."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from .harmonicity_ser import harmonicity

PITCH_FLOOR, PITCH_CEILING = 75.0, 600.0  # Hz
MEASURES = (
    "jitter_local",
    "jitter_rap",
    "jitter_ppq5",
    "shimmer_local",
    "shimmer_apq3",
    "shimmer_apq5",
    "shimmer_apq11",
    "hnr",
    "f0_mean",
    "f0_range",
    "voiced_fraction",
)
NUM_UTTERANCE_FEATURES = len(MEASURES) + 1


def utterance_features(clips: Sequence[np.ndarray], sampling_rate: int) -> np.ndarray:
    """`voice_quality` of clips as a network takes it, before standardisation.

    Args:
        clips: Mono waveforms `(num_samples,)`.
        sampling_rate: In Hz.

    Returns:
        float32 `(batch, NUM_UTTERANCE_FEATURES)`: the `MEASURES`, NaN where one could not be taken, and 1 where all
        of them could be, else 0.

    Raises:
        ImportError: praat-parselmouth is not installed.
    """
    taken = np.array([list(voice_quality(clip, sampling_rate).values()) for clip in clips])
    whole = np.isfinite(taken).all(axis=1, keepdims=True)
    return np.concatenate([taken, whole], axis=1).astype(np.float32)


def voice_quality(samples: np.ndarray, sampling_rate: int) -> dict[str, float]:
    """Measures a recording's voice.

    Args:
        samples: Mono waveform `(num_samples,)`.
        sampling_rate: In Hz.

    Returns:
        `MEASURES` -> value. A measure that Praat cannot take (silence, noise, whispering, very short
        voiced parts) is NaN; `voiced_fraction` never is.

        - `jitter_local`, `jitter_rap`, `jitter_ppq5`: cycle-to-cycle change of the period, as a share
          of the mean period. Praat: `Get jitter (local)...`, `(rap)`, `(ppq5)` on
          `To PointProcess (periodic, cc)`, periods of 0.1 to 20 ms, maximum period factor 1.3.
        - `shimmer_local`, `shimmer_apq3`, `shimmer_apq5`, `shimmer_apq11`: cycle-to-cycle change of
          the amplitude, as a share of the mean amplitude. Praat: `Get shimmer (local)...`, `(apq3)`,
          `(apq5)`, `(apq11)`, maximum amplitude factor 1.6.
        - `hnr`: mean harmonics-to-noise ratio in dB over voiced frames, within 0.05 dB of Praat's `Get mean` on
          `To Harmonicity (cc)...` with steps of 10 ms, silence threshold 0.1, one period per window.
        - `f0_mean`, `f0_range`: mean, and 95th minus 5th percentile, of the fundamental frequency in
          Hz over voiced frames. Praat: `To Pitch (ac)...`, 75 to 600 Hz.
        - `voiced_fraction`: share of those frames that are voiced.

    Raises:
        ImportError: praat-parselmouth is not installed.
        ValueError: The samples are of several channels, NaN or infinite.
    """
    try:
        import parselmouth
        from parselmouth.praat import call
    except ImportError as error:
        raise ImportError("Voice quality needs Praat: pip install praat-parselmouth") from error

    samples = np.asarray(samples, dtype=np.float64)
    if samples.ndim != 1 or not np.isfinite(samples).all():
        raise ValueError("Voice quality is taken from one channel of samples that are numbers.")
    found = dict.fromkeys(MEASURES, math.nan) | {"voiced_fraction": 0.0}
    try:
        sound = parselmouth.Sound(samples, sampling_frequency=sampling_rate)
        pitch = sound.to_pitch_ac(pitch_floor=PITCH_FLOOR, pitch_ceiling=PITCH_CEILING)
        track = pitch.selected_array["frequency"]
        voiced = track[track > 0]
        if len(voiced) == 0:
            return found
        found["voiced_fraction"] = len(voiced) / len(track)
        found["f0_mean"] = float(voiced.mean())
        found["f0_range"] = float(np.subtract(*np.percentile(voiced, [95, 5])))
        ratios = harmonicity(samples, sampling_rate, PITCH_FLOOR)
        if len(ratios):
            found["hnr"] = float(ratios.mean())
        pulses = call([sound, pitch], "To PointProcess (cc)")  # `(periodic, cc)` would look for this pitch again
        for name in ("local", "rap", "ppq5"):
            found[f"jitter_{name}"] = call(pulses, f"Get jitter ({name})", 0, 0, 1e-4, 0.02, 1.3)
        for name in ("local", "apq3", "apq5", "apq11"):
            found[f"shimmer_{name}"] = call([sound, pulses], f"Get shimmer ({name})", 0, 0, 1e-4, 0.02, 1.3, 1.6)
    except parselmouth.PraatError:  # too short for an analysis window: what is missing stays NaN
        pass
    return found
