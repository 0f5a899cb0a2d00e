"""Calibration of probabilities: temperature scaling, and how far confidence and accuracy lie apart."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import softmax
from sklearn.metrics import log_loss

TEMPERATURE_RANGE = (0.1, 10.0)
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

    def loss(log_temperature: float) -> float:
        return negative_log_likelihood(softmax(logits / np.exp(log_temperature), axis=1), references)

    found = minimize_scalar(loss, bounds=np.log(TEMPERATURE_RANGE), method="bounded", options={"xatol": 1e-5})
    return float(np.exp(found.x))


def negative_log_likelihood(probabilities: np.ndarray, references: np.ndarray) -> float:
    """Mean of -log of the probability given to the true class."""
    shares = probabilities / probabilities.sum(
        axis=1, keepdims=True
    )  # float32 sums miss 1 by more than log_loss allows
    return float(log_loss(references, shares, labels=np.arange(shares.shape[1])))


def expected_calibration_error(probabilities: np.ndarray, references: np.ndarray) -> float:
    """Mean distance between confidence and accuracy, over ten bins of the confidence (Naeini et al. 2015).

    Args:
        probabilities: `(num_clips, num_labels)`.
        references: True class numbers `(num_clips,)`.
    """
    confidence, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == references
    bins = np.minimum((confidence * NUM_BINS).astype(int), NUM_BINS - 1)
    gaps = [
        abs(correct[bins == index].mean() - confidence[bins == index].mean()) * (bins == index).mean()
        for index in set(bins)
    ]
    return float(sum(gaps))
