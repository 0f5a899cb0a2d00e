"""One visitor's microphone: utterances found in it as it comes, and their predictions."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import soxr

from ser_model.inference.results import EmotionResult, Speech
from ser_model.inference.timeline import MIN_WINDOW_SECONDS, WINDOW_SECONDS, Window, predict_windows
from ser_model.inference.voice_activity import (
    FLOOR_DB,
    LEAST_SECONDS,
    MARGIN_SECONDS,
    Stretches,
    level,
    speech_stretches,
)
from ser_model.inference.voice_profile import VoiceProfile

from .timeline_plot import Column

if TYPE_CHECKING:
    from ser_model.inference.recognizer import EmotionRecognizer

SHOWN_SECONDS = 45.0
KEPT_SECONDS = 5.0  # of samples: a window, the pause after it, and what the speech gate has to take in before
OPENS_SECONDS = 1.5  # of speech in an utterance before it is predicted, see scripts/live_openings.py
STEP_SECONDS = 0.35  # between two predictions, at least
RECENT_SECONDS = 0.5  # no speech in these ends an utterance


@dataclass(frozen=True)
class Utterance:
    """What was said without a pause, and its prediction; `start` and `end` in seconds since the microphone's start."""

    start: float
    end: float
    predicted: EmotionResult


class LiveSession:
    """One visitor's microphone: the last seconds of sound, and the predictions for them. Its size is bounded.

    Args:
        source_rate: Sampling rate of the samples that will come, in Hz.
        sampling_rate: The model's sampling rate, in Hz.
        opens_seconds: Seconds of speech in an utterance before it is predicted.
    """

    def __init__(self, source_rate: int, sampling_rate: int, opens_seconds: float = OPENS_SECONDS):
        self.source_rate = source_rate
        self.opens_seconds = opens_seconds
        self.sampling_rate = sampling_rate
        self.wave = np.zeros(0, dtype=np.float32)
        self.seconds = 0.0  # received so far
        self.columns: deque[Column] = deque(maxlen=int(SHOWN_SECONDS / STEP_SECONDS) + 1)
        self.speaking = False
        self.now: EmotionResult | None = None  # of the utterance under way; None before there is enough of it
        self.last: Utterance | None = None
        self.voice: VoiceProfile | None = None
        self.of_voice = ""  # whether a voice profile is used, said beside each prediction
        self.level = FLOOR_DB  # dB relative to full scale, of the latest sound
        self.lock = threading.Lock()
        self._looked = 0.0
        self._began: float | None = None  # the utterance under way
        self._ended = 0.0  # its last speech so far
        self._quiet = 0.0  # speech before this belongs to earlier utterances
        self._resampler = soxr.ResampleStream(source_rate, sampling_rate, 1, dtype="float32")

    def use(self, voice: VoiceProfile | None, of_voice: str) -> None:
        """Predicts with a voice profile from now on, or without one; `of_voice` is said beside each prediction."""
        self.voice, self.of_voice = voice, of_voice

    def predict(self, recognizer: EmotionRecognizer, samples: np.ndarray) -> None:
        """Takes in the next int16 samples `(num_samples,)`, and looks where enough have come."""
        fresh = self._resampler.resample_chunk(samples.astype(np.float32) / 32768)
        self.wave = np.concatenate([self.wave, fresh])[-int(KEPT_SECONDS * self.sampling_rate) :]
        self.seconds += len(samples) / self.source_rate
        if len(fresh):
            self.level = level(fresh)
        if self.seconds - self._looked >= STEP_SECONDS:
            self._look(recognizer)

    def _look(self, recognizer: EmotionRecognizer) -> None:
        """Opens an utterance, predicts it as soon as there is enough of it, or ends it."""
        since, self._looked = self._looked, self.seconds
        stretches = self._stretches()
        if stretches:
            self._began = stretches[0][0] if self._began is None else self._began
            self._ended = stretches[-1][1]
        began = since if self._began is None else self._began
        self.speaking = bool(stretches) and self.seconds - self._ended < RECENT_SECONDS
        opened = self.now is not None
        enough = sum(end - start for start, end in stretches) >= self.opens_seconds
        if (self.speaking and (opened or enough)) or (stretches and not self.speaking and not opened):
            self._predict(recognizer, stretches, since if opened else began)
        if not self.speaking:
            if self.now is not None:
                self.last = Utterance(began, self._ended, self.now)
            self.now, self._began, self._quiet = None, None, self.seconds - RECENT_SECONDS

    def _stretches(self) -> Stretches:
        """The speech of the utterance under way; in seconds since the microphone's start."""
        before = self.seconds - len(self.wave) / self.sampling_rate
        found = [(start + before, end + before) for start, end in speech_stretches(self.wave, self.sampling_rate)]
        own = [(max(start, self._quiet), end) for start, end in found]
        return [(start, end) for start, end in own if end - start >= LEAST_SECONDS]

    def _predict(self, recognizer: EmotionRecognizer, stretches: Stretches, since: float) -> None:
        """Predicts the last seconds of the utterance; the picture shows it from `since` on."""
        length = len(self.wave) / self.sampling_rate
        until = self.seconds if self.speaking else self._ended
        end = length - self.seconds + until
        begin = max(length - self.seconds + stretches[0][0] - MARGIN_SECONDS, end - WINDOW_SECONDS)
        window = Window(since, until, max(0.0, min(begin, end - MIN_WINDOW_SECONDS)), end)
        (predicted,) = next(predict_windows(recognizer, self.wave, [window], self.voice))
        shares = np.array(list(predicted.probabilities.values()))
        if self.now is not None:  # averaged with the previous prediction, so that the picture does not flicker
            shares = (shares + list(self.now.probabilities.values())) / 2
        named = dict(zip(recognizer.labels, map(float, shares), strict=True))
        speech = Speech.of(stretches, length)
        self.now = EmotionResult(max(named, key=lambda label: named[label]), named, None, length, speech,
                                 recognizer.unsure_below)  # fmt: skip
        self.columns.append(Column(since, until, named))
