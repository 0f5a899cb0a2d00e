"""Metrics, on cases small enough to count by hand."""

import evaluate
import pytest

from ser_model.metrics import EmotionMetrics

LABELS = ["neutral", "happy", "sad"]


def test_by_hand():
    figures = EmotionMetrics(LABELS).compute(predictions=[0, 0, 1, 1, 2, 0], references=[0, 0, 0, 1, 1, 2])
    assert figures["accuracy"] == pytest.approx(3 / 6)
    assert figures["uar"] == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)
    assert figures["macro_f1"] == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)
    assert figures["confusion_matrix"] == [[2, 1, 0], [0, 1, 1], [1, 0, 0]]
    assert figures["per_class"]["happy"] == pytest.approx(
        {"precision": 0.5, "recall": 0.5, "f1": 0.5, "accuracy": 0.5, "support": 2}
    )
    assert figures["missing_classes"] == []


def test_a_class_without_true_clips_is_left_out_of_the_means():
    figures = EmotionMetrics(LABELS).compute(predictions=[0, 2, 1, 1], references=[0, 0, 1, 1])
    assert figures["uar"] == pytest.approx(0.75)  # the clip predicted as sad is simply wrong
    assert figures["macro_f1"] == pytest.approx((2 / 3 + 1) / 2)
    assert figures["missing_classes"] == ["sad"]


def test_in_batches_and_combined():
    metrics = EmotionMetrics(LABELS)
    metrics.add_batch(predictions=[0, 1], references=[0, 0])
    metrics.add_batch(predictions=[1, 2], references=[1, 2])
    assert metrics.compute()["accuracy"] == 0.75
    combined = evaluate.combine([EmotionMetrics(LABELS)])
    assert combined.compute(predictions=[0, 1], references=[0, 0])["accuracy"] == 0.5
