"""UAR of several speakers and its interval, on cases small enough to count by hand."""

import numpy as np
import pytest

from ser_model.evaluation.intervals import pooled_uar

RIGHT, WRONG = [[3, 0], [0, 1]], [[0, 3], [1, 0]]


def test_confusions_of_all_speakers_are_added_up():
    uar, _, _ = pooled_uar([RIGHT, WRONG, [[2, 0], [0, 0]]])
    assert uar == pytest.approx((5 / 8 + 1 / 2) / 2)


def test_the_ends_are_percentiles_over_drawn_speakers():
    # Of three draws from right, right and wrong, all are wrong in 1/27 = 3.7 % and none in 8/27 of the cases.
    assert pooled_uar([RIGHT, RIGHT, WRONG]) == (pytest.approx(2 / 3), 0.0, 1.0)
    # With a fourth speaker who is right, all are wrong in 1/256 = 0.4 %, three in 12/256 = 4.7 %.
    assert pooled_uar([RIGHT, RIGHT, RIGHT, WRONG]) == (pytest.approx(3 / 4), pytest.approx(1 / 4), 1.0)
    uar, low, high = pooled_uar([RIGHT] * 50 + [WRONG] * 50)
    assert uar == pytest.approx(0.5)
    assert (low, high) == pytest.approx((0.4, 0.6), abs=0.02)  # 1.96 standard errors of a mean of 100


def test_speakers_are_drawn_whole():
    """Each says one of two classes: where a class was not drawn, the UAR is the other's recall."""
    only_first, only_second = [[4, 0], [0, 0]], [[0, 0], [4, 0]]
    assert pooled_uar([only_first, only_first, only_second]) == (0.5, 0.0, 1.0)


def test_the_same_speakers_give_the_same_interval():
    confusions = np.random.default_rng(1).integers(0, 9, (12, 8, 8))
    first = pooled_uar(confusions)
    assert first == pooled_uar(confusions.tolist())
    assert first[1] < first[0] < first[2]


def test_two_speakers_have_no_interval():
    assert pooled_uar([RIGHT, WRONG]) == (0.5, None, None)
    assert pooled_uar([RIGHT]) == (1.0, None, None)
