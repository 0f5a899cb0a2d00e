"""Who answers the suite: a recognizer, and beside it baselines: a random model, and an SVM where it was trained."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence

import numpy as np

from ser_model.audio import AudioError, load_audio
from ser_model.inference.recognizer import EmotionRecognizer

NO_ANSWER = -1
Respondent = Callable[[Sequence[np.ndarray]], np.ndarray]  # waves > class numbers `(num_waves,)`, or NO_ANSWER


def answers_of(recognizer: EmotionRecognizer) -> Respondent:
    """Answers of a recognizer; a wave that is refused as audio, or a result without label, is no answer."""

    def answer(waves: Sequence[np.ndarray]) -> np.ndarray:
        answers = np.full(len(waves), NO_ANSWER)
        given = [(place, wave) for place, wave in enumerate(map(_conditioned, waves)) if wave is not None]
        results = recognizer.predict_batch([wave for _, wave in given])
        for (place, _), result in zip(given, results, strict=True):
            if result.label is not None:
                answers[place] = recognizer.labels.index(result.label)
        return answers

    def _conditioned(wave: np.ndarray) -> np.ndarray | None:
        try:
            return load_audio(wave, recognizer.sampling_rate, recognizer.sampling_rate)
        except AudioError:
            return None

    return answer


def random_answers(shares: np.ndarray, seed: int) -> Respondent:
    """Answers drawn from the classes' shares `(num_labels,)`; the same samples always give the same answer."""

    def answer(waves: Sequence[np.ndarray]) -> np.ndarray:
        draws = [np.random.default_rng([seed, zlib.crc32(wave.tobytes())]) for wave in waves]
        return np.array([draw.choice(len(shares), p=shares) for draw in draws])

    return answer
