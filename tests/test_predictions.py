"""Figures of predictions by corpus and speaker, on cases small enough to count by hand."""

import numpy as np
import pytest
from datasets import ClassLabel, Dataset

from ser_model.evaluation.predictions import evaluate_predictions

LABELS = ["neutral", "happy", "sad"]
# speaker, label, statement, predicted
ONE = [
    ("one_a", "happy", "Noon", "happy"), ("one_a", "sad", "Noon", "sad"), ("one_a", "sad", "Alas", "sad"),
    ("one_b", "happy", "Noon", "happy"), ("one_b", "sad", "Noon", "happy"), ("one_b", "sad", "Alas", "sad"),
]  # fmt: skip
TWO = [(f"two_{name}", "happy", "Noon", predicted) for name, predicted in
       (("a", "happy"), ("b", "happy"), ("c", "sad"))]  # fmt: skip


def figures_of(*clips, speaker=None):
    rows = [
        {"corpus": name[:3], "speaker": speaker or name, "emotion": label, "statement": statement,
         "sex": "female" if name[-1] in "ab" else "male"}
        for name, label, statement, _ in clips
    ]  # fmt: skip
    table = Dataset.from_list(rows).cast_column("emotion", ClassLabel(names=LABELS))
    probabilities = np.full((len(clips), 3), 0.1)
    probabilities[range(len(clips)), [LABELS.index(predicted) for *_, predicted in clips]] = 0.8
    return evaluate_predictions(probabilities, table, [(row, 0) for row in range(len(clips))], LABELS, "test")


def test_corpora_have_intervals_from_three_speakers_on():
    figures = figures_of(*ONE, *TWO)
    assert figures["per_corpus"]["one"]["uar_interval"] is None
    # Of three draws from right, right and wrong, all are wrong in 3.7 % and none in 30 % of the cases.
    assert figures["per_corpus"]["two"]["uar_interval"] == [0.0, 1.0]
    low, high = figures["uar_interval"]
    assert low < figures["uar"] < high


def test_speakers_keep_their_confusions():
    figures = figures_of(*ONE, *TWO)
    assert figures["per_speaker"]["one_b"]["confusion_matrix"] == [[0, 0, 0], [0, 1, 0], [0, 1, 1]]
    together = np.sum([part["confusion_matrix"] for part in figures["per_speaker"].values()], axis=0)
    assert together.tolist() == figures["confusion_matrix"]
    assert "confusion_matrix" not in figures["per_corpus"]["one"]


def test_sentences_common_to_all_labels_stand_apart_where_others_are_not():
    figures = figures_of(*ONE, *TWO)["per_corpus"]
    assert figures["one"]["uar"] == pytest.approx((1 + 3 / 4) / 2)
    assert figures["one"]["common_sentences"] == {"clips": 4, "uar": pytest.approx((1 + 1 / 2) / 2)}
    without = figures_of(*[clip for clip in ONE if clip[2] == "Noon"])["per_corpus"]["one"]
    assert "common_sentences" not in without


def test_clips_of_nobody_have_no_interval():
    rows = [(f"one_{number}", label, "Noon", "sad") for number, label in enumerate(["happy", "sad", "sad"])]
    assert figures_of(*rows)["uar_interval"] == [0.0, 1.0]
    nobody = Dataset.from_list(
        [
            {"corpus": "one", "speaker": name, "sex": None, "emotion": 1, "statement": "Noon"}
            for name in ("a", "b", None, "c")
        ]
    )
    figures = evaluate_predictions(np.eye(3)[[1, 1, 2, 0]] * 0.9 + 0.03, nobody, [(row, 0) for row in range(4)],
                                   LABELS, "test")  # fmt: skip
    assert figures["uar_interval"] is None and figures["per_corpus"]["one"]["uar_interval"] is None
    assert set(figures["per_speaker"]) == {"a", "b", "c"} and figures["per_sex"] == {}


def test_sexes_have_figures_of_their_own():
    of_sex = figures_of(*ONE, *TWO)["per_sex"]
    assert of_sex["male"]["uar"] == 0 and of_sex["male"]["uar_interval"] is None
    assert of_sex["female"]["clips"] == 8 and of_sex["female"]["uar"] == pytest.approx((1 + 3 / 4) / 2)
    low, high = of_sex["female"]["uar_interval"]
    assert low <= of_sex["female"]["uar"] <= high and "confusion_matrix" not in of_sex["female"]


def test_calibration_stands_beside_what_it_was_before():
    calibration = figures_of(*ONE)["calibration"]
    assert calibration["uncalibrated"] == {"ece": calibration["ece"], "nll": calibration["nll"]}  # temperature 1
    assert sum(each["clips"] for each in calibration["bands"]) == 6
    assert calibration["risk_coverage"][-1]["risk"] == pytest.approx(1 / 6)
