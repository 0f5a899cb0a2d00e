"""Emotion over the time of a long recording: windows where somebody speaks, joined to segments."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from .results import Attention, EmotionResult, Speech
from .voice_activity import MARGIN_SECONDS, Detector, speech_stretches, with_margin
from .voice_profile import VoiceProfile, wave_sums

if TYPE_CHECKING:
    from .base_recognizer import BaseRecognizer

WINDOW_SECONDS = 3.0  # about the length of the clips that such networks learn from
MIN_WINDOW_SECONDS = 1.0  # the window over a shorter stretch of speech takes in what is around it
WINDOWS_AT_ONCE = 16  # between two reports of progress
PROFILE_SECONDS = 300.0  # of speech for the voice profile of a recording


@dataclass(frozen=True)
class Window:
    """An analysis window; all in seconds.

    Attributes:
        start, end: The time its prediction stands for: what lies nearer to its middle than to its neighbours'.
        input_start, input_end: The samples that the network is given.
    """

    start: float
    end: float
    input_start: float
    input_end: float


@dataclass(frozen=True)
class Segment:
    """A stretch of one emotion.

    Attributes:
        start, end: In seconds.
        emotion: The most probable one.
        probability: Its mean over the stretch; None where a person gave the label.
        unsure: Whether that is below the model's `unsure_below`: too often wrong.
    """

    start: float
    end: float
    emotion: str
    probability: float | None
    unsure: bool = False


@dataclass(frozen=True)
class Timeline:
    """The predictions for a recording over time.

    Attributes:
        duration: Length of the recording in seconds.
        labels: The emotions, in the model's order.
        windows: The analysis windows, in order; between them nobody speaks.
        probabilities: `(num_windows, num_labels)`.
        segments: Neighbouring windows of the same most probable emotion, joined.
        attention: Attention over the recording, every window weighing by its length; None where there is none.
        speech: How much of the recording the windows lie on.
    """

    duration: float
    labels: list[str]
    windows: list[Window]
    probabilities: np.ndarray
    segments: list[Segment]
    attention: Attention | None = None

    @property
    def speech(self) -> Speech:
        return Speech.of([(window.start, window.end) for window in self.windows], self.duration)


def plan_windows(
    wave: np.ndarray, sampling_rate: int, window_seconds: float = WINDOW_SECONDS, detect: Detector | None = None
) -> list[Window]:
    """Windows over the speech in a recording, at least half-overlapping and evenly spaced within a stretch.

    Args:
        wave: Mono samples `(num_samples,)`.
        sampling_rate: In Hz.
        window_seconds: Length of a window.
        detect: What finds speech; by default the detector in torch.
    """
    duration = len(wave) / sampling_rate
    stretches = speech_stretches(wave, sampling_rate, detect)
    return [
        window
        for start, end in with_margin(stretches, duration, MARGIN_SECONDS)
        for window in _over_stretch(start, end, window_seconds, duration)
    ]


def _over_stretch(start: float, end: float, seconds: float, duration: float) -> list[Window]:
    if end - start <= seconds:
        wanted = min(max(end - start, MIN_WINDOW_SECONDS), duration)
        input_start = min(max(0.0, (start + end - wanted) / 2), duration - wanted)
        return [Window(start, end, input_start, input_start + wanted)]
    count = 1 + math.ceil((end - start - seconds) / (seconds / 2) - 1e-9)
    begins = np.linspace(start, end - seconds, count).tolist()
    borders = [start, *((one + other + seconds) / 2 for one, other in pairwise(begins)), end]
    return [Window(*own, begin, begin + seconds) for own, begin in zip(pairwise(borders), begins, strict=True)]


def voice_of(recognizer: BaseRecognizer, wave: np.ndarray, windows: Sequence[Window]) -> VoiceProfile | None:
    """Voice profile of the one person who speaks in a recording, from the speech alone; None where there is none.

    Of a long recording every n-th part is taken, about `PROFILE_SECONDS` in all: more changes a profile little.

    Args:
        recognizer: The model.
        wave: The recording at the recognizer's sampling rate `(num_samples,)`.
        windows: All windows of the recording.

    Raises:
        VoiceProfileError: The model takes no profiles.
    """
    if not windows:
        return None
    rate = recognizer.sampling_rate
    spoken = sum(window.end - window.start for window in windows)
    taken = windows[:: math.ceil(spoken / PROFILE_SECONDS)]
    parts = (wave[round(window.start * rate) : round(window.end * rate)] for window in taken)
    return VoiceProfile.from_sums(recognizer, [wave_sums(recognizer, part) for part in parts])


def predict_windows(
    recognizer: BaseRecognizer, wave: np.ndarray, windows: Sequence[Window], voice: VoiceProfile | None = None
) -> Iterator[list[EmotionResult]]:
    """Predictions for the windows, a batch at a time.

    Args:
        recognizer: The model.
        wave: The recording at the recognizer's sampling rate `(num_samples,)`.
        windows: Parts of the recording.
        voice: Profile of the person who speaks.
    """
    rate = recognizer.sampling_rate
    for first in range(0, len(windows), WINDOWS_AT_ONCE):
        batch = windows[first : first + WINDOWS_AT_ONCE]
        parts = [wave[round(window.input_start * rate) : round(window.input_end * rate)] for window in batch]
        yield recognizer.predict_batch(parts, voice, gate=False)


def assemble(
    duration: float,
    labels: list[str],
    windows: list[Window],
    predicted: Sequence[Sequence[EmotionResult]],
    unsure_below: float = 0.0,
) -> Timeline:
    """Joins the batches of `predict_windows` to a timeline; `unsure_below` is the recognizer's."""
    results = [result for batch in predicted for result in batch]
    probabilities = np.array([list(result.probabilities.values()) for result in results]).reshape(-1, len(labels))
    segments = _joined(labels, windows, probabilities, unsure_below)
    return Timeline(duration, labels, windows, probabilities, segments, _attention(windows, results))


def _attention(windows: Sequence[Window], results: Sequence[EmotionResult]) -> Attention | None:
    """Attention of each window over the time that its prediction stands for, joined; weights sum to 1."""
    times, weights = [np.zeros(0)], [np.zeros(0)]
    for window, result in zip(windows, results, strict=True):
        if result.attention is None:
            return None
        of_window = result.attention.times + window.input_start
        own = (of_window >= window.start) & (of_window < window.end)
        times.append(of_window[own])
        weights.append(result.attention.weights[own] * len(own))  # 1 where a window is attended to evenly
    joined = np.concatenate(weights)
    return Attention(np.concatenate(times), joined / max(float(joined.sum()), 1e-12))


def predict_timeline(
    recognizer: BaseRecognizer,
    wave: np.ndarray,
    one_speaker: bool = False,
    progress: Callable[[Iterator, int], Iterable] = lambda batches, total: batches,
) -> Timeline:
    """Plans windows, predicts and assembles in one go.

    Args:
        recognizer: The model.
        wave: The recording at the recognizer's sampling rate `(num_samples,)`.
        one_speaker: Whether the recording is its own voice profile.
        progress: Passes the batches on, as a progress bar does, and is told how many there are.

    Raises:
        VoiceProfileError: It is to be its own voice profile, and the model takes none.
    """
    windows = plan_windows(wave, recognizer.sampling_rate, detect=recognizer.detect)
    voice = voice_of(recognizer, wave, windows) if one_speaker else None
    batches = predict_windows(recognizer, wave, windows, voice)
    predicted = list(progress(batches, -(-len(windows) // WINDOWS_AT_ONCE)))
    duration = len(wave) / recognizer.sampling_rate
    return assemble(duration, recognizer.labels, windows, predicted, recognizer.unsure_below)


def _joined(labels: list[str], windows: list[Window], probabilities: np.ndarray, unsure_below: float) -> list[Segment]:
    runs: list[list[int]] = []
    for index, row in enumerate(probabilities):
        # a pause in speech ends a segment
        touching = index > 0 and windows[index - 1].end == windows[index].start
        if touching and row.argmax() == probabilities[index - 1].argmax():
            runs[-1].append(index)
        else:
            runs.append([index])
    segments = []
    for run in runs:
        lengths = [windows[index].end - windows[index].start for index in run]
        mean = np.average(probabilities[run], axis=0, weights=lengths)
        best = int(probabilities[run[0]].argmax())
        start, end, probability = windows[run[0]].start, windows[run[-1]].end, float(mean[best])
        segments.append(Segment(start, end, labels[best], probability, probability < unsure_below))
    return segments
