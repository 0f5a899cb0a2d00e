"""Calibration of probabilities."""

import itertools

import numpy as np
import pytest

from ser_model.evaluation.calibration import (
    BAND_EDGES,
    LEAST_CLIPS,
    answered,
    calibration_bands,
    expected_calibration_error,
    fit_temperature,
    fit_unsure_below,
    negative_log_likelihood,
    with_temperature,
)


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
    after = with_temperature(before, fit_temperature(before, references))
    assert expected_calibration_error(after, references) < 0.05 < expected_calibration_error(before, references)
    assert negative_log_likelihood(after, references) < negative_log_likelihood(before, references)
    np.testing.assert_array_equal(after.argmax(axis=1), before.argmax(axis=1))


def test_by_hand():
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.3, 0.7], [0.4, 0.6]])
    references = np.array([0, 1, 1, 1])
    # bins 0.9: right 1/2 of 2 clips; 0.7: right of 1; 0.6: right of 1
    assert expected_calibration_error(probabilities, references) == pytest.approx(0.5 * 0.4 + 0.25 * 0.3 + 0.25 * 0.4)
    assert negative_log_likelihood(probabilities, references) == pytest.approx(-np.log([0.9, 0.1, 0.7, 0.6]).mean())


def of_two_classes(confidence, correct):
    """Probabilities and true classes of clips whose answers have these confidences."""
    confidence = np.asarray(confidence)
    return np.stack([confidence, 1 - confidence], axis=1), 1 - np.asarray(correct, dtype=int)


def test_answers_above_the_threshold_are_right_as_often_as_promised():
    draw = np.random.default_rng(2)
    confidence = draw.uniform(0.5, 1, size=4_000)
    probabilities, references = of_two_classes(confidence, draw.uniform(size=4_000) < confidence)
    threshold = fit_unsure_below(probabilities, references)
    assert threshold == pytest.approx(0.5, abs=0.05)  # the mean of 0.5 to 1 is 0.75
    kept = answered(probabilities, references, threshold)
    assert kept["right"] >= 0.75 and kept["share"] > 0.9


def test_the_threshold_by_hand():
    # of the 20 most confident 18 are right, of the next 10 five, of the last 10 none
    confidence = np.repeat([0.9, 0.8, 0.6], [20, 10, 10])
    correct = np.r_[[True] * 18, [False] * 2, [True] * 5, [False] * 5, [False] * 10]
    probabilities, references = of_two_classes(confidence, correct)
    assert fit_unsure_below(probabilities, references) == pytest.approx(0.8)  # 23 of 30
    assert answered(probabilities, references, 0.8) == {"share": 0.75, "right": 23 / 30}


def test_a_model_that_is_never_right_often_enough_is_always_unsure():
    probabilities, references = of_two_classes(np.linspace(0.5, 0.99, 60), [True, False, False] * 20)
    assert fit_unsure_below(probabilities, references) == 1.0
    assert answered(probabilities, references, 1.0) == {"share": 0.0, "right": None}
    few = of_two_classes([0.9] * 5, [True] * 5)  # five right answers prove nothing
    assert fit_unsure_below(*few) == 0.0


def test_bands_hold_every_clip_once_and_tell_how_many_were_right():
    draw = np.random.default_rng(3)
    confidence = np.r_[draw.uniform(0.3, 1, size=998), 1.0, 0.6]
    probabilities = np.tile(((1 - confidence) / 4)[:, None], (1, 5))  # of five classes, the first the most probable
    probabilities[:, 0] = confidence
    correct = np.arange(1_000) % 2 == 0
    bands = calibration_bands(probabilities, np.where(correct, 0, 1))
    assert [(band["from"], band["to"]) for band in bands] == list(itertools.pairwise(BAND_EDGES))
    for band in bands:
        inside = (confidence >= band["from"]) & ((confidence < band["to"]) | (band["to"] == 1))
        assert band["clips"] == inside.sum() and band["right"] == correct[inside].mean()
        assert band["confidence"] == pytest.approx(confidence[inside].mean())
    assert sum(band["clips"] for band in bands) == 1_000


def test_a_band_of_few_clips_is_joined_to_its_neighbour():
    few = LEAST_CLIPS - 1
    probabilities, references = of_two_classes(np.repeat([0.7, 0.8, 0.95], [40, 40, few]), [True] * (80 + few))
    bands = calibration_bands(probabilities, references)
    assert [(band["from"], band["to"], band["clips"]) for band in bands] == [(0, 0.75, 40), (0.75, 1, 40 + few)]
    one = calibration_bands(*of_two_classes([0.7] * few, [True] * few))
    assert [(band["from"], band["to"], band["clips"], band["right"]) for band in one] == [(0, 1, few, 1.0)]
