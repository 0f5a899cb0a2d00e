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
NO_SPEECH = "No speech was found in the recording: only silence, or a steady hum or hiss."
CANCELLED = "Cancelled."
CANNOT_PLAY = (
    "The browser cannot play this: it is of a kind it does not know, or has been deleted meanwhile. Upload it again."
)
SILENCE = "silence"
LIVE_NOTE = (
    "About three times a second the network hears the last three seconds of speech. Nothing of it is written down: "
    "the server keeps the last 20 seconds in memory and forgets them half a minute after you stop. The browser's "
    "gain control, noise suppression and echo cancellation are off, since they change what emotions sound like; "
    "keep the level between -40 and -10 dB while you speak."
)
RECORDING_NOTE = (
    "Where somebody speaks, the network hears three seconds at a time, each half over the one before. Take "
    "the result for a sketch: every window is right about as often as the note on the first tab says."
)
BATCH_NOTE = "Every file becomes a row; a file that cannot be heard is listed with its reason and stops no other."
COMPARE_NOTE = "One clip, several models: where they disagree, none of them should be believed."
COMPARE_INFO = (
    "Choose, or type the Hub id of a model of this project and press Enter. Code that comes with it is not run."
)
NOT_FEELINGS = "It names how a voice sounds, not what a person feels. Decide nothing about anybody with it."
UNKNOWN = "How often this model is right is unknown: it came without a report."

CLOSE_SECOND = 0.5  # share of the first's probability from which a second emotion is named
CLIPPED_DB, FAINT_DB = -0.1, -35.0


def percent(share: float) -> str:
    """`0.531` -> `53 %`."""
    return f"{100 * share:.0f} %"


def how_often_right(report: Mapping[str, Any] | None) -> str:
    """How far the model can be trusted, from the test part of its report."""
    if not report or "accuracy" not in report.get("test", {}):
        return UNKNOWN
    test = report["test"]
    corpora = ", ".join(corpus_name(name) for name in report.get("corpora", [])) or "its test clips"
    clips = report.get("split_sizes", {}).get("test")
    figures = f"UAR {percent(test['uar'])}" + (f", {clips} clips" if clips else "")
    guess = f" Guessing would be right 1 time of {len(report['labels'])}." if report.get("labels") else ""
    return (
        f"Right {_times(10 * test['accuracy'])} of 10 on {_listened_to(report)} "
        f"({corpora}, protocol {report.get('protocol', 'unknown')}, fold {report.get('fold', 'unknown')}: {figures})."
        f"{guess}{_leak(report)}"
    )


def how_sure(report: Mapping[str, Any] | None) -> str:
    """How far the percentages can be trusted; empty where the report does not tell."""
    error = (report or {}).get("test", {}).get("calibration", {}).get("ece")
    if error is None:
        return ""
    return f"How sure it says it is and how often it was right lay {100 * error:.0f} points of 100 apart on average."


def corpus_name(name: str) -> str:
    """`crema_d` -> `CREMA-D`."""
    return name.upper().replace("_", "-")


def _times(count: float) -> str:
    rounded = round(count)
    return f"{rounded} time" if rounded == 1 else f"{rounded} times"


def _listened_to(report: Mapping[str, Any]) -> str:
    shared = report.get("leakage", {}).get("test", {}).get("shared_speakers")
    if shared is None:
        return "its test clips"
    return "clips of speakers it knew from training" if shared else "speakers it never heard"


def _leak(report: Mapping[str, Any]) -> str:
    if not report.get("leakage", {}).get("leaking"):
        return ""
    return " This figure leaks: training had heard the test clips, so it is too high."


def when_it_says(report: Mapping[str, Any] | None, label: str) -> str:
    """How often the model was right in its test when it answered `label`; empty where no report tells."""
    test = (report or {}).get("test", {})
    labels = (report or {}).get("labels", [])
    if label not in labels or "confusion_matrix" not in test:
        return ""
    counts = np.asarray(test["confusion_matrix"])  # acted as, heard as
    column = labels.index(label)
    said, right = int(counts[:, column].sum()), int(counts[column, column])
    if said == 0:
        return f"In its test it never said “{label}”, so how often that answer is right is unknown."
    return f"In its test it said “{label}” {_times(said)} and was right {_times(right)}."


def second_guess(probabilities: Mapping[str, float]) -> str:
    """Names the second emotion where it comes close; otherwise empty."""
    ranked = sorted(probabilities.items(), key=lambda item: -item[1])
    if len(ranked) < 2:
        return ""
    (_, most), (label, next_most) = ranked[:2]
    return f"It could also be {label}." if next_most >= CLOSE_SECOND * most else ""


def level(wave: np.ndarray, duration: float) -> str:
    """Length and peak level, with a hint where the recording was made too loud or too faint."""
    peak = 20 * np.log10(max(float(np.abs(wave).max()), 1e-6))
    text = f"{duration:.1f} s, peak {peak:.1f} dB"
    if peak >= CLIPPED_DB:
        return f"{text}: perhaps too loud; a little further from the microphone may help"
    if peak < FAINT_DB:
        return f"{text}: faint; nearer to the microphone may help"
    return text


def speakers_heard(report: Mapping[str, Any]) -> str:
    """Whether training knew the test speakers, for a table."""
    return {"speakers it never heard": "new", "its test clips": "unknown"}.get(_listened_to(report), "known")


@dataclass(frozen=True)
class VoiceText:
    """How a measure of the voice is told: its title, what it means, and how its value is written."""

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
VOICE_LEAD = "What Praat measures in this voice, and where that lies among reference speakers."
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
        f"The hills show {clips:,} clips by {women} women and {men} men ({corpora}): acted English, recorded in quiet "
        "rooms. Dark is the middle half, the line the median, the arrow this clip. No measure says that a voice is ill."
    )


def timeline_summary(timeline: Timeline) -> str:
    """How much was spoken, and how much of it in which emotion."""
    totals: dict[str, float] = {}
    for segment in timeline.segments:
        totals[segment.emotion] = totals.get(segment.emotion, 0.0) + segment.end - segment.start
    spoken = sum(totals.values())
    ranked = sorted(totals.items(), key=lambda item: -item[1])
    shares = ", ".join(f"{label} {percent(seconds / spoken)}" for label, seconds in ranked)
    return f"{spoken:.0f} s of speech in {timeline.duration:.0f} s, {len(timeline.segments)} segments. Heard: {shares}."


def timeline_picture(timeline: Timeline) -> str:
    """The picture of a recording for those who do not see it."""
    return f"Probabilities of the emotions over time, stacked. {timeline_summary(timeline)} The table below has it all."


def live_picture(runs: Sequence[tuple[float, float, str]]) -> str:
    """The rolling picture for those who do not see it: what was heard last, silence in between left out."""
    last = [label for _, _, label in runs[-6:]]
    told = [label for before, label in pairwise(["", *last]) if label != before]
    return "Probabilities of the emotions over the last 45 seconds, stacked. " + (
        f"Lately: {', '.join(told)}." if told else "No speech yet."
    )


def batch_summary(good: int, bad: int) -> str:
    """How many files were heard."""
    files = f"{good} file{'' if good == 1 else 's'} heard"
    return f"{files}, {bad} could not be." if bad else f"{files}."


def agreement(entries: Sequence[Mapping[str, Any]]) -> str:
    """Whether the models said the same."""
    said = [entry["label"] for entry in entries if entry["label"]]
    if len(said) < 2:
        return ""
    if len(set(said)) == 1:
        return f"{'Both' if len(said) == 2 else f'All {len(said)}'} models hear {said[0]}."
    return f"The models disagree ({', '.join(said)}): take none of the answers for certain."


MUST_NOT = [
    "Decide nothing about a person with it: not on hiring, school, insurance, health, credit, police or borders. "
    "In the European Union the law forbids inferring emotions at work and at school, with few exceptions.",
    "It learned from actors who were told what to feel. Real feelings show differently, or not at all; from the voice "
    "alone, even people agree with the actors of one corpus (CREMA-D) on 4 clips of 10.",
    "It learned from adults speaking English in North America and Britain. Other languages, cultures, ages, "
    "accents, illnesses of the voice, poor microphones and noisy rooms are outside what was measured.",
]
ABOUT_PRIVACY = [
    "Clips are analysed by the machine that serves this page and sent nowhere else; no one listens, nothing is learned "
    "from them. Uploaded and recorded clips lie in a temporary folder and are deleted within an hour, or when the "
    "server stops. Live sound is never written to a file. There are no cookies for tracking and no analytics.",
    "Record other people only with their consent.",
]
LICENCES = [
    "The code is under the Apache License 2.0. A model's weights inherit the terms of the corpora they learned from: "
    "the table below names their licence, the model card the corpora. Most of these corpora forbid commercial use.",
    "The synthetic examples were made with espeak-ng and are free to use. No recording of a corpus is shipped.",
]
QUESTIONS = {
    "It says the same emotion whatever I say": (
        "Speak a whole sentence of two to five seconds, near the microphone. The level is written under the answer: a "
        "peak between -20 and -3 dB is good. The browser's gain control, which flattens loud and soft, is off on this "
        "page; your system may have one of its own. A voice unlike those it learned from is still often misjudged."
    ),
    "Which label is which index?": (
        "The table below has the order of the outputs of each model; it is also in the model's config.json."
    ),
    "Can it listen live?": "Yes: on the tab Live, with silence shown as silence.",
    "My recording is an hour long": (
        "The tab Recording follows it window by window; so does python -m ser_model timeline FILE."
    ),
    "How sure is it?": (
        "On clips like those of its test, about as sure as it says: the note beside the answer tells how far apart "
        "the two lay. Elsewhere nobody knows. Below every answer stands how often the same answer was right."
    ),
}
