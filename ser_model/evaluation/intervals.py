"""How far a UAR depends on who was tested: bootstrap over speakers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import bootstrap

CONFIDENCE = 0.95
NUM_RESAMPLES = 1000
MIN_SPEAKERS = 3  # with fewer there is nothing to resample


def pooled_uar(per_speaker_confusions: Sequence[ArrayLike]) -> tuple[float, float | None, float | None]:
    """UAR of the clips of several speakers together, and its 95 % interval.

    The interval is the percentile bootstrap over speakers (Efron and Tibshirani 1993): whole speakers
    are drawn with replacement 1,000 times, always with the same seed, and the UAR is computed from
    the clips of those drawn. A class without a clip among them is left out of that mean.

    Args:
        per_speaker_confusions: One confusion matrix `(num_labels, num_labels)` for each speaker, rows
            are true classes; from one fold or several. Those of one speaker under several seeds are
            added up first.

    Returns:
        UAR, lower and upper end; both ends are None with fewer than three speakers.
    """
    confusions = np.asarray(per_speaker_confusions)
    correct, support = np.diagonal(confusions, axis1=1, axis2=2), confusions.sum(axis=2)  # (num_speakers, num_labels)

    def uar(speakers: np.ndarray, axis: int = -1) -> np.ndarray:
        right, clips = correct[speakers].sum(axis=-2), support[speakers].sum(axis=-2)
        return (right / np.maximum(clips, 1)).sum(axis=-1) / (clips > 0).sum(axis=-1)

    everyone = np.arange(len(confusions))
    if len(everyone) < MIN_SPEAKERS:
        return float(uar(everyone)), None, None
    ends = bootstrap(
        (everyone,), uar, n_resamples=NUM_RESAMPLES, confidence_level=CONFIDENCE, method="percentile", rng=0
    ).confidence_interval
    return float(uar(everyone)), float(ends.low), float(ends.high)
