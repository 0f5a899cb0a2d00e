"""What hears, and what is heard in one recording; free of torch, for whoever only shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from ser_model.audio import AudioSource


class Attention(NamedTuple):
    """Where the network listened: `times` in seconds and `weights`, `(num_frames,)` each; weights sum to 1."""

    times: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True)
class EmotionResult:
    """What was heard in one recording.

    Attributes:
        label: The most probable emotion.
        probabilities: Emotion -> probability, every class, in the model's order.
        attention: Where the network listened, over the whole recording.
        duration: Length of the recording in seconds.
    """

    label: str
    probabilities: dict[str, float]
    attention: Attention
    duration: float


class Listener(Protocol):
    """An `EmotionRecognizer`, or what stands for one that lives in another process."""

    @property
    def labels(self) -> list[str]: ...

    @property
    def sampling_rate(self) -> int: ...

    @property
    def report(self) -> dict[str, Any] | None: ...

    def __call__(self, audio: AudioSource, sampling_rate: int | None = None) -> EmotionResult: ...

    def probabilities_of(self, waves: Sequence[np.ndarray]) -> np.ndarray: ...
