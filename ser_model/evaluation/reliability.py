"""How confidence and accuracy belong together: before and after calibration, by confidence, by coverage."""

from __future__ import annotations

from typing import Any

import numpy as np

from .calibration import NUM_BINS, expected_calibration_error, negative_log_likelihood, with_temperature

COVERAGES = tuple(tenth / 10 for tenth in range(1, 11))


def calibration_figures(probabilities: np.ndarray, references: np.ndarray, temperature: float) -> dict[str, Any]:
    """Figures of calibrated probabilities beside those of the uncalibrated ones.

    Args:
        probabilities: `(num_clips, num_labels)`, calibrated.
        references: True class numbers `(num_clips,)`.
        temperature: What logits were divided by. The uncalibrated probabilities are had by taking
            it back, which is exact for clips of one analysis window.

    Returns:
        `ece` and `nll`, the same `uncalibrated`, and `reliability` and `risk_coverage` as the
        functions of these names give them.
    """
    uncalibrated = with_temperature(probabilities, 1 / temperature)
    return {
        "ece": expected_calibration_error(probabilities, references),
        "nll": negative_log_likelihood(probabilities, references),
        "uncalibrated": {
            "ece": expected_calibration_error(uncalibrated, references),
            "nll": negative_log_likelihood(uncalibrated, references),
        },
        "reliability": reliability(probabilities, references),
        "risk_coverage": risk_coverage(probabilities, references),
    }


def reliability(probabilities: np.ndarray, references: np.ndarray) -> list[dict[str, float]]:
    """Confidence and accuracy in ten bins of the confidence, as the ECE has them; empty bins are left out.

    Returns:
        `clips`, mean `confidence` and `accuracy` of each bin.
    """
    confidence, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == references
    bins = np.minimum((confidence * NUM_BINS).astype(int), NUM_BINS - 1)
    return [
        {
            "clips": int((bins == index).sum()),
            "confidence": float(confidence[bins == index].mean()),
            "accuracy": float(correct[bins == index].mean()),
        }
        for index in sorted(set(bins.tolist()))
    ]


def risk_coverage(probabilities: np.ndarray, references: np.ndarray) -> list[dict[str, float]]:
    """Share of errors where only the most confident predictions are given, a tenth more at a time.

    Returns:
        `coverage`, `risk`, and the `confidence` from which on predictions are given.
    """
    confidence, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == references
    order = np.argsort(-confidence, kind="stable")
    points = []
    for coverage in COVERAGES:
        given = order[: max(1, round(coverage * len(order)))]
        points.append(
            {
                "coverage": coverage,
                "risk": float(1 - correct[given].mean()),
                "confidence": float(confidence[given[-1]]),
            }
        )
    return points
