"""How far a UAR depends on who was tested: bootstrap over speakers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import bootstrap, wilcoxon

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
            are true classes; from one fold or several. Of one speaker under several seeds
            it is the mean.

    Returns:
        UAR, lower and upper end; both ends are None with fewer than three speakers.
    """
    return _with_interval(_uar_of(per_speaker_confusions), len(per_speaker_confusions))


def paired_difference(
    ours: Sequence[ArrayLike], theirs: Sequence[ArrayLike]
) -> tuple[float, float | None, float | None]:
    """How much higher the first of two UARs on the same speakers is, and its 95 % interval (paired bootstrap).

    Args:
        ours, theirs: As for `pooled_uar`, of the same speakers in the same order: each draw takes a
            speaker's clips under both.

    Returns:
        Difference, lower and upper end; both ends are None with fewer than three speakers.
    """
    first, second = _uar_of(ours), _uar_of(theirs)
    return _with_interval(lambda speakers: first(speakers) - second(speakers), len(ours))


def signed_rank_p(ours: ArrayLike, theirs: ArrayLike) -> float | None:
    """Two-sided p of Wilcoxon's signed-rank test on two figures of each speaker, `(num_speakers,)`; None of nobody."""
    differences = np.asarray(ours) - np.asarray(theirs)
    if not len(differences):
        return None
    return float(wilcoxon(differences).pvalue) if differences.any() else 1.0


def _uar_of(per_speaker_confusions: Sequence[ArrayLike]) -> Callable[[np.ndarray], np.ndarray]:
    """UAR of the clips of drawn speakers, `(..., num_drawn)` -> `(...)`."""
    confusions = np.asarray(per_speaker_confusions)
    correct, support = np.diagonal(confusions, axis1=1, axis2=2), confusions.sum(axis=2)  # (num_speakers, num_labels)

    def uar(speakers: np.ndarray) -> np.ndarray:
        right, clips = correct[speakers].sum(axis=-2), support[speakers].sum(axis=-2)
        return (right / np.maximum(clips, 1)).sum(axis=-1) / (clips > 0).sum(axis=-1)

    return uar


def _with_interval(
    figure: Callable[[np.ndarray], np.ndarray], num_speakers: int
) -> tuple[float, float | None, float | None]:
    everyone = np.arange(num_speakers)
    if num_speakers < MIN_SPEAKERS:
        return float(figure(everyone)), None, None
    ends = bootstrap(
        (everyone,), lambda speakers, axis=-1: figure(speakers), n_resamples=NUM_RESAMPLES,
        confidence_level=CONFIDENCE, method="percentile", rng=0,
    ).confidence_interval  # fmt: skip
    return float(figure(everyone)), float(ends.low), float(ends.high)
