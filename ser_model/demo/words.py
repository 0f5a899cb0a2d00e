"""What the page says: plain sentences from results and reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

NOTHING_CHOSEN = "Record or upload a clip first."
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
    corpora = ", ".join(name.upper().replace("_", "-") for name in report.get("corpora", [])) or "its test clips"
    clips = report.get("split_sizes", {}).get("test")
    figures = f"UAR {percent(test['uar'])}" + (f", {clips} clips" if clips else "")
    guess = f" Guessing would be right 1 time of {len(report['labels'])}." if report.get("labels") else ""
    return (
        f"Right {_times(10 * test['accuracy'])} of 10 on {_listened_to(report)} "
        f"({corpora}, protocol {report.get('protocol', 'unknown')}, fold {report.get('fold', 'unknown')}: {figures})."
        f"{guess}{_leak(report)}"
    )


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
