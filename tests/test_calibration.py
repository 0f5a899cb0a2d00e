"""Calibration of probabilities."""

import numpy as np
import pytest

from ser_model.evaluation.calibration import expected_calibration_error, fit_temperature, negative_log_likelihood


def softmax(logits):
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


def test_a_known_temperature_is_found_again():
    draw = np.random.default_rng(0)
    logits = draw.normal(scale=2, size=(20_000, 4))
    references = np.array([draw.choice(4, p=row) for row in softmax(logits)])
    for temperature in (0.5, 1.0, 3.0):
        overdone = softmax(logits * temperature)
        assert fit_temperature(overdone, references) == pytest.approx(temperature, rel=0.05)


def test_calibration_helps_by_both_measures_and_changes_no_prediction():
    draw = np.random.default_rng(1)
    logits = draw.normal(scale=2, size=(2_000, 4))
    references = np.array([draw.choice(4, p=row) for row in softmax(logits)])
    before = softmax(logits * 4)
    after = softmax(np.log(before) / fit_temperature(before, references))
    assert expected_calibration_error(after, references) < 0.05 < expected_calibration_error(before, references)
    assert negative_log_likelihood(after, references) < negative_log_likelihood(before, references)
    np.testing.assert_array_equal(after.argmax(axis=1), before.argmax(axis=1))


def test_by_hand():
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.3, 0.7], [0.4, 0.6]])
    references = np.array([0, 1, 1, 1])
    # bins 0.9: right 1/2 of 2 clips; 0.7: right of 1; 0.6: right of 1
    assert expected_calibration_error(probabilities, references) == pytest.approx(0.5 * 0.4 + 0.25 * 0.3 + 0.25 * 0.4)
    assert negative_log_likelihood(probabilities, references) == pytest.approx(-np.log([0.9, 0.1, 0.7, 0.6]).mean())
