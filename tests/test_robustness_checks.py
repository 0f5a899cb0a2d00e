"""Limits of the suite, on predictions small enough to count by hand; which clips are drawn; the random model."""

import numpy as np
import pytest
from datasets import ClassLabel, Dataset

from ser_model.evaluation.robustness.checks import at_least, at_most, widened
from ser_model.evaluation.robustness.correctness import (
    SEX_LIMITS,
    correctness_checks,
    fairness_checks,
    pitch_bands,
    speaker_figures,
)
from ser_model.evaluation.robustness.perturbations import NOISE, SMALL, Perturbation
from ser_model.evaluation.robustness.respondents import NO_ANSWER, random_answers
from ser_model.evaluation.robustness.sample import draw_sample
from ser_model.evaluation.robustness.suite import passed, perturbation_checks, skipped_perturbations

LABELS = ["neutral", "happy", "sad"]


def test_a_value_on_its_limit_passes():
    assert at_most("g", "n", "m", 0.05, 0.05, 1).passed and not at_most("g", "n", "m", 0.0502, 0.05, 1).passed
    assert at_least("g", "n", "m", 0.95, 0.95, 1).passed and not at_least("g", "n", "m", 0.9498, 0.95, 1).passed
    row = at_least("g", "n", "m", 0.95, 0.9, 7).as_dict()
    assert row == {"group": "g", "name": "n", "measure": "m", "value": 0.95, "threshold": 0.9,
                   "required": "at least", "passed": True, "clips": 7}  # fmt: skip


def test_limits_of_groups_are_widened_below_a_thousand_clips_only():
    assert widened(0.075, 5_000) == widened(0.075, 1_000) == 0.075
    assert widened(0.075, 250) == pytest.approx(0.15)


def test_correctness_counts_each_class():
    references = np.repeat([0, 1], 10)
    predictions = np.array([0] * 10 + [0] * 6 + [1] * 4)  # no clip is sad
    checks = {(check.name, check.measure): check for check in correctness_checks(predictions, references, LABELS)}
    assert len(checks) == 1 + 2 * 3 and not any(name == "sad" for name, _ in checks)
    assert checks["all classes", "UAR"].value == 0.7
    happy = [checks["happy", measure] for measure in ("recall", "precision", "error of its share")]
    assert [check.value for check in happy] == [0.4, 1.0, 0.3]
    assert [check.passed for check in happy] == [False, True, False]
    assert checks["neutral", "precision"].value == 0.625


def test_no_answer_is_a_wrong_one():
    checks = correctness_checks(np.array([0, NO_ANSWER, 1, NO_ANSWER]), np.array([0, 0, 1, 1]), LABELS)
    assert checks[0].value == 0.5 and checks[0].passed


def fairness(correct_of_women, clips=400):
    """`clips` of women and of men of one corpus, and women alone in another that does not count."""
    references = np.tile([0, 1], clips // 2)
    women = np.where(np.arange(clips) < correct_of_women * clips, references, 1 - references)
    predictions = np.concatenate([women, references, 1 - references])
    groups = np.repeat(np.array(["female", "male", "female"], dtype=object), clips)
    corpora = np.repeat(["one", "one", "two"], clips)
    checks = fairness_checks(predictions, np.tile(references, 3), LABELS, corpora, groups, SEX_LIMITS)
    return {(check.name, check.measure): check for check in checks}


def test_fairness_compares_groups_with_everyone_of_corpora_that_have_both():
    even, uneven = fairness(1.0), fairness(0.6)
    assert even["female", "difference of UAR"].value == 0 and even["female", "difference of UAR"].clips == 400
    assert uneven["female", "difference of UAR"].value == pytest.approx(0.2)
    assert uneven["female", "difference of UAR"].limit == pytest.approx(0.075 * np.sqrt(2.5), abs=1e-4)
    assert not uneven["female", "difference of UAR"].passed
    assert uneven["male", "difference of recall, worst class"].passed  # 0.2 against 0.277


def test_rare_classes_are_not_compared():
    references = np.tile([0] * 48 + [1] * 48 + [2] * 4, 20)
    groups = np.repeat(np.array(["female", "male"], dtype=object), 1_000)
    predictions = np.where((references == 2) & (groups == "female"), 0, references)
    checks = fairness_checks(predictions, references, LABELS, np.repeat("one", 2_000), groups, SEX_LIMITS)
    recalls = [check.value for check in checks if "recall" in check.measure]
    assert recalls == [0, 0] and checks[0].value == pytest.approx(1 / 6, abs=1e-4)
    many = np.arange(2_000) % 40  # labels, of which none has one clip in twenty
    checks = fairness_checks(many, many, [*map(str, range(40))], np.repeat("one", 2_000), groups, SEX_LIMITS)
    assert [check.value for check in checks] == [0] * 6


def test_a_limit_that_says_nothing_is_no_check():
    measures = {measure for _, measure in fairness(1.0, clips=80)}
    assert measures == {"difference of UAR", "difference of precision, worst class"}
    nobody = np.array([None] * 4, dtype=object)
    ones = np.ones(4, dtype=int)
    assert fairness_checks(ones, ones, LABELS, np.array(["one"] * 4), nobody, SEX_LIMITS) == []


def test_pitch_bands_go_by_the_speakers_mean():
    pitches = np.array([140.0, 151.0, 120.0, np.nan, 250.0, 145.0])
    speakers = np.array(["a", "a", "b", "b", "c", None], dtype=object)
    bands = pitch_bands(pitches, speakers).tolist()
    assert bands == ["medium pitch", "medium pitch", "low pitch", "low pitch", "high pitch", None]


def test_best_and_worst_speaker():
    references, speakers = np.array([0, 1, 0, 1]), np.array(["a", "a", "b", "b"])
    found = speaker_figures(np.array([0, 1, 0, 0]), references, LABELS, speakers)
    assert found["best"] == {"speaker": "a", "uar": 1.0} and found["worst"] == {"speaker": "b", "uar": 0.5}
    assert found["spread"] == 0.5
    assert speaker_figures(references, references, LABELS, np.array([None] * 4, dtype=object)) == {}


@pytest.mark.parametrize(("changed", "fall", "small"), [(0, True, True), (4, True, True), (6, False, False)])
def test_a_perturbation_may_change_so_much(changed, fall, small):
    references = np.tile([0, 1], 50)
    after = references.copy()
    after[:changed] = 2
    noise = Perturbation("noise", "n", lambda wave, scene: wave, NOISE)
    of_uar, of_answers = perturbation_checks(noise, references, after, references, LABELS)
    assert (of_uar.measure, of_uar.value, of_uar.passed) == ("fall of UAR", changed / 100, fall)
    assert of_answers.value == 1 - changed / 100 and of_answers.passed
    (only,) = perturbation_checks(
        Perturbation("small change", "s", lambda wave, scene: wave, SMALL), references, after, references, LABELS
    )
    assert only.passed is small
    counts = passed([of_uar, of_answers, only])
    assert counts["checks_passed"] == 1 + fall + small and counts["groups"]["noise"]["checks"] == 2


@pytest.mark.parametrize(
    ("speakers", "left_out"),
    [(["a", "a"], True), ([None], True), (["a", "b"], False), ([None, None], False), (["a", None], False)],
)
def test_babble_is_left_out_where_there_is_nobody_else(speakers, left_out):
    skipped = skipped_perturbations(speakers)
    for ratio in ("20 dB", "10 dB", "5 dB"):
        assert (skipped.get(f"babble, {ratio}") == "all clips are of one speaker") is left_out


def test_a_sample_is_even_over_corpora_emotions_and_speakers():
    rows = [
        {"audio": f"{corpus}{speaker}{emotion}{take}.wav", "corpus": corpus, "speaker": f"{corpus}{speaker}",
         "emotion": emotion}
        for corpus, takes in (("one", 2), ("two", 20)) for speaker in range(3) for emotion in range(3)
        for take in range(takes)
    ]  # fmt: skip
    table = Dataset.from_list(rows).cast_column("emotion", ClassLabel(names=LABELS))
    items = [(row, 0) for row in range(len(table))]
    sample = draw_sample(table, items, 18, seed=0)
    drawn = [rows[place] for place in sample]
    assert sample == sorted(set(sample)) == draw_sample(table, items, 18, seed=0)
    assert sample != draw_sample(table, items, 18, seed=1)
    cells = {(row["corpus"], row["emotion"], row["speaker"]) for row in drawn}
    assert len(cells) == 18  # each speaker once with each emotion
    assert len(draw_sample(table, items, 10_000, seed=0)) == len(items)


def test_the_random_model_answers_by_content_and_shares():
    waves = [np.full(10, value, dtype=np.float32) for value in np.linspace(0, 1, 400)]
    answers = random_answers(np.array([0.75, 0.25, 0.0]), seed=0)
    first = answers(waves)
    np.testing.assert_array_equal(first, answers(waves))
    np.testing.assert_array_equal(first[::-1], answers(waves[::-1]))
    assert np.mean(first == 0) == pytest.approx(0.75, abs=0.07) and not (first == 2).any()
    louder = answers([2 * wave for wave in waves])
    assert 0.4 < np.mean(louder == first) < 0.85
