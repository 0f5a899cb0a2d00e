"""How confidence and accuracy belong together: before and after calibration, and by coverage."""

from __future__ import annotations

from typing import Any

import numpy as np

from .calibration import (
    calibration_bands,
    expected_calibration_error,
    negative_log_likelihood,
    with_temperature,
)

COVERAGES = tuple(tenth / 10 for tenth in range(1, 11))


def calibration_figures(probabilities: np.ndarray, references: np.ndarray, temperature: float) -> dict[str, Any]:
    """Figures of calibrated probabilities beside those of the uncalibrated ones.

    Args:
        probabilities: `(num_clips, num_labels)`, calibrated.
        references: True class numbers `(num_clips,)`.
        temperature: What logits were divided by. The uncalibrated probabilities are had by taking
            it back, which is exact for clips of one analysis window.

    Returns:
        `ece` and `nll`, the same `uncalibrated`, `bands` as `calibration_bands` and `risk_coverage` as
        `risk_coverage` gives them.
    """
    uncalibrated = with_temperature(probabilities, 1 / temperature)
    return {
        "ece": expected_calibration_error(probabilities, references),
        "nll": negative_log_likelihood(probabilities, references),
        "uncalibrated": {
            "ece": expected_calibration_error(uncalibrated, references),
            "nll": negative_log_likelihood(uncalibrated, references),
        },
        "bands": calibration_bands(probabilities, references),
        "risk_coverage": risk_coverage(probabilities, references),
    }


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
