"""The page's sentences, from results and reports."""

import copy

import numpy as np
import pytest
from demo_helpers import LABELS

from demo import messages
from ser_model.inference.timeline import Window, assemble

REPORT = {
    "corpora": ["ravdess", "crema_d"],
    "protocol": "speaker",
    "fold": 1,
    "labels": ["calm", "sad", "angry"],
    "split_sizes": {"test": 240},
    "leakage": {"leaking": False, "test": {"shared_speakers": 0}},
    "test": {"uar": 0.531, "accuracy": 0.54, "confusion_matrix": [[5, 2, 0], [1, 6, 0], [4, 3, 0]]},
}


def changed(**parts) -> dict:
    return copy.deepcopy(REPORT) | parts


def test_how_often_right_says_the_figures_and_where_they_hold():
    assert messages.how_often_right(REPORT) == (
        "Right 5 times of 10 on speakers it never heard "
        "(RAVDESS, CREMA-D, protocol speaker, fold 1: UAR 53 %, 240 clips). Guessing would be right 1 time of 3."
    )


@pytest.mark.parametrize(("accuracy", "said"), [(0.04, "0 times"), (0.12, "1 time"), (0.99, "10 times")])
def test_times_are_rounded_and_counted(accuracy, said):
    report = changed(test={"uar": 0.5, "accuracy": accuracy})
    assert messages.how_often_right(report).startswith(f"Right {said} of 10 ")


def test_shared_speakers_and_leaks_are_admitted():
    shared = changed(leakage={"leaking": True, "test": {"shared_speakers": 24}}, protocol="random-augmented")
    sentence = messages.how_often_right(shared)
    assert "clips of speakers it knew from training" in sentence
    assert "never heard" not in sentence
    assert "This figure leaks" in sentence


@pytest.mark.parametrize("report", [None, {}, {"labels": ["calm"]}, {"test": {"uar": 0.5}}])
def test_without_a_measured_report_it_is_unknown(report):
    assert messages.how_often_right(report) == messages.UNKNOWN


def test_when_it_says_counts_a_column_of_the_confusion_matrix():
    assert messages.when_it_says(REPORT, "calm") == "In its test it said “calm” 10 times and was right 5 times."
    assert "never said “angry”" in messages.when_it_says(REPORT, "angry")
    assert messages.when_it_says(REPORT, "surprise") == ""
    assert messages.when_it_says(None, "calm") == ""


def test_second_guess_is_named_only_where_it_is_close():
    assert messages.second_guess({"calm": 0.3, "sad": 0.2, "angry": 0.5}) == "It could also be calm."
    assert messages.second_guess({"calm": 0.1, "sad": 0.1, "angry": 0.8}) == ""
    assert messages.second_guess({"calm": 1.0}) == ""


def test_level_gives_length_and_peak_and_hints():
    assert messages.level(np.float32([0.0, -0.1]), 3.21) == "3.2 s, peak -20.0 dB"
    assert "too loud" in messages.level(np.float32([0.5, -1.0]), 1.0)
    assert "faint" in messages.level(np.float32([0.001]), 1.0)


@pytest.mark.parametrize(
    ("percentile", "group", "said"),
    [
        (83.4, "women", "Higher than 83 of 100 clips by women."),
        (50, "all", "Higher than 50 of 100 clips."),
        (20, "men", "Lower than 80 of 100 clips by men."),
        (99, "all", "Higher than at least 99 of 100 clips."),
        (1, "all", "Lower than at least 99 of 100 clips."),
    ],
)
def test_a_percentile_is_said_as_a_count(percentile, group, said):
    assert messages.among(percentile, group) == said


def test_measures_are_shown_in_units_people_know():
    assert messages.VOICE["jitter_local"].shown(0.0123) == "1.23 %"
    assert messages.VOICE["f0_mean"].shown(212.6) == "213 Hz"
    assert all(text.meaning.endswith(".") for text in messages.VOICE.values())


def test_a_recording_is_summed_up():
    windows = [Window(1, 4, 1, 4), Window(4, 5, 2, 5)]
    heard = assemble(10.0, LABELS, windows, [np.float32([[0.8, 0.1, 0.1], [0.1, 0.2, 0.7]])])
    assert messages.timeline_summary(heard) == "4 s of speech in 10 s, 2 segments. Heard: calm 75 %, angry 25 %."
    assert messages.timeline_summary(heard) in messages.timeline_picture(heard)


def test_the_live_picture_tells_what_was_heard_last():
    runs = [(0, 1, "sad"), (2, 3, "sad"), (3, 4, "calm")]
    assert messages.live_picture(runs).endswith("Lately: sad, calm.")
    assert messages.live_picture([]).endswith("No speech yet.")


def test_models_agree_or_not():
    def said(*labels):
        return messages.agreement([{"label": label} for label in labels])

    assert said("sad", "sad") == "Both models hear sad."
    assert said("sad", "sad", "sad") == "All 3 models hear sad."
    assert "disagree (sad, calm)" in said("sad", "calm", None)
    assert said("sad") == said(None, "sad") == ""


def test_how_sure_compares_percentages_with_counts():
    assert "lay 6 points of 100 apart" in messages.how_sure({"test": {"calibration": {"ece": 0.061}}})
    assert messages.how_sure(None) == messages.how_sure(REPORT) == ""


def test_files_are_counted():
    assert messages.batch_summary(1, 0) == "1 file heard."
    assert messages.batch_summary(2, 1) == "2 files heard, 1 could not be."


def test_speakers_of_a_test_are_told():
    assert messages.speakers_heard(REPORT) == "new"
    assert messages.speakers_heard(changed(leakage={"test": {"shared_speakers": 3}})) == "known"
    assert messages.speakers_heard({}) == "unknown"
