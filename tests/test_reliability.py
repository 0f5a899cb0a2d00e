"""Calibration figures, on probabilities small enough to count by hand."""

import numpy as np
import pytest
from scipy.special import softmax

from ser_model.evaluation.reliability import calibration_figures, risk_coverage


def sure(*confidences):
    """Probabilities of two classes, the first with these."""
    return np.array([[confidence, 1 - confidence] for confidence in confidences])


def test_risk_grows_with_coverage_where_confidence_tells_something():
    points = risk_coverage(sure(*np.linspace(0.99, 0.51, 10)), np.array([0] * 8 + [1] * 2))
    assert [point["coverage"] for point in points] == pytest.approx(np.arange(1, 11) / 10)
    assert [point["risk"] for point in points] == pytest.approx([0] * 8 + [1 / 9, 2 / 10])
    assert points[-1]["confidence"] == pytest.approx(0.51)


def test_taking_the_temperature_back_gives_the_uncalibrated_figures():
    draw = np.random.default_rng(0)
    logits, references = 3 * draw.standard_normal((200, 4)), draw.integers(4, size=200)
    figures = calibration_figures(softmax(logits / 2.5, axis=1), references, 2.5)
    before = calibration_figures(softmax(logits, axis=1), references, 1.0)
    assert figures["uncalibrated"]["ece"] == pytest.approx(before["ece"], abs=1e-6)
    assert figures["uncalibrated"]["nll"] == pytest.approx(before["nll"], abs=1e-6)
    assert before["uncalibrated"] == {name: pytest.approx(before[name]) for name in ("ece", "nll")}
    assert figures["ece"] < before["ece"]
