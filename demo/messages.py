"""What the page says: plain sentences from results and reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from ser_model.inference.timeline import Timeline

NOTHING_CHOSEN = "Record or upload a clip first."
NO_FILES = "Choose some files first."
NO_MODELS = "Choose at least one model."
NO_SPEECH = "No speech was found in the recording."
PREDICTED, NO_PREDICTION = "Predicted emotion", "No prediction"
CANCELLED = "Cancelled."
WAITING = "Waiting for a free place …"
FAILED = "Something went wrong on the server, or it has too much to do. Try again, or with another recording."
CANNOT_PLAY = (
    "The browser cannot play this recording: its format is unsupported, or it has been deleted. Upload it again."
)
SILENCE = "silence"
OPENING = "listening …"
OPENING_LEAD, SILENCE_LEAD = "A prediction follows after 1.5 s of speech", "No speech"
LIVE_NOTE = (
    "From 1.5 seconds of speech on, the emotion of its last three seconds is predicted about three times a second. "
    "Nothing is written to disk: the server keeps the last five seconds in memory and deletes them within 40 seconds "
    "after you stop. It is uploaded only if you open the session in the workbench: your browser keeps its last ten "
    "minutes for that, until you leave the page or start again. The browser's gain control, noise suppression and echo "
    "cancellation are off, since they change the sound of emotions. "
    "Keep the level between -40 and -10 dB while you speak."
)
WORKBENCH = (
    "The workbench shows waveform, spectrogram, pitch, attention and segments on one time axis: zoom, play, predict a "
    "part alone, correct labels, and save them."
)
RECORDING_NOTE = (
    "Speech is analysed in windows of three seconds that overlap by half. Single windows are often wrong: the tab Clip "
    f"shows the accuracy of the model. {WORKBENCH}"
)
BATCH_NOTE = "Each file becomes one row, with the reason where it cannot be used. Click a column's head to sort."
COMPARE_NOTE = "Predict one clip with several models. Where they disagree, treat every prediction as uncertain."
COMPARE_INFO = (
    "Choose from the list, or type the id (user/model) of a model on the Hugging Face Hub, one of this project or "
    "another audio classifier of transformers, and press Enter. Code that comes with it is not run."
)
ONE_SPEAKER_TALKS = "Tick it where nobody else does: predicts with a voice profile taken from the recording itself."
ONE_SPEAKER_FILES = "Tick it where all files are the same person: predicts with a voice profile taken from all of them."
OWN_PROFILE = "Predicted with a voice profile of the speaker."
VOICE_USED = "Predicted with your voice profile."
VOICE_NOT_USED = "Predicted without your voice profile, which belongs to another model: see the tab My voice."
VOICE_FOREIGN = "The voice profile in this browser belongs to another model. Make a new one, or forget it."
NO_VOICE = "No voice profile yet."
FEW_CLIPS = "Record or upload at least three clips."
NOT_FEELINGS = (
    "The prediction says how a voice sounds, not what a person feels. Do not use it for decisions about people."
)
OWN = "folder"  # the corpus of somebody's own recordings
ACTED = "Trained and tested on emotions that actors were told to express, in English."
ATTENTION = "Attention: where in the clip the network looked most. Click the picture to play from there."
DRAWING = "Drawing the clip …"
WAVE_ONLY = "Click the picture to play from there."
LONG = "One emotion for the whole clip. The tab Recording shows how it changes."
UNKNOWN = "Accuracy unknown: this model came without a report."

# Confidence is calibrated, so that a word stands for about so many right predictions in the test.
CONFIDENCE = {0.9: "very high", 0.75: "high", 0.6: "moderate", 0.0: "low"}
CLOSE_SECOND = 0.5  # share of the first's probability from which a second emotion is named
CLIPPED_DB, FAINT_DB = -0.1, -30.0


def percent(share: float) -> str:
    """`0.531` -> `53 %`."""
    return f"{100 * share:.0f} %"


def answer(predicted: Mapping[str, Any]) -> str:
    """What stands for `EmotionResult.as_data`: the emotion, the two it may be, or that there is no speech."""
    if predicted["label"] is None:
        return "No speech found"
    if not predicted["unsure"]:
        return predicted["label"]
    ranked = sorted(predicted["probabilities"], key=lambda label: -predicted["probabilities"][label])
    return f"Unsure: {' or '.join(ranked[:2])}"


def confidence(share: float) -> str:
    """`0.81` -> `high confidence`; decided by the percentage that stands beside it."""
    return f"{next(word for least, word in CONFIDENCE.items() if round(share, 2) >= least)} confidence"


def accuracy_note(report: Mapping[str, Any] | None) -> str:
    """Accuracy and UAR from the test part of a report, and what they were measured on."""
    if not report or "accuracy" not in report.get("test", {}):
        return UNKNOWN
    test, classes = report["test"], len(report.get("labels", []))
    among = f" ({classes} classes, chance {percent(1 / classes)})" if classes else ""
    clips = report.get("split_sizes", {}).get("test")
    measured_on = [
        *map(corpus_name, report.get("corpora", [])),
        _PROTOCOLS.get(protocol := report.get("protocol", "unknown"), f"protocol {protocol}"),
        f"fold {report.get('fold', 'unknown')}",
        *([f"{clips} test clips"] if clips else []),
    ]
    return (
        f"Accuracy on {_TESTED_ON[speakers_tested(report)]}: {percent(test['accuracy'])}{among}, "
        f"UAR {percent(test['uar'])}, the mean over the emotions. Measured on: {', '.join(measured_on)}.{_leak(report)}"
    )


def model_summary(report: Mapping[str, Any] | None) -> str:
    """What a model was trained on and how often it is right, in one line; empty where no report tells."""
    if not report or "uar" not in report.get("test", {}):
        return ""
    test, interval = report["test"], report["test"].get("uar_interval")
    span = f" (95 % interval {100 * interval[0]:.0f} to {percent(interval[1])})" if interval else ""
    corpora = ", ".join(map(corpus_name, report.get("corpora", [])))
    return f"{corpora}: accuracy {percent(test['accuracy'])}, UAR {percent(test['uar'])}{span}"


def calibration_note(report: Mapping[str, Any] | None) -> str:
    """How far the probabilities can be trusted; empty where no report tells."""
    error = (report or {}).get("test", {}).get("calibration", {}).get("ece")
    if error is None:
        return ""
    return f"Calibration error (ECE): {percent(error)}, the average gap between confidence and accuracy."


def corpus_name(name: str) -> str:
    """`crema_d` -> `CREMA-D`; `folder` is somebody's own recordings."""
    return "own recordings" if name == OWN else name.upper().replace("_", "-")


_PROTOCOLS = {
    "speaker": "protocol speaker (tested on people whose voices were not trained on)",
    "random": "protocol random (the same people in training and test)",
}
_TESTED_ON = {
    "unseen": "unseen speakers",
    "seen in training": "speakers seen in training",
    "unknown": "the test clips",
}


def speakers_tested(report: Mapping[str, Any]) -> str:
    """Whether the test speakers were in the training data: a key of `_TESTED_ON`."""
    shared = report.get("leakage", {}).get("test", {}).get("shared_speakers")
    if shared is None:
        return "unknown"
    return "seen in training" if shared else "unseen"


def _leak(report: Mapping[str, Any]) -> str:
    if not report.get("leakage", {}).get("leaking"):
        return ""
    return " These figures are too high: test clips, or copies of them, were in the training data."


def precision_note(report: Mapping[str, Any] | None, label: str) -> str:
    """Precision of the model for `label` in its test; empty where no report tells."""
    test = (report or {}).get("test", {})
    labels = (report or {}).get("labels", [])
    if label not in labels or "confusion_matrix" not in test:
        return ""
    counts = np.asarray(test["confusion_matrix"])  # (true, predicted)
    column = labels.index(label)
    predicted, correct = int(counts[:, column].sum()), int(counts[column, column])
    if predicted == 0:
        return f"Precision for “{label}” is unknown: it was never predicted for the test speakers."
    share = percent(correct / predicted)
    return f"Precision for “{label}” on the test speakers: {share} ({correct} of {predicted})."


def close_second(probabilities: Mapping[str, float]) -> str:
    """Names the second emotion where its probability is close to the first's; otherwise empty."""
    ranked = sorted(probabilities.items(), key=lambda item: -item[1])
    if len(ranked) < 2:
        return ""
    (_, most), (label, next_most) = ranked[:2]
    return f"Close second: {label} ({percent(next_most)})." if next_most >= CLOSE_SECOND * most else ""


def of_prediction(report: Mapping[str, Any] | None, predicted: Mapping[str, Any]) -> list[str]:
    """What a model's report and `EmotionResult.as_data` say below a predicted emotion; empty where nothing."""
    second = "" if predicted["unsure"] else close_second(predicted["probabilities"])
    share = predicted["probabilities"][predicted["label"]]
    return [reliability(report, share) or precision_note(report, predicted["label"]), second]


def how_measured(report: Mapping[str, Any] | None, predicted: Mapping[str, Any]) -> list[str]:
    """The figures behind an answer: those of its confidence and its emotion, and those of the model."""
    label = predicted["label"]
    return [
        band_note(report, predicted["probabilities"][label]) if label else "",
        precision_note(report, label) if label else "",
        accuracy_note(report),
        calibration_note(report),
        ACTED if report and report.get("corpora") != [OWN] else "",
    ]


def _band(report: Mapping[str, Any] | None, share: float) -> dict[str, Any] | None:
    """The band of a report's test in which a confidence lies."""
    bands = (report or {}).get("test", {}).get("calibration", {}).get("bands", [])
    return next((band for band in bands if band["from"] <= share <= band["to"] and band["clips"]), None)


def reliability(report: Mapping[str, Any] | None, share: float) -> str:
    """How often predictions of about this confidence were right in the model's test; empty where no report tells."""
    band = _band(report, share)
    if band is None:
        return ""
    tenths = round(10 * band["right"])
    right = {0: "fewer than 1 of 10", 10: "more than 9 of 10"}.get(tenths, f"{tenths} of 10")
    speakers = {"unseen": "new speakers"}.get(tested := speakers_tested(report or {}), _TESTED_ON[tested])
    return f"Of predictions this confident, {right} were right on {speakers}."


def band_note(report: Mapping[str, Any] | None, share: float) -> str:
    """The figures behind `reliability`."""
    band = _band(report, share)
    if band is None:
        return ""
    span = f"{100 * band['from']:.0f} to {100 * band['to']:.0f} %"
    return f"Test predictions with a confidence of {span}: {percent(band['right'])} of {band['clips']} were right."


def level(wave: np.ndarray, duration: float) -> str:
    """Length and peak level."""
    return f"The clip: {duration:.1f} s, peak {_peak(wave):.1f} dB, where 0 dB is the loudest that a file can hold."


def level_hint(wave: np.ndarray) -> str:
    """What to do where the recording is too loud or too quiet; otherwise empty."""
    if _peak(wave) >= CLIPPED_DB:
        return "The clip is perhaps too loud: move away from the microphone."
    return "The clip is quiet: move closer to the microphone." if _peak(wave) < FAINT_DB else ""


def _peak(wave: np.ndarray) -> float:
    """In dB relative to full scale."""
    return 20 * np.log10(max(float(np.abs(wave).max()), 1e-6))


@dataclass(frozen=True)
class VoiceText:
    """How a measure of the voice is presented: its title, what it means, and how its value is written."""

    title: str
    meaning: str
    unit: str
    factor: float = 1.0
    digits: int = 0

    def shown(self, value: float) -> str:
        """The value with its unit."""
        return f"{self.factor * value:.{self.digits}f} {self.unit}"


VOICE = {
    "f0_mean": VoiceText("Pitch (F0)", "How often a second the vocal folds open: a high or a low voice.", "Hz"),
    "f0_range": VoiceText("Pitch range", "How far the pitch moves, its extremes left out: flat or lively.", "Hz"),
    "jitter_local": VoiceText(
        "Jitter", "How unevenly one period follows another: a rough or trembling voice has more.", "%", 100, 2
    ),
    "shimmer_local": VoiceText(
        "Shimmer", "How unevenly loud neighbouring periods are: a hoarse or breathy voice has more.", "%", 100, 1
    ),
    "hnr": VoiceText(
        "Harmonicity (HNR)", "How far harmonics stand above noise: more in a clear voice or a quiet room.", "dB", 1, 1
    ),
    "loudness": VoiceText(
        "Loudness", "Mean level of the speech, 0 dB being full scale: as much the microphone as the voice.", "dB", 1, 1
    ),
    "speaking_part": VoiceText("Speaking part", "How much of the clip is speech rather than pause.", "%", 100),
}
NO_VALUE = "\u2013"
VOICE_LEAD = "Praat's measures of this voice, and their place among reference speakers."
FIRST_MINUTE = "The clip is longer than a minute: its first minute was measured."
VOICE_WAITING = "Seven measures of the voice appear here, each with its place among reference speakers."
NOT_MEASURED = "Cannot be measured: too little voiced speech."
CLIPS_BY = {"women": "clips by women", "men": "clips by men", "all": "clips"}


def among(percentile: float, group: str) -> str:
    """Where a value lies: `higher than 83 of 100 clips by women`."""
    if percentile >= 50:
        side, count = "Higher", percentile
    else:
        side, count = "Lower", 100 - percentile
    least = "at least " if count >= 99 else ""
    return f"{side} than {least}{min(round(count), 99)} of 100 {CLIPS_BY[group]}."


def voice_reference(content: Mapping[str, Any]) -> str:
    """What the reference was measured on."""
    corpora = ", ".join(corpus_name(name) for name in content["corpora"])
    clips, women, men = (sum(part[name] for part in content["corpora"].values()) for name in ("clips", "women", "men"))
    return (
        f"The distributions show {clips:,} clips by {women} women and {men} men ({corpora}): acted English, recorded "
        "in quiet rooms. The dark part is the middle half, the line the median, the arrow this clip. No measure is a "
        "sign of illness."
    )


def timeline_summary(timeline: Timeline) -> str:
    """How much was spoken, and how much of it in which emotion."""
    totals: dict[str, float] = {}
    for segment in timeline.segments:
        totals[segment.emotion] = totals.get(segment.emotion, 0.0) + segment.end - segment.start
    spoken = sum(totals.values())
    ranked = sorted(totals.items(), key=lambda item: -item[1])
    shares = ", ".join(f"{label} {percent(seconds / spoken)}" for label, seconds in ranked)
    number = len(timeline.segments)
    length = f"{spoken:.0f} s of speech in {timeline.duration:.0f} s, {number} segment{'' if number == 1 else 's'}"
    return f"{length}. Predicted: {shares}."


def timeline_picture(timeline: Timeline) -> str:
    """The picture of a recording for those who do not see it."""
    return (
        f"Stacked probabilities of the emotions over time. {timeline_summary(timeline)} The table lists the segments."
    )


def live_picture(runs: Sequence[tuple[float, float, str]]) -> str:
    """The rolling picture for those who do not see it: the latest emotions, without the silence in between."""
    last = [label for _, _, label in runs[-6:]]
    told = [label for before, label in pairwise(["", *last]) if label != before]
    return "Stacked probabilities of the emotions over the last 45 seconds. " + (
        f"Latest: {', '.join(told)}." if told else "No speech yet."
    )


def voice_made(seconds: float) -> str:
    """That there is a voice profile, from so much audio."""
    return f"Your voice profile, from {seconds:.0f} s of audio, is in this browser. Clip, Live and Compare use it."


def utterance(start: float, end: float) -> str:
    """When the utterance was whose emotion still stands there in silence; in seconds since the start."""
    return f"Silence. Last utterance, {start:.1f} to {end:.1f} s"


def batch_summary(good: int, bad: int) -> str:
    """How many files have a prediction, and how many have not."""
    files = f"{good} file{'' if good == 1 else 's'} predicted"
    return f"{files}, {bad} failed." if bad else f"{files}."


def agreement(entries: Sequence[Mapping[str, Any]]) -> str:
    """Whether the models predict the same emotion."""
    said = [entry["label"] for entry in entries if entry["label"]]
    if len(said) < 2:
        return ""
    if len(set(said)) == 1:
        return f"{'Both' if len(said) == 2 else f'All {len(said)}'} models predict {said[0]}."
    return f"The models disagree ({', '.join(said)}): treat every prediction as uncertain."
