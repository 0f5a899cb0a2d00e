"""Calibration of probabilities: temperature scaling, and how far confidence and accuracy lie apart."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import softmax
from sklearn.metrics import log_loss

TEMPERATURE_RANGE = (0.1, 10.0)
NUM_BINS = 10
RIGHT_SHARE = 0.75  # of the answers that are not unsure, on validation speakers
BAND_EDGES = (0.0, 0.4, 0.6, 0.75, 0.9, 1.0)  # of confidence
LEAST_CLIPS = 20  # that a share of right answers is taken over


def with_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities `(num_clips, num_labels)` after their logits are divided by `temperature`."""
    return softmax(np.log(np.clip(probabilities, 1e-12, None)) / temperature, axis=1)


def fit_temperature(probabilities: np.ndarray, references: np.ndarray) -> float:
    """Temperature scaling (Guo et al. 2017): what logits must be divided by to fit unseen speakers best.

    Args:
        probabilities: `(num_clips, num_labels)` of clips that were not trained on.
        references: True class numbers `(num_clips,)`.

    Returns:
        The temperature between 0.1 and 10 with the least negative log-likelihood; 1 for fewer than `LEAST_CLIPS`.
    """
    if len(references) < LEAST_CLIPS:
        return 1.0

    def loss(log_temperature: float) -> float:
        return negative_log_likelihood(with_temperature(probabilities, np.exp(log_temperature)), references)

    found = minimize_scalar(loss, bounds=np.log(TEMPERATURE_RANGE), method="bounded", options={"xatol": 1e-5})
    return float(np.exp(found.x))


def fit_unsure_below(probabilities: np.ndarray, references: np.ndarray) -> float:
    """The least confidence from which on at least `RIGHT_SHARE` of the answers are right.

    Args:
        probabilities: Calibrated ones of clips that were not trained on, `(num_clips, num_labels)`.
        references: True class numbers `(num_clips,)`.

    Returns:
        The confidence, rounded down to four digits; 1, below which every answer lies, where no `LEAST_CLIPS` most
        confident ones are right so often; 0, which is not known, for fewer clips than that.
    """
    if len(references) < LEAST_CLIPS:
        return 0.0
    confidence, correct = _answers(probabilities, references)
    order = np.argsort(-confidence, kind="stable")
    confidence, share = confidence[order], correct[order].cumsum() / np.arange(1, len(order) + 1)
    enough = (share >= RIGHT_SHARE) & (np.arange(1, len(order) + 1) >= LEAST_CLIPS)
    enough[:-1] &= confidence[1:] < confidence[:-1]  # answers of one confidence stay together
    return float(np.floor(confidence[enough][-1] * 1e4) / 1e4) if enough.any() else 1.0


def answered(probabilities: np.ndarray, references: np.ndarray, unsure_below: float) -> dict[str, float | None]:
    """`share`: how many answers are not unsure; `right`: how many of those are right, None where there are none."""
    confidence, correct = _answers(probabilities, references)
    sure = confidence >= unsure_below
    return {"share": float(sure.mean()), "right": float(correct[sure].mean()) if sure.any() else None}


def calibration_bands(probabilities: np.ndarray, references: np.ndarray) -> list[dict[str, float]]:
    """How often answers of a confidence are right, by bands of confidence.

    A band with fewer than `LEAST_CLIPS` clips is joined to its neighbour: the next lower one, the lowest to the next
    higher one.

    Args:
        probabilities: `(num_clips, num_labels)`.
        references: True class numbers `(num_clips,)`.

    Returns:
        For each band `from` and `to` (the confidences it spans), `clips`, their mean `confidence`, and `right`,
        the share of right answers.
    """
    confidence, correct = _answers(probabilities, references)
    confidence = np.minimum(confidence, np.nextafter(1.0, 0.0))  # 1 belongs to the highest band
    edges = [BAND_EDGES[-1]]
    for low in reversed(BAND_EDGES[1:-1]):
        inside, below = (confidence >= low) & (confidence < edges[0]), confidence < low
        if min(inside.sum(), below.sum()) >= LEAST_CLIPS:
            edges.insert(0, low)
    bands = []
    for low, high in pairwise([BAND_EDGES[0], *edges]):
        inside = (confidence >= low) & (confidence < high)
        mean, right = (float(values[inside].mean()) if inside.any() else 0.0 for values in (confidence, correct))
        bands.append({"from": low, "to": high, "clips": int(inside.sum()), "confidence": mean, "right": right})
    return bands


def _answers(probabilities: np.ndarray, references: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Confidence of each clip's answer and whether it is right, `(num_clips,)` each."""
    return probabilities.max(axis=1), probabilities.argmax(axis=1) == references


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
    confidence, correct = _answers(probabilities, references)
    bins = np.minimum((confidence * NUM_BINS).astype(int), NUM_BINS - 1)
    gaps = [
        abs(correct[bins == index].mean() - confidence[bins == index].mean()) * (bins == index).mean()
        for index in set(bins)
    ]
    return float(sum(gaps))
