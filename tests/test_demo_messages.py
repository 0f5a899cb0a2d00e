"""The page's sentences, from results and reports."""

import copy

import numpy as np
import pytest
from demo_helpers import LABELS, results

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


def test_the_accuracy_note_has_the_figures_and_what_they_were_measured_on():
    assert messages.accuracy_note(REPORT) == (
        "Accuracy on unseen speakers: 54 % (3 classes, chance 33 %), UAR 53 %, the mean over the emotions. "
        "Measured on: RAVDESS, CREMA-D, protocol speaker (tested on people whose voices were not trained on), fold 1, "
        "240 test clips."
    )


def test_shared_speakers_and_leaks_are_admitted():
    shared = changed(leakage={"leaking": True, "test": {"shared_speakers": 24}}, protocol="random-augmented")
    sentence = messages.accuracy_note(shared)
    assert "Accuracy on speakers seen in training" in sentence
    assert "unseen" not in sentence
    assert "These figures are too high" in sentence


@pytest.mark.parametrize("report", [None, {}, {"labels": ["calm"]}, {"test": {"uar": 0.5}}])
def test_without_a_measured_report_it_is_unknown(report):
    assert messages.accuracy_note(report) == messages.UNKNOWN


def test_precision_is_counted_in_a_column_of_the_confusion_matrix():
    assert messages.precision_note(REPORT, "calm") == "Precision for “calm” on the test speakers: 50 % (5 of 10)."
    assert "Precision for “angry” is unknown" in messages.precision_note(REPORT, "angry")
    assert messages.precision_note(REPORT, "surprise") == ""
    assert messages.precision_note(None, "calm") == ""


def test_the_reliability_is_that_of_the_confidences_band():
    bands = [{"from": 0.0, "to": 0.6, "clips": 9, "right": 0.03}, {"from": 0.6, "to": 0.9, "clips": 9, "right": 0.68},
             {"from": 0.9, "to": 1.0, "clips": 50, "right": 0.96}]  # fmt: skip
    report = changed(test=REPORT["test"] | {"calibration": {"bands": bands}})
    said = "Of predictions this confident, 7 of 10 were right on new speakers."
    assert messages.reliability(report, 0.62) == messages.reliability(report, 0.89) == said
    assert "more than 9 of 10" in messages.reliability(report, 1.0)
    seen = report | {"leakage": {"test": {"shared_speakers": 24}}}
    assert messages.reliability(seen, 0.62).endswith("on speakers seen in training.")
    assert "fewer than 1 of 10" in messages.reliability(report, 0.2)
    predicted = {"label": "calm", "probabilities": {"calm": 0.7, "sad": 0.3}, "unsure": False}
    assert messages.of_prediction(report, predicted) == [said, ""]
    assert "Precision" in messages.of_prediction(REPORT, predicted)[0] and messages.reliability(None, 0.5) == ""
    how = messages.how_measured(report, predicted)
    assert how[0] == "Test predictions with a confidence of 60 to 90 %: 68 % of 9 were right."
    assert how[1:3] == [messages.precision_note(report, "calm"), messages.accuracy_note(report)]
    assert messages.how_measured(None, predicted) == ["", "", messages.UNKNOWN, "", ""]


def test_confidence_is_a_word_too():
    words = [messages.confidence(share) for share in (0.2, 0.59, 0.596, 0.748, 0.896, 1.0)]
    low, moderate, high, highest = (f"{word} confidence" for word in ("low", "moderate", "high", "very high"))
    assert words == [low, low, moderate, high, highest, highest]


def test_the_second_emotion_is_named_only_where_it_is_close():
    assert messages.close_second({"calm": 0.3, "sad": 0.2, "angry": 0.5}) == "Close second: calm (30 %)."
    assert messages.close_second({"calm": 0.1, "sad": 0.1, "angry": 0.8}) == ""
    assert messages.close_second({"calm": 1.0}) == ""


def test_level_gives_length_and_peak_and_hints():
    assert (
        messages.level(np.float32([0.0, -0.1]), 3.21)
        == "The clip: 3.2 s, peak -20.0 dB, where 0 dB is the loudest that a file can hold."
    )
    assert "too loud" in messages.level_hint(np.float32([0.5, -1.0]))
    assert "move closer" in messages.level_hint(np.float32([0.028]))  # -31 dB
    assert messages.level_hint(np.float32([0.1])) == ""


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
    timeline = assemble(10.0, LABELS, windows, [results(LABELS, [0.8, 0.1, 0.1], [0.1, 0.2, 0.7])])
    assert messages.timeline_summary(timeline) == "4 s of speech in 10 s, 2 segments. Predicted: calm 75 %, angry 25 %."
    assert messages.timeline_summary(timeline) in messages.timeline_picture(timeline)


def test_the_live_picture_names_the_latest_emotions():
    runs = [(0, 1, "sad"), (2, 3, "sad"), (3, 4, "calm")]
    assert messages.live_picture(runs).endswith("Latest: sad, calm.")
    assert messages.live_picture([]).endswith("No speech yet.")


def test_models_agree_or_not():
    def said(*labels):
        return messages.agreement([{"label": label} for label in labels])

    assert said("sad", "sad") == "Both models predict sad."
    assert said("sad", "sad", "sad") == "All 3 models predict sad."
    assert "disagree (sad, calm)" in said("sad", "calm", None)
    assert said("sad") == said(None, "sad") == ""


def test_the_calibration_error_is_given_where_known():
    assert "(ECE): 6 %" in messages.calibration_note({"test": {"calibration": {"ece": 0.061}}})
    assert messages.calibration_note(None) == messages.calibration_note(REPORT) == ""


def test_files_are_counted():
    assert messages.batch_summary(1, 0) == "1 file predicted."
    assert messages.batch_summary(2, 1) == "2 files predicted, 1 failed."


def test_speakers_of_a_test_are_told():
    assert messages.speakers_tested(REPORT) == "unseen"
    assert messages.speakers_tested(changed(leakage={"test": {"shared_speakers": 3}})) == "seen in training"
    assert messages.speakers_tested({}) == "unknown"
    assert messages.speakers_tested(changed(leakage={"test": {"shared_speakers": None}})) == "unknown"
