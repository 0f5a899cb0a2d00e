"""Probabilities that mean what they say."""

from __future__ import annotations

import numpy as np

TEMPERATURES = np.geomspace(0.1, 10.0, 401)
NUM_BINS = 10


def fit_temperature(probabilities: np.ndarray, references: np.ndarray) -> float:
    """Temperature scaling (Guo et al. 2017): what logits must be divided by to fit unseen speakers best.

    Args:
        probabilities: `(num_clips, num_labels)` of clips that were not trained on.
        references: True class numbers `(num_clips,)`.

    Returns:
        The temperature between 0.1 and 10 with the least negative log-likelihood.
    """
    logits = np.log(np.clip(probabilities, 1e-12, None))
    losses = [negative_log_likelihood(_softmax(logits / value), references) for value in TEMPERATURES]
    return float(TEMPERATURES[int(np.argmin(losses))])


def negative_log_likelihood(probabilities: np.ndarray, references: np.ndarray) -> float:
    """Mean of -log of the probability given to the true class."""
    chosen = probabilities[np.arange(len(references)), references]
    return float(-np.log(np.clip(chosen, 1e-12, None)).mean())


def expected_calibration_error(probabilities: np.ndarray, references: np.ndarray) -> float:
    """Mean distance between how sure and how right, over ten bins of the top probability (Naeini et al. 2015)."""
    sure, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == references
    bins = np.minimum((sure * NUM_BINS).astype(int), NUM_BINS - 1)
    gaps = [
        abs(right[bins == index].mean() - sure[bins == index].mean()) * (bins == index).mean() for index in set(bins)
    ]
    return float(sum(gaps))


def _softmax(logits: np.ndarray) -> np.ndarray:
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)
